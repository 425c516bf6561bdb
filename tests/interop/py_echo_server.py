"""A third party's echo server for the drop-in's clients: `websockets` of PyPI.

It listens on a free port of 127.0.0.1 and prints "listening on 127.0.0.1:PORT".

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import asyncio

from websockets.asyncio.server import serve


async def echo(link):
    async for message in link:
        await link.send(message)


async def main():
    async with serve(echo, "127.0.0.1", 0, max_size=None) as server:
        print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


asyncio.run(main())
