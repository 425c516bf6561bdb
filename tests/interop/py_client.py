"""A third party's client for our servers: `websockets` of PyPI.

    py_client.py URL [--unix PATH] [--limit BYTES] [--pid PID] [--field]

--unix: connects to that socket. --limit: the server's largest message. --pid: the
server's process, which is told to end as the last case. --field: the server is the
drop-in's, which lets text pass that is no UTF-8 and takes the first subprotocol.
Each check prints a line; the last line is "N passed, N failed".

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import argparse
import asyncio
import os
import signal

import websockets
from websockets.asyncio.client import connect, unix_connect

PATIENCE = 60
LARGEST = 1 << 20
SIZES = [0, 1, 2, 125, 126, 127, 128, 4096, 65535, 65536, 65537, 300000, LARGEST]


def same(got, expected, what):
    if got != expected:
        raise AssertionError(f"{what}: {str(got)[:60]!r}, not {str(expected)[:60]!r}")


def text(size, seed):
    """Characters of one byte and of three, `size` bytes in all."""
    out = "".join("abc" if (at + seed) % 7 else "\u20ac" for at in range(0, size - 2, 3))
    return out + "." * (size - len(out.encode()))


def binary(size, seed):
    row = bytes((at * 13 + seed) & 255 for at in range(256))
    return (row * (size // 256 + 1))[:size]


class Client:
    def __init__(self, options):
        self.options = options

    def connect(self, **more):
        more = {"max_size": None, "compression": None, "ping_interval": None, **more}
        if self.options.unix:
            return unix_connect(self.options.unix, self.options.url, **more)
        return connect(self.options.url, **more)

    async def sizes(self):
        async with self.connect() as link:
            for size in SIZES:
                for data in (text(size, size), binary(size, size)):
                    await link.send(data)
                    same(await link.recv(), data, f"{size} bytes")
            await link.close()
        same(link.close_code, 1000, "close code")

    async def burst(self):
        async with self.connect() as link:
            messages = [f"{at} " * (1 + at % 40) for at in range(500)]
            sending = asyncio.create_task(self.send_all(link, messages))
            for message in messages:
                same(await link.recv(), message, "a message of the burst")
            await sending

    @staticmethod
    async def send_all(link, messages):
        for message in messages:
            await link.send(message)

    async def fragments(self):
        async with self.connect() as link:
            for pieces in (2, 3, 200):
                for piece in ("\u20acuro ", b"\x00\xff piece "):
                    await link.send([piece] * pieces)
                    same(await link.recv(), piece * pieces, f"{pieces} fragments")

    async def pings(self):
        async with self.connect() as link:
            for payload in (b"", b"x", b"p" * 125):
                await (await link.ping(payload))
            await link.pong(b"nobody asked")

            async def pieces():
                yield "begin "
                await (await link.ping(b"inside"))
                yield "end"

            await link.send(pieces())
            same(await link.recv(), "begin end", "a message with a ping inside")

    async def closes(self):
        for code, reason in ((1000, ""), (1001, "going"), (3000, "r" * 123), (4999, "\u20ac")):
            async with self.connect() as link:
                await link.close(code, reason)
            same(link.protocol.close_rcvd.code, code, "the code that came back")
            same(link.protocol.close_rcvd_then_sent, False, "who began")

    async def fails(self, code, break_it):
        seen = "nothing"
        try:
            async with self.connect() as link:
                await break_it(link)
                try:
                    seen = f"an answer: {str(await link.recv())[:40]!r}"
                except websockets.ConnectionClosed as end:
                    seen = end.rcvd and end.rcvd.code
        # Its own transport may be gone while it still writes, or says goodbye.
        except AttributeError:
            pass
        same(seen, code, "the server's code")

    async def invalid_text(self):
        await self.fails(1007, lambda link: link.send(b"good \xff\xfe bad", text=True))
        await self.fails(1007, lambda link: link.send([b"\xe2\x82", b"\x00"], text=True))

    async def any_text(self):
        async with self.connect() as link:
            await link.send(b"good \xff\xfe bad", text=True)
            same(await link.recv(decode=False), b"good \xff\xfe bad", "what is no UTF-8")

    async def too_large(self):
        limit = self.options.limit
        async with self.connect() as link:
            await link.send(bytes(limit))
            same(len(await link.recv()), limit, "the largest message")

        async def more(link):
            try:
                await link.send(bytes(limit + 1))
            # It closes as soon as it has read the 1009, and may find its own
            # transport gone while it still writes: the code is there all the same.
            except (websockets.ConnectionClosed, AttributeError):
                pass

        await self.fails(1009, more)

    async def offers(self):
        async with self.connect(compression="deflate", subprotocols=["chat.v1", "chat"]) as link:
            same(link.subprotocol, "chat.v1" if self.options.field else None, "subprotocol")
            same(link.protocol.extensions, [], "extensions")
            data = text(30000, 1)
            await link.send(data)
            same(await link.recv(), data, "a message after the offers")

    async def together(self):
        async def one(who):
            async with self.connect() as link:
                for at in range(20):
                    data = binary(100 + 50 * at, who)
                    await link.send(data)
                    same(await link.recv(), data, f"connection {who}")

        await asyncio.gather(*(one(who) for who in range(50)))

    async def goodbye(self):
        async with self.connect() as link:
            await link.send("still there")
            same(await link.recv(), "still there", "the last echo")
            os.kill(self.options.pid, signal.SIGTERM)
            try:
                await link.recv()
            except websockets.ConnectionClosed as end:
                same(end.rcvd and end.rcvd.code, 1001, "the server's code")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--unix")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--field", action="store_true")
    options = parser.parse_args()
    client = Client(options)
    cases = [
        ("every size, text and binary", client.sizes),
        ("500 messages at once", client.burst),
        ("fragmented messages", client.fragments),
        ("pings, also inside a fragmented message", client.pings),
        ("close codes", client.closes),
        ("text that is not UTF-8 comes back", client.any_text) if options.field
        else ("text that is not UTF-8 is closed with 1007", client.invalid_text),
        ("offers of compression and subprotocols", client.offers),
        ("50 connections at once", client.together),
    ]
    if options.limit:
        cases.append(("the largest message, and one byte more: 1009", client.too_large))
    if options.pid:
        cases.append(("a server that ends says 1001", client.goodbye))
    passed = failed = 0
    for name, case in cases:
        try:
            await asyncio.wait_for(case(), PATIENCE)
            passed += 1
            print(f"ok: {name}", flush=True)
        except Exception as error:  # whatever it is, the other cases run
            failed += 1
            print(f"FAIL: {name}: {type(error).__name__}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed")
    raise SystemExit(1 if failed else 0)


asyncio.run(main())
