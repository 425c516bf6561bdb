"""chat_server's page in a browser."""

import http.client
import os
import signal

from webdriver import Failure, Program, until

# The last lines of the log: kind, who, what. Compared there: some are long.
LINES = "const lines = [...document.querySelectorAll('#lines > div')].slice(-8).map((line) => [line.className," \
    " line.querySelector('b')?.textContent ?? '', line.querySelector('span').textContent]);"
SHOWS = LINES + "return lines.some((line) => line.every((part, n) => part === arguments[n]));"
WELCOME = LINES + "const said = lines.map((line) => /^welcome, you are (.*)$/.exec(line[2])).filter(Boolean);" \
    "return said.length ? said[said.length - 1][1] : '';"


class Page:
    """A tab with the page."""

    def __init__(self, browser, tab, url):
        self.browser = browser
        self.tab = tab
        self.front()
        browser.go(url)

    def front(self):
        self.browser.switch(self.tab)

    def run(self, script, *arguments):
        self.front()
        return self.browser.run(script, *arguments)

    def state(self):
        return self.run("return document.body.dataset.state;")

    def is_in(self, state):
        until(f"the page to be {state}", lambda: self.state() == state)

    def end(self):
        return self.run("return document.getElementById('end').textContent;")

    def shows(self, kind, who, what):
        until(f"a line of {who or 'nobody'}: {what[:60]}", lambda: self.run(SHOWS, kind, who, what))

    def say(self, text):
        """Types what chromedriver can type (the Basic Multilingual Plane), with Enter."""
        self.front()
        self.browser.keys("#text", text + "\ue007")

    def put(self, text):
        """Text of any kind and length, and the button."""
        self.run("document.getElementById('text').value = arguments[0];", text)
        self.browser.click("#send")

    def click(self, selector):
        self.front()
        self.browser.click(selector)


def same(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: {str(got)[:300]!r}, not {str(wanted)[:300]!r}")


# What a page sees of a WebSocket that its script opens: open or not, and the end.
KNOCK = """
const [url, message, code, done] = arguments;
const socket = new WebSocket(url);
let opened = false;
socket.onopen = () => {
  opened = true;
  if (message) socket.send(new Uint8Array(message));
  if (code) socket.close(code, 'by a script');
};
socket.onclose = (event) => done([opened, event.code, event.reason, event.wasClean]);
"""


class Chat:
    """The cases, in their order: they share the server and two tabs."""

    def __init__(self, check, browser, program, folder, elsewhere):
        self.check = check
        self.browser = browser
        self.program = program
        self.folder = folder
        self.elsewhere = elsewhere
        self.starts = 0
        self.start(0)
        self.url = f"http://127.0.0.1:{self.server.port}/"

    def start(self, port):
        self.starts += 1
        log = os.path.join(self.folder, f"chat_server.{self.starts}.log")
        self.server = Program(log, self.program, "--port", str(port))

    def run(self):
        try:
            if not self.check("the page loads and connects", self.opens):
                return
            for name, case in [
                ("a second tab connects", self.second),
                ("what is said arrives everywhere", self.talks),
                ("a line on stdin arrives everywhere", self.typed),
                ("screenshots, wide and narrow", self.pictures),
                ("HTML that is said is text", self.escapes),
                ("200 KB arrive everywhere", self.long),
                ("nothing was blocked, no script failed", self.silent),
                ("closed from the page: 1000", self.closes),
                ("closed by a script: 4321", self.closes_otherwise),
                ("closed by the server: 1008, and its reason", self.kicked),
                ("a message over the limit: 1009", self.too_long),
                ("a binary message: 1003", self.binary),
                ("a path that is not there: 404", self.lost),
                ("a page of another origin is refused: 403, 1006", self.foreign),
                ("a page without an origin is refused: 403, 1006", self.nowhere),
                ("by the name localhost; left for another page: 1001", self.named),
                ("the server is killed and comes back: 1006, open again", self.killed),
                ("the server stops: 1001, open again when it is back", self.stopped),
                ("no further try after the close button", self.gives_up),
            ]:
                self.check(name, case)
        finally:
            self.server.kill()

    def opens(self):
        self.one = Page(self.browser, self.browser.tabs()[0], self.url)
        same(self.one.run("return document.title;"), "wsembed chat", "title")
        self.one.is_in("open")
        self.one.shows("note", "", "welcome, you are guest 1")
        if "guest 1 joins from 127.0.0.1 port " not in self.server.said():
            raise Failure("the server does not tell of it")

    def second(self):
        self.two = Page(self.browser, self.browser.new_tab(), self.url)
        self.two.shows("note", "", "welcome, you are guest 2")
        self.one.shows("note", "", "guest 2 is here")

    def talks(self):
        one, two = self.one, self.two
        for page, other, guest, say, text in [
            (one, two, 1, one.say, "Hello, is anybody there?"),
            (two, one, 2, two.put, "大家好 👋"),
            (one, two, 1, one.say, "你好，世界！"),
            (one, two, 1, one.put, "🚀 ¿qué tal?  👩🏽‍🔬"),
        ]:
            say(text)
            self.server.says(f'guest {guest}: "{text}"')
            page.shows("own line", "", text)
            other.shows("line", f"guest {guest}", text)

    def escapes(self):
        text = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>&lt;"
        self.one.put(text)
        self.two.shows("line", "guest 1", text)
        self.one.shows("own line", "", text)
        for page in (self.one, self.two):
            same(page.run("return document.querySelectorAll('#log img, #log script').length;"), 0, "elements")
            same(page.run("return document.title;"), "wsembed chat", "title")

    def typed(self):
        for text in ["Good evening from the terminal.", "终端 🎉", "The kettle is at 96 °C.\tTea in 2 minutes."]:
            self.server.type(text)
            self.one.shows("server line", "server", text)
            self.two.shows("server line", "server", text)

    def long(self):
        text = "".join(f"{n} {'chat ' * 200}汉字 " for n in range(210))
        if len(text.encode()) < 200000:
            raise Failure("too short to be of use")
        self.one.put(text)
        self.server.says(f'guest 1: "{text}"')
        self.one.shows("own line", "", text)
        self.two.shows("line", "guest 1", text)
        drop = "document.getElementById('lines').lastElementChild.remove();"
        self.one.run(drop)
        self.two.run(drop)

    def pictures(self):
        self.one.front()
        self.browser.screenshot(os.path.join(self.folder, "chat.png"))
        metrics = {"width": 360, "height": 640, "deviceScaleFactor": 2, "mobile": True}
        self.browser.devtools("Emulation.setDeviceMetricsOverride", **metrics)
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        self.browser.devtools("Emulation.setEmulatedMedia", features=dark)
        try:
            until("a narrow page", lambda: self.one.run("return innerWidth;") == 360)
            self.browser.screenshot(os.path.join(self.folder, "chat-phone.png"))
            outside = self.one.run(
                "return [...document.querySelectorAll('button, input, #log, #status')].filter((part) => {"
                " const at = part.getBoundingClientRect();"
                " return at.left < 8 || at.top < 8 || at.right > innerWidth - 8 || at.bottom > innerHeight - 8; })"
                ".map((part) => part.id);")
            same(outside, [], "parts at or beyond the edge of a telephone")
            same(self.one.run("return document.documentElement.scrollWidth;"), 360, "width")
        finally:
            self.browser.devtools("Emulation.clearDeviceMetricsOverride")
            self.browser.devtools("Emulation.setEmulatedMedia", features=[])
        for name in ("chat.png", "chat-phone.png"):
            with open(os.path.join(self.folder, name), "rb") as image:
                same(image.read(8), b"\x89PNG\r\n\x1a\n", name)

    def silent(self):
        for page in (self.one, self.two):
            page.front()
            same(self.browser.console(), [], "the console")

    def reconnect(self, page, name):
        """With the button, as a new guest."""
        page.click("#connect")
        page.is_in("open")
        until(f"the welcome of {name}", lambda: page.run(WELCOME) == name)

    def closes(self):
        self.two.click("#close")
        self.server.says('guest 2 leaves: 1000 "closed by hand"')
        self.two.is_in("closed")
        same(self.two.end(), "code 1000", "the end shown")  # an answer needs no reason (RFC 6455 5.5.1)
        self.one.shows("note", "", "guest 2 has left")
        self.reconnect(self.two, "guest 3")

    def socket_url(self):
        return f"ws://127.0.0.1:{self.server.port}/chat"

    def knock(self, url, message=None, code=None):
        return self.browser.run_async(KNOCK, url, message, code)

    def closes_otherwise(self):
        self.one.front()
        same(self.knock(self.socket_url(), None, 4321), [True, 4321, "", True], "the script's close")
        self.server.says('guest 4 leaves: 4321 "by a script"')

    def kicked(self):
        self.server.type("/kick 3 安静 please 🤫")
        self.two.is_in("closed")
        same(self.two.end(), "code 1008: 安静 please 🤫", "the end shown")
        self.server.says('guest 3 leaves: 1008 "安静 please 🤫"')
        self.reconnect(self.two, "guest 5")

    def too_long(self):
        self.two.put("x" * (256 * 1024 + 1))
        self.two.is_in("closed")
        same(self.two.end().split(":")[0], "code 1009", "the end shown")
        self.reconnect(self.two, "guest 6")

    def binary(self):
        self.one.front()
        same(self.knock(self.socket_url(), [1, 2, 3]), [True, 1003, "this chat takes text only", True], "the end")

    def refused_here(self, url, status):
        """A WebSocket that the page in front asks for in vain."""
        self.browser.console()
        before = self.server.said().count(" joins from ")
        same(self.knock(url)[:2], [False, 1006], "opened, close code")
        console = until("the browser's complaint", self.browser.console)
        if not any(f"Unexpected response code: {status}" in line for line in console):
            raise Failure(f"the browser does not speak of {status}: {console}")
        same(self.server.said().count(" joins from "), before, "guests")

    def lost(self):
        self.one.front()
        self.refused_here(self.socket_url() + "room", 404)
        self.browser.console()

    def foreign(self):
        self.browser.new_tab()
        self.browser.go(self.elsewhere)
        self.refused_here(self.socket_url(), 403)
        link = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        link.request("GET", "/chat", headers={
            "Upgrade": "websocket", "Connection": "Upgrade", "Origin": self.elsewhere.rstrip("/"),
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
        same(link.getresponse().status, 403, "the status")
        link.close()

    def nowhere(self):
        self.browser.go(self.elsewhere + "sandboxed")
        same(self.browser.run("return origin;"), "null", "the origin")
        self.refused_here(self.socket_url(), 403)

    def named(self):
        page = Page(self.browser, self.browser.new_tab(), f"http://localhost:{self.server.port}/")
        page.is_in("open")
        name = until("the welcome", lambda: page.run(WELCOME))
        self.browser.go("about:blank")
        self.server.says(f'{name} leaves: 1001 ""')

    def again(self):
        """The server is back on its port, and so are both pages, by themselves."""
        self.start(self.server.port)
        for page in (self.one, self.two):
            page.is_in("open")
            same(page.end(), "", "the end shown")
        self.server.type("I am back.")
        for page in (self.one, self.two):
            page.shows("server line", "server", "I am back.")

    def killed(self):
        self.server.kill()
        for page in (self.one, self.two):
            page.is_in("waiting")
            same(page.end(), "code 1006", "the end shown")
        self.again()

    def stopped(self):
        same(self.server.end(signal.SIGTERM), 0, "exit status")
        for page in (self.one, self.two):
            until("code 1001", lambda page=page: page.end() == "code 1001: the server is stopping")
            page.shows("note", "", "closed with code 1001: the server is stopping")
        # A try that fails does not hide how it ended.
        until("a second try", lambda: self.one.run("return /try (\\d\\d|[2-9])/.test(document.body.textContent);"))
        same(self.one.end(), "code 1001: the server is stopping", "the end shown after a try")
        self.again()

    def gives_up(self):
        self.server.type("/quit")
        same(self.server.ended(), 0, "exit status")
        for page in (self.one, self.two):
            until("an end", page.end)
            # Between two tries, or during one.
            page.click("#close")
            page.is_in("closed")
        self.start(self.server.port)
        tried = self.one.run("return performance.now();")
        until("twice the first pause", lambda: self.one.run("return performance.now();") > tried + 1500)
        same(self.one.state(), "closed", "the state")
        if "joins" in self.server.said():
            raise Failure("a page came back though it was told not to")
        self.reconnect(self.one, "guest 1")
