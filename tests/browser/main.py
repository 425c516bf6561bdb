"""The example servers and a real browser; scripts/check-browser runs this.

    main.py EXAMPLES CHROMEDRIVER CHROMIUM FOLDER

Logs and screenshots go to FOLDER. The last line is "N passed, N failed".
"""

import http.server
import os
import shutil
import sys
import tempfile
import threading

from chat import Chat
from echo import Echo
from field import Field
from webdriver import Browser, Failure


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Another site: empty pages. /sandboxed has no origin of its own ("null")."""

    def do_GET(self):  # noqa: N802 (the base class asks for this name)
        page = b"<!doctype html><title>elsewhere</title><link rel=icon href=data:,>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path == "/sandboxed":
            self.send_header("Content-Security-Policy", "sandbox allow-scripts")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        """Says nothing."""


class Checks:
    """Prints the cases and counts them."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def of(self, program):
        """Checks whose names begin with the program's."""
        return lambda name, case: self(f"{program}: {name}", case)

    def __call__(self, name, case):
        """Whether it passed."""
        try:
            case()
        except Exception as wrong:  # whatever it is, it is told and counted
            kind = "" if isinstance(wrong, Failure) else f"{type(wrong).__name__}: "
            print(f"FAIL  {name}: {kind}{wrong}", flush=True)
            self.failed += 1
            return False
        print(f"ok    {name}", flush=True)
        self.passed += 1
        return True


def main():
    examples, chromedriver, chromium, folder = sys.argv[1:]
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    elsewhere = f"http://127.0.0.1:{site.server_address[1]}/"
    check = Checks()

    def with_browser():
        profile = tempfile.mkdtemp()
        try:
            browser = Browser(chromedriver, chromium, profile)
            try:
                print(f"Chromium {browser.version}", flush=True)
                for group, program in ((Chat, "chat_server"), (Echo, "echo_server"), (Field, "field_server")):
                    group(check.of(program), browser, os.path.join(examples, program), folder, elsewhere).run()
            finally:
                browser.quit()
        finally:
            shutil.rmtree(profile, ignore_errors=True)

    check("the browser starts, and ends", with_browser)
    site.shutdown()
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
