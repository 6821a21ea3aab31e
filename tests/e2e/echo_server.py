"""A WebSocket server that sends every message back, made of Debian's python3-websockets: the known good
end of frames.py. Who offers permessage-deflate gets it. Started by the system's Python, in a process of its own; prints its port."""
import asyncio
import logging

import websockets


async def echo(connection, *_):
    async for message in connection:
        await connection.send(message)


async def main():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=1 << 25, ping_interval=None, close_timeout=5) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


logging.disable()  # it tells each violation
asyncio.run(main())
