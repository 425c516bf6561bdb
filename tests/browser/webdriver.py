"""Headless Chromium through chromedriver, by the W3C WebDriver protocol and the
standard library alone; the programs under test; waiting."""

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import time

PATIENCE_S = 90  # for what should take no time, on a machine that is very busy
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver 11: the key of a reference


class Failure(Exception):
    """What a case found wrong."""


def until(what, look, patience=PATIENCE_S):
    """Waits until `look` returns something true, and returns that."""
    end = time.monotonic() + patience
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise Failure(f"waited {patience} s for {what}")
        time.sleep(0.03)


class Program:
    """A program of the project: stdin is a pipe, what it says goes to a file."""

    def __init__(self, log, *command):
        self.name = os.path.basename(command[0])
        self.log = log
        self.seen = 0
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                command, bufsize=0, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
        try:
            found = until(f"{self.name} to listen", self._listening)
        except Failure:
            self.kill()
            raise
        self.port = int(found.group(1))

    def _listening(self):
        found = re.search(r"^listening on .*:(\d+)/$", self.said(), re.MULTILINE)
        if not found and self.process.poll() is not None:
            raise Failure(f"{self.name} ended at once: {self.said()}")
        return found

    def said(self):
        with open(self.log, encoding="utf-8", newline="\n") as text:
            return text.read()

    def says(self, line):
        """Waits for a whole line behind those that were waited for before."""

        def look():
            at = ("\n" + self.said()).find(f"\n{line}\n", self.seen)
            if at < 0:
                return False
            self.seen = at + len(line) + 1
            return True

        until(f"{self.name} to say: {line[:200]}", look)

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.ended()

    def ended(self):
        """Its exit status."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} does not end") from None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class Browser:
    """A session of one Chromium."""

    def __init__(self, chromedriver, chromium, folder):
        self.session = None
        self.pid = None
        self.output = os.path.join(folder, "chromedriver.log")
        with open(self.output, "wb") as out:
            self.driver = subprocess.Popen([chromedriver, "--port=0"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            self.port = until("chromedriver to listen", self._listening)
            self._open(chromium, folder)
        except Exception:
            self.quit()
            raise

    def _listening(self):
        with open(self.output, encoding="utf-8", errors="replace") as text:
            said = text.read()
        if self.driver.poll() is not None:
            raise Failure(f"chromedriver ended at once: {said}")
        found = re.search(r"started successfully on port (\d+)", said)
        return found and int(found.group(1))

    def _open(self, chromium, folder):
        arguments = [
            "--headless=new",
            "--window-size=900,700",
            "--disable-gpu",
            "--disable-dev-shm-usage",  # small in containers
            "--no-proxy-server",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            # A tab that is not in front is under test as well.
            "--disable-background-timer-throttling",
            "--disable-renderer-backgrounding",
            "--disable-backgrounding-occluded-windows",
            f"--user-data-dir={os.path.join(folder, 'profile')}",
        ]
        if os.getuid() == 0:
            arguments.append("--no-sandbox")  # root cannot have one
        options = {"binary": chromium, "args": arguments}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        timeouts = {"script": PATIENCE_S * 1000, "pageLoad": PATIENCE_S * 1000}
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {**wanted, "timeouts": timeouts}}})
        self.session = answer["sessionId"]
        self.version = answer["capabilities"]["browserVersion"]
        self.pid = answer["capabilities"].get("goog:processID")

    def _call(self, method, path, body=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * PATIENCE_S)
        try:
            data = json.dumps(body).encode() if body is not None else None
            link.request(method, path, data, {"Content-Type": "application/json"})
            answer = link.getresponse()
            value = json.loads(answer.read())["value"]
        finally:
            link.close()
        if answer.status != 200:
            raise Failure(f"{method} {path}: {value.get('error')}: {value.get('message', '').splitlines()[0]}")
        return value

    def _post(self, command, **body):
        return self._call("POST", f"/session/{self.session}/{command}", body)

    def tabs(self):
        return self._call("GET", f"/session/{self.session}/window/handles")

    def new_tab(self):
        handle = self._post("window/new", type="tab")["handle"]
        self.switch(handle)
        return handle

    def switch(self, handle):
        self._post("window", handle=handle)

    def go(self, url):
        self._post("url", url=url)

    def run(self, script, *arguments):
        return self._post("execute/sync", script=script, args=list(arguments))

    def run_async(self, script, *arguments):
        """The script calls its last argument with the result."""
        return self._post("execute/async", script=script, args=list(arguments))

    def _element(self, selector):
        return self._post("element", using="css selector", value=selector)[ELEMENT]

    def click(self, selector):
        self._post(f"element/{self._element(selector)}/click")

    def keys(self, selector, text):
        self._post(f"element/{self._element(selector)}/value", text=text)

    def console(self):
        """What the console got since it was last asked."""
        return [line["message"] for line in self._post("se/log", type="browser") if line["level"] == "SEVERE"]

    def devtools(self, command, **parameters):
        return self._post("goog/cdp/execute", cmd=command, params=parameters)

    def screenshot(self, path):
        image = self._call("GET", f"/session/{self.session}/screenshot")
        with open(path, "wb") as out:
            out.write(base64.b64decode(image))

    def quit(self):
        try:
            if self.session:
                self._call("DELETE", f"/session/{self.session}")
        except (Failure, OSError, ValueError):
            pass  # it is ended below
        if self.pid and self.driver.poll() is None:
            try:
                until("Chromium to end", lambda: not os.path.exists(f"/proc/{self.pid}"), 20)
            except Failure:
                os.kill(self.pid, signal.SIGKILL)
        self.driver.terminate()
        self.driver.wait()
