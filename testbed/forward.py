"""Forward connections from the host's loopback into a node's network.

Usage: python -m testbed.forward LISTENER ADDRESS PORT

LISTENER is the number of an open, listening socket. It was made in the host's
network namespace and stays there, while this process runs in the node's: so what
it dials is the node's network, and neither network knows of the other.
"""

import asyncio
import contextlib
import socket
import sys

_CHUNK = 65536


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction to its end, and pass the end on, as `kubectl exec` needs."""
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: tuple[str, int]
) -> None:
    with contextlib.suppress(OSError):
        try:
            there, back = await asyncio.open_connection(*target)
            try:
                # A direction that breaks ends the other one: nobody is left to wait for.
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
            finally:
                back.close()
        finally:
            writer.close()


async def serve(listener: socket.socket, target: tuple[str, int]) -> None:
    """Accept on `listener` and connect each client with `target`, for ever."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _connection(reader, writer, target)

    server = await asyncio.start_server(accept, sock=listener)
    await server.serve_forever()


def main() -> None:
    """Run until killed."""
    number, address, port = sys.argv[1:]
    listener = socket.socket(fileno=int(number))
    asyncio.run(serve(listener, (address, int(port))))


if __name__ == "__main__":
    main()
