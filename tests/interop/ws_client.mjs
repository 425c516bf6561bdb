// A third party's client for our echo servers: `ws` of npm.
//
//   node ws_client.mjs URL LARGEST [--empty]
//
// LARGEST: the largest message in bytes. --empty: the server echoes empty messages
// too (old programs take a result of 0 for "nothing" and do not).
// Each check prints a line; the last line is "N passed, N failed".
//
// SPDX-License-Identifier: MIT OR Apache-2.0
import { once } from 'node:events';
import net from 'node:net';
import WebSocket from 'ws';

const [url, largestText, ...flags] = process.argv.slice(2);
const largest = Number(largestText);
const empty = flags.includes('--empty');
const PATIENCE_MS = 60000;
let passed = 0;
let failed = 0;

const fail = (text) => { throw new Error(text); };
const same = (left, right, what) => left === right || fail(`${what}: ${left}, not ${right}`);

async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what}: nothing came`)), PATIENCE_MS); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function check(name, run) {
  try {
    await within(run(), name);
    passed++;
    console.log(`ok: ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL: ${name}: ${error.message}`);
  }
}

// A connection whose messages and pongs wait to be taken in order.
async function open(options = {}) {
  const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
  const queue = [];
  const waiting = [];
  const put = (item) => (waiting.length ? waiting.shift().resolve(item) : queue.push(item));
  socket.on('message', (data, binary) => put({ kind: binary ? 'binary' : 'text', data }));
  socket.on('pong', (data) => put({ kind: 'pong', data }));
  socket.on('close', (code, reason) => put({ kind: 'close', code, data: reason }));
  socket.on('error', (error) => put({ kind: 'error', data: Buffer.from(error.message) }));
  const next = () => (queue.length ? Promise.resolve(queue.shift())
    : new Promise((resolve) => { waiting.push({ resolve }); }));
  await within(Promise.race([once(socket, 'open'), once(socket, 'error').then(([error]) => { throw error; })]), 'open');
  return { socket, next };
}

async function expect(link, kind, data) {
  const got = await link.next();
  same(got.kind, kind, `${got.data.subarray(0, 60)}: kind`);
  if (!got.data.equals(Buffer.from(data))) fail(`${kind} of ${got.data.length} bytes differs from that of ${data.length}`);
}

async function leave(link, code, reason) {
  link.socket.close(code, reason);
  const got = await link.next();
  same(got.kind, 'close', 'the end');
  same(got.code, code, 'close code');
}

// Text of one-byte and of three-byte characters, `size` bytes in all.
function text(size, seed) {
  let out = '';
  for (let n = 0; n + 3 <= size; n += 3) out += (n + seed) % 7 ? 'abc' : '\u20ac';
  return out.padEnd(out.length + (size % 3), '.');
}

function binary(size, seed) {
  const out = Buffer.alloc(size);
  for (let n = 0; n < size; n++) out[n] = (n * 13 + (n >> 8) + seed) & 255;
  return out;
}

async function sizes() {
  const link = await open();
  for (const size of [1, 2, 125, 126, 127, 128, 1000, 4096, 32768, 65535, 65536, 65537, 300000, 1 << 20]) {
    if (size > largest) break;
    link.socket.send(text(size, size));
    await expect(link, 'text', text(size, size));
    link.socket.send(binary(size, size));
    await expect(link, 'binary', binary(size, size));
  }
  await leave(link, 1000, '');
}

async function burst() {
  const link = await open();
  const count = 300;
  const message = (n) => `${n} `.repeat(1 + (n % 40));
  link.socket._socket.cork(); // one write: the server sees them glued
  for (let n = 0; n < count; n++) link.socket.send(message(n));
  link.socket._socket.uncork();
  for (let n = 0; n < count; n++) await expect(link, 'text', message(n));
  await leave(link, 1000, '');
}

async function fragments() {
  const link = await open();
  for (const pieces of [2, 3, 50]) {
    for (const kind of ['text', 'binary']) {
      let whole = '';
      for (let n = 0; n < pieces; n++) {
        const piece = `piece ${n} `;
        whole += piece;
        link.socket.send(piece, { fin: n === pieces - 1, binary: kind === 'binary' });
      }
      await expect(link, kind, whole);
    }
  }
  await leave(link, 1000, '');
}

async function fragmentsWithPings() {
  const link = await open();
  link.socket.send('begin ', { fin: false });
  link.socket.ping('inside');
  link.socket.send('middle ', { fin: false });
  link.socket.send('end', { fin: true });
  const got = [await link.next(), await link.next()].sort((left, right) => (left.kind < right.kind ? -1 : 1));
  same(`${got[0].kind} ${got[0].data}`, 'pong inside', 'the pong');
  same(`${got[1].kind} ${got[1].data}`, 'text begin middle end', 'the message');
  await leave(link, 1000, '');
}

async function pings() {
  const link = await open();
  for (const payload of ['', 'x', 'p'.repeat(125)]) {
    link.socket.ping(payload);
    await expect(link, 'pong', payload);
  }
  link.socket.pong('nobody asked');
  link.socket.send('still here');
  await expect(link, 'text', 'still here');
  await leave(link, 1000, '');
}

async function emptyMessages() {
  const link = await open();
  link.socket.send('');
  if (empty) await expect(link, 'text', '');
  link.socket.send(Buffer.alloc(0));
  if (empty) await expect(link, 'binary', '');
  link.socket.send('after the empty ones');
  await expect(link, 'text', 'after the empty ones');
  await leave(link, 1000, '');
}

async function closes() {
  for (const [code, reason] of [[1000, ''], [1001, 'going'], [4001, 'r'.repeat(123)]]) await leave(await open(), code, reason);
  const link = await open();
  link.socket.close(); // without a code
  const got = await link.next();
  same(got.kind, 'close', 'the end');
  same(got.code, 1005, 'close code');
}

async function deflate() {
  const link = await open({ perMessageDeflate: true });
  same(link.socket.extensions, '', 'extensions');
  link.socket.send(text(30000, 1));
  await expect(link, 'text', text(30000, 1));
  await leave(link, 1000, '');
}

// A server must outlive those who vanish, and those who were never there.
async function rudePeers() {
  for (let n = 0; n < 5; n++) {
    const link = await open();
    link.socket.send('gone before the echo');
    if (n % 2) link.socket._socket.resetAndDestroy();
    else link.socket.terminate();
  }
  const { hostname, port } = new URL(url);
  for (const bytes of ['', 'G', 'GET / HTTP/1.1\r\nHost: x\r\n', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01 noise']) {
    const raw = net.connect(Number(port), hostname);
    const over = new Promise((resolve) => { raw.on('close', resolve); });
    raw.on('error', () => {}); // a reset is an answer as well
    raw.end(bytes, 'latin1');
    raw.resume();
    await over;
  }
  const link = await open();
  link.socket.send('still serving');
  await expect(link, 'text', 'still serving');
  await leave(link, 1000, '');
}

async function together() {
  const links = await Promise.all(Array.from({ length: 30 }, () => open()));
  await Promise.all(links.map(async (link, who) => {
    for (let n = 0; n < 20; n++) {
      const data = binary(100 + 50 * n, who);
      link.socket.send(data);
      await expect(link, 'binary', data);
    }
  }));
  await Promise.all(links.map((link) => leave(link, 1000, '')));
}

await check('every size, text and binary', sizes);
await check('300 messages at once', burst);
await check('fragmented messages', fragments);
await check('a ping inside a fragmented message', fragmentsWithPings);
await check('pings, also an empty one', pings);
await check('empty messages', emptyMessages);
await check('close codes', closes);
await check('an offer of permessage-deflate', deflate);
await check('peers that vanish, and noise', rudePeers);
await check('30 connections at once', together);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
