#!/usr/bin/env python3
"""A network with a round trip, and TLS at its far end, in front of a plain HTTP server of this machine.

usage: relay.py CERTIFICATE KEY MILLISECONDS UPSTREAM-PORT      prints `listening PORT`; stops when its standard input closes

What a client sends arrives half a round trip later, and so does the answer. The kernel opens a connection to a relay at once, so the relay takes the
round trip that the opening of a TCP connection costs before it carries the first bytes.
"""
import asyncio, ssl, sys


async def carry(reader, writer, delay, not_before=0.0):
    """Every piece goes out `delay` seconds after it came in, and none is sent before `not_before`."""
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue()

    async def send():
        while piece := await pieces.get():
            due, data = piece
            await asyncio.sleep(due - loop.time())
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    sending = asyncio.create_task(send())
    try:
        while data := await reader.read(65536):
            pieces.put_nowait((max(loop.time(), not_before) + delay, data))
    except OSError:
        pass
    pieces.put_nowait(None)
    try:
        await sending
    except OSError:
        pass


def front(upstream, there, back, opening):
    """A server's callback: carries each connection to a port of this machine."""
    async def serve(reader, writer):
        loop = asyncio.get_running_loop()
        opened = loop.time() + opening
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", upstream)
            await asyncio.gather(carry(reader, far_writer, there, opened), carry(far_reader, writer, back))
            far_writer.close()
            writer.close()
        except OSError:
            writer.close()
    return serve


async def main(certificate, key, milliseconds, upstream):
    trip = milliseconds / 1000
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    inner = await asyncio.start_server(front(upstream, 0, 0, 0), "127.0.0.1", 0, ssl=context)
    outer = await asyncio.start_server(front(inner.sockets[0].getsockname()[1], trip / 2, trip / 2, trip), "127.0.0.1", 0)
    print("listening", outer.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
