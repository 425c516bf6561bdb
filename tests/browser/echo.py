"""echo_server with a browser as its client."""

import os

from chat import KNOCK, same
from webdriver import Failure, Program

# Sends each message of a size as binary and as text and compares what comes back, byte
# by byte; says what differs. Several sockets do so at the same time.
ECHO = """
const [url, sockets, rounds, sizes, done] = arguments;
const fill = (size, seed) => Uint8Array.from({ length: size }, (_, n) => (n * 31 + (n >> 8) + seed) & 255);
const words = (size, seed) => { // of one to four bytes in UTF-8
  const parts = ['a', '\\u00e9', '\\u6c49', '\\u{1f680}'];
  let text = '';
  for (let left = size, n = seed; left > 0; n += 1) {
    const length = Math.min(left, n % 4 + 1);
    text += parts[length - 1];
    left -= length;
  }
  return text;
};
const bytes = (data) => new TextEncoder().encode(data);
const differs = (left, right) => {
  if (left.length !== right.length) return `${left.length} bytes, not ${right.length}`;
  for (let n = 0; n < left.length; n += 1) if (left[n] !== right[n]) return `byte ${n} differs`;
  return '';
};
const converse = (seed) => new Promise((over) => {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const waiting = [];
  let wrong = '';
  let left = rounds * sizes.length * 2;
  const finish = (what) => { wrong = wrong || what; socket.close(1000, 'done'); };
  socket.onopen = () => {
    for (let round = 0; round < rounds; round += 1) {
      for (const size of sizes) {
        const data = fill(size, seed + round);
        const text = words(size, seed + round);
        waiting.push(data, text);
        socket.send(data);
        socket.send(text);
      }
    }
  };
  socket.onmessage = ({ data }) => {
    const wanted = waiting.shift();
    if (wanted === undefined) return finish('more than was sent');
    if (typeof data !== (typeof wanted === 'string' ? 'string' : 'object')) return finish('the wrong kind');
    const found = typeof data === 'string' ? differs(bytes(data), bytes(wanted)) : differs(new Uint8Array(data), wanted);
    if (found) return finish(found);
    left -= 1;
    if (left === 0) finish('');
  };
  socket.onclose = ({ code, reason, wasClean }) => {
    if (!wrong && left > 0) wrong = `${left} messages missing`;
    if (!wrong && (code !== 1000 || !wasClean)) wrong = `code ${code} ${reason}`;
    over(wrong);
  };
});
Promise.all(Array.from({ length: sockets }, (_, n) => converse(n * 7))).then(done);
"""

SIZES = [0, 125, 126, 65535, 65536, 1 << 20]


class Echo:
    """The cases."""

    def __init__(self, check, browser, program, folder, elsewhere):
        self.check = check
        self.browser = browser
        self.program = program
        self.folder = folder
        self.elsewhere = elsewhere

    def run(self):
        origin = self.elsewhere.rstrip("/")
        for threads in (1, 2):
            log = os.path.join(self.folder, f"echo_server.{threads}.log")
            server = Program(log, self.program, "--threads", str(threads), "--origin", origin)
            self.url = f"ws://127.0.0.1:{server.port}/"
            self.browser.go(self.elsewhere)
            try:
                for size in SIZES:
                    self.check(f"{threads} thread: echoes of {size} bytes", lambda size=size: self.echoes(1, 2, [size]))
                self.check(f"{threads} thread: 20 sockets, 3 × every size up to 65535",
                           lambda: self.echoes(20, 3, [1, 3000, *SIZES[:4]]))
                self.check(f"{threads} thread: close codes", self.closes)
                self.check(f"{threads} thread: SIGTERM ends it, 0", lambda: same(server.end(), 0, "exit status"))
            finally:
                server.kill()
        self.check("an origin that is not listed: 1006", self.unlisted)

    def echoes(self, sockets, rounds, sizes):
        said = self.browser.run_async(ECHO, self.url, sockets, rounds, sizes)
        wrong = [what for what in said if what]
        if wrong:
            raise Failure(f"{len(wrong)} of {sockets} sockets: {wrong[0]}")

    def closes(self):
        for code in (1000, 3000, 4999):
            seen = self.browser.run_async(KNOCK, self.url, None, code)
            same(seen, [True, code, "", True], "the end")

    def unlisted(self):
        server = Program(os.path.join(self.folder, "echo_server.log"), self.program, "--origin", "http://192.0.2.1")
        try:
            seen = self.browser.run_async(KNOCK, f"ws://127.0.0.1:{server.port}/", None, None)
            same(seen[:2], [False, 1006], "opened, close code")
        finally:
            server.kill()
