// The page of chat_server: one WebSocket, opened anew when the server went away.
//
// SPDX-License-Identifier: MIT OR Apache-2.0
'use strict';

// The codes of a connection that is worth another try (RFC 6455 7.4.1): the server
// stops (1001) or was lost (1006), had an error, restarts, is busy. All others say that
// somebody meant it.
const PASSING = [1001, 1005, 1006, 1011, 1012, 1013, 1014];
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15000;
const LINES = 500; // what the log keeps

const at = (id) => document.getElementById(id);
const lines = at('lines');
let socket = null; // the connection that counts
let tries = 0; // since one was open
let timer = 0;

function show(state, text) {
  document.body.dataset.state = state;
  at('state').textContent = text;
  at('connect').disabled = state === 'open' || state === 'connecting' || state === 'closing';
  at('close').disabled = state === 'closed' || state === 'closing';
  at('text').disabled = at('send').disabled = state !== 'open';
}

// How the last connection that was open ended.
function showEnd(code, reason) {
  at('end').textContent = code ? `code ${code}${reason ? `: ${reason}` : ''}` : '';
}

// A line of the log. Only ever as text: no guest's words are HTML.
function add(who, what) {
  const line = document.createElement('div');
  line.className = who === '' ? 'note' : who === 'you' ? 'own line' : who === 'server' ? 'server line' : 'line';
  if (who !== '' && who !== 'you') {
    const name = document.createElement('b');
    name.textContent = who;
    line.append(name);
  }
  const text = document.createElement('span');
  text.textContent = what;
  line.append(text);
  lines.append(line);
  while (lines.childElementCount > LINES) lines.firstElementChild.remove();
}

// The next try comes after twice the time, so that a server that comes back is not
// met by a crowd; the random part keeps pages from coming together.
function retryLater() {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2);
  tries += 1;
  show('waiting', `connection lost, try ${tries} in ${(pause / 1000).toFixed(1)} s`);
  timer = setTimeout(connect, pause);
}

function connect() {
  clearTimeout(timer);
  show('connecting', 'connecting');
  const url = new URL('chat', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const mine = socket = new WebSocket(url);
  let opened = false;
  mine.onopen = () => {
    if (mine !== socket) return;
    opened = true;
    tries = 0;
    showEnd(0, '');
    show('open', 'connected');
    at('text').focus({ preventScroll: true });
  };
  mine.onmessage = ({ data }) => {
    if (mine !== socket || typeof data !== 'string') return;
    const cut = data.indexOf('\n'); // who, a line break, what
    add(data.slice(0, cut), data.slice(cut + 1));
  };
  mine.onclose = ({ code, reason }) => {
    if (mine !== socket) return;
    socket = null;
    if (opened) {
      showEnd(code, reason);
      add('', `closed with code ${code}${reason ? `: ${reason}` : ''}`);
    } else if (tries === 0) {
      showEnd(code, reason);
    }
    if (PASSING.includes(code)) retryLater();
    else show('closed', 'closed');
  };
}

at('connect').onclick = () => {
  tries = 0;
  connect();
};

at('close').onclick = () => {
  clearTimeout(timer);
  if (socket !== null && socket.readyState === WebSocket.OPEN) {
    show('closing', 'closing');
    socket.close(1000, 'closed by hand'); // its answer comes as the event "close"
  } else {
    const unborn = socket;
    socket = null;
    if (unborn !== null) unborn.close();
    show('closed', 'closed');
  }
};

at('say').onsubmit = (event) => {
  event.preventDefault();
  const text = at('text').value;
  if (text === '' || socket === null || socket.readyState !== WebSocket.OPEN) return;
  socket.send(text); // the log shows it when the server sends it back
  at('text').value = '';
  at('text').focus({ preventScroll: true });
};

// There is a network again, or somebody looks again: no need to wait longer.
function hurry() {
  if (document.body.dataset.state === 'waiting' && !document.hidden) connect();
}
addEventListener('online', hurry);
document.addEventListener('visibilitychange', hurry);

connect();
