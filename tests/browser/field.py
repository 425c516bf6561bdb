"""field_server, the drop-in's server of generation 2, with a browser as its client."""

import os
import re

from chat import same
from echo import SIZES, Echo
from webdriver import Failure, Program

# What a page hears until the second news; its own words come back in between.
LISTEN = """
const [url, done] = arguments;
const socket = new WebSocket(url, ['field.v1', 'field.v2']);
const heard = [];
let news = 0;
socket.onopen = () => socket.send('早上好');
socket.onmessage = ({ data }) => {
  heard.push(data);
  if (data.startsWith('news ')) news += 1;
  if (news === 2) socket.close(4001, 'enough');
};
socket.onclose = ({ code, wasClean }) => done([socket.protocol, code, wasClean, heard]);
"""


class Field(Echo):
    """The cases."""

    def run(self):
        self.browser.go(self.elsewhere)
        self.serves("listens", ["--push", "200"], [("greeting, echo, news, the first subprotocol", self.hears)])
        sizes = [(f"echoes of {size} bytes", lambda size=size: self.echoes(1, 2, [size])) for size in SIZES]
        self.serves("echo", ["--echo", "--strict"], [
            *sizes,
            ("20 sockets, 3 × every size up to 65535", lambda: self.echoes(20, 3, [1, 3000, *SIZES[:4]])),
            ("close codes", self.closes),
        ])

    def serves(self, name, options, cases):
        server = Program(os.path.join(self.folder, f"field_server.{name}.log"), self.program, *options)
        self.url = f"ws://127.0.0.1:{server.port}/"
        try:
            for what, case in cases:
                self.check(what, case)
            self.check(f"{name}: SIGTERM ends it, 0", lambda: same(server.end(), 0, "exit status"))
        finally:
            server.kill()

    def hears(self):
        protocol, code, clean, heard = self.browser.run_async(LISTEN, self.url)
        same([protocol, code, clean], ["field.v1", 4001, True], "subprotocol and end")
        if not re.fullmatch(r"welcome, client 0, it is \d\d:\d\d:\d\d", heard[0]):
            raise Failure(f"the greeting: {heard}")
        if "早上好" not in heard:
            raise Failure(f"no echo: {heard}")
        first, second = (re.fullmatch(r"news (\d+) of [\d:]+ for 1 clients", line) for line in heard if line[:4] == "news")
        same(int(second[1]), int(first[1]) + 1, "the second news")
