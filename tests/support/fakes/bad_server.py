"""A server that says exactly the bytes it is told to, or breaks off."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

_TLS = b"\x16"  # how a handshake begins

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(*parts: bytes) -> Act:
    """Answer with these bytes."""

    async def act(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return act


def answers(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> Act:
    """Answer with a whole HTTP response."""
    fields = {"content-type": "application/json", "content-length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return says(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)


def resets(*parts: bytes) -> Act:
    """Say something, then reset the connection."""

    async def act(writer: asyncio.StreamWriter) -> None:
        await says(*parts)(writer)
        writer.transport.abort()

    return act


async def hangs(_writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


def drips(part: bytes, seconds: float) -> Act:
    """Say the same again and again, for ever."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(seconds)

    return act


@dataclass
class BadServer:
    """Where it is, and what it got."""

    address: str = ""
    requests: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def bad_server(
    *acts: Act, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[BadServer]:
    """Serve one act for each connection; the last one is repeated."""
    server, tasks = BadServer(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        act = acts[min(len(server.requests), len(acts) - 1)]
        server.requests.append(await _request(reader))
        try:
            with contextlib.suppress(OSError):
                await act(writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(serve(reader, writer)))

    listening = await asyncio.start_server(connected, host, 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    server.address = f"{'https' if tls else 'http'}://{name}:{port}"
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def refuses_hands(tls: ssl.SSLContext) -> Iterator[str]:
    """Serve nothing but handshakes that fail, and give the address.

    In a thread: asyncio hangs up before the alert that says why is on its way.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                connection, _ = server.accept()
                with connection, connection.dup() as beneath, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    beneath.settimeout(5)
                    with contextlib.suppress(ssl.SSLError):
                        tls.wrap_socket(connection, server_side=True).close()
                    while beneath.recv(1000):  # or its reset would overtake the alert
                        pass

        def until_closed() -> None:
            with contextlib.suppress(OSError):
                serve()

        thread = threading.Thread(target=until_closed)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        first = await reader.readexactly(1)
        if first == _TLS:
            return first
        head = first + await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, OSError):
        return b""
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"),
        0,
    )
    return head + (await reader.readexactly(length) if length else b"")
