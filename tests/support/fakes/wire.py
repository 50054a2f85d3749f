"""A provider, or whatever it is told to be, on a socket of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING

from platform_auth.oauth.steps import Request, Response

from .provider import Provider

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Wire:
    """Serves a provider while it is entered; what the provider answers may be an `Act`, too.

    Attributes
    ----------
    address, provider
        Where it is, which is its issuer; and what answers.
    date
        What its answers say the time is; nothing where None.

    """

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.provider = Provider(self.address)
        self.date: str | None = None
        self.tasks = set[asyncio.Task[None]]()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, sock=self._socket)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        await _turns()  # a connection that is accepted in the midst of closing is never closed
        self._server.close()
        await _turns()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await _turns()  # in which sockets that were aborted are closed

    def close(self) -> None:
        """Give the socket back, where nobody came so far as to serve on it."""
        self._socket.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        # Also where it is cancelled before it has begun.
        task.add_done_callback(lambda _: writer.transport.abort())
        self.tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(await self._request(reader), writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _version = head[0].split(" ")
        fields = [line.partition(":") for line in head[1:] if line]
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Request(method, self.address + path, headers, body.decode())

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.provider.requests.append(request)
        await self.provider.gate.wait()
        answer = self.provider.choose(request)
        if isinstance(answer, Response):
            writer.write(_bytes(answer, {} if self.date is None else {"date": self.date}))
            await writer.drain()
        else:
            assert not isinstance(answer, Exception), "nothing raises on a wire: use an Act"
            await answer(writer)


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _bytes(answer: Response, more: dict[str, str]) -> bytes:
    fields = {"content-length": str(len(answer.body)), "connection": "close", **more}
    fields |= answer.headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n{lines}\r\n"
    return head.encode("utf-8", "surrogateescape") + answer.body
