// A third party's server for the old clients: `ws` of npm.
//
//   node ws_echo_server.mjs [--deflate] [--sink]
//
// It listens on a free port of 127.0.0.1, prints "listening on 127.0.0.1:PORT",
// and does what the path says:
//
//   /            echo; with --sink no echo, but a line of the log for each
//                message: "text|binary LENGTH SHA256"
//   /ping        echo; a ping before each echo, and "bad pong" instead of the
//                next echo if a pong was missing or brought other bytes
//   /burst       100 messages and a close (1000), all written at once
//   /close/N     one message, then a close with code N
//   /fragments   messages in pieces with pings between them
//   /large       pushes a message of 1 MiB and closes
//   /cut         ends the connection inside a frame
//   /reset       resets the connection after a message
//   /deny        answers the handshake with 403
//
// SPDX-License-Identifier: MIT OR Apache-2.0
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const deflate = process.argv.includes('--deflate');
const sink = process.argv.includes('--sink');
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: deflate ? { threshold: 0 } : false });
const web = createServer();

function echo(socket) {
  socket.on('message', (data, binary) => {
    if (!sink) return socket.send(data, { binary });
    const hash = createHash('sha256').update(data).digest('hex');
    console.log(`${binary ? 'binary' : 'text'} ${data.length} ${hash}`);
  });
}

function echoWithPings(socket) {
  let sent = 0;
  let ponged = 0;
  let wrong = false;
  const payload = (n) => (n % 2 ? `ping ${n}` : '');
  socket.on('pong', (data) => {
    wrong ||= data.toString() !== payload(ponged);
    ponged++;
  });
  socket.on('message', (data, binary) => {
    // The client answers in order: all pongs of earlier pings are here.
    if (wrong || ponged !== sent) return socket.send(`bad pong: ${ponged} of ${sent}`);
    socket.ping(payload(sent++));
    socket.send(data, { binary });
  });
}

function burst(socket, raw) {
  raw.cork();
  for (let n = 0; n < 100; n++) socket.send(`burst ${n}`);
  socket.close(1000, 'that is all');
  raw.uncork();
}

function fragments(socket) {
  socket.send('one ', { fin: false });
  socket.ping('between');
  socket.send('two ', { fin: false });
  socket.send('three', { fin: true });
  socket.ping();
  socket.send(Buffer.from('a binary '), { fin: false, binary: true });
  socket.send(Buffer.from('message'), { fin: true, binary: true });
  socket.close(1000);
}

function large(socket) {
  socket.send(Buffer.alloc(1 << 20, 'L'));
  socket.close(1000);
}

function cut(socket, raw) {
  socket.send('whole');
  raw.end(Buffer.concat([Buffer.from([0x81, 100]), Buffer.from('only a part')]));
}

function reset(socket, raw) {
  socket.send('whole', () => setTimeout(() => raw.resetAndDestroy(), 200));
}

const behaviours = { '/': echo, '/ping': echoWithPings, '/burst': burst, '/fragments': fragments, '/large': large, '/cut': cut, '/reset': reset };

web.on('upgrade', (request, raw, head) => {
  raw.on('error', () => {});
  if (request.url === '/deny') {
    raw.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\nConnection: close\r\n\r\nnot you');
    return;
  }
  // Old clients never offer it: that it is not negotiated is checked here.
  if (request.headers['sec-websocket-extensions'] !== undefined) console.log('a client offered an extension');
  sockets.handleUpgrade(request, raw, head, (socket) => {
    socket.on('error', (error) => console.log(`${request.url}: ${error.message}`));
    socket.on('close', (code, reason) => console.log(`${request.url}: closed ${code} ${reason}`));
    const code = /^\/close\/(\d+)$/.exec(request.url);
    if (code) {
      socket.send('bye');
      socket.close(Number(code[1]), 'enough');
    } else {
      (behaviours[request.url] ?? echo)(socket, raw);
    }
  });
});
web.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${web.address().port}`));
