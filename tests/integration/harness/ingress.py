"""One port for gRPC and HTTP, as the ingress in front of a platform has it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine
    from types import TracebackType
    from typing import Self

T = TypeVar("T")

_HTTP_2: Final = b"PRI"  # what every connection begins with (RFC 9113 §3.4)


class Ingress:
    """Ends TLS, and hands each connection to the server that speaks its protocol.

    Parameters
    ----------
    grpc_port, http_port
        Where those are, both at 127.0.0.1 and in plain text. Without the one for HTTP, who does
        not speak HTTP/2 is hung up on, as by a gRPC server.
    port
        Where to listen; any by default.
    tls
        What to serve with; None for plain text.

    Attributes
    ----------
    port
        Where it listens, at 127.0.0.1.

    """

    def __init__(
        self,
        grpc_port: int,
        http_port: int | None,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._grpc_port, self._http_port, self._tls = grpc_port, http_port, tls
        if tls is not None:
            tls.set_alpn_protocols(["h2"] if http_port is None else ["h2", "http/1.1"])
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._connected, "127.0.0.1", port, ssl=tls))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it, and end what is under way."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _stop(self) -> None:
        self._server.close()
        for each in self._connections:
            each.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()  # TLS would wait for a goodbye, and the loop ends now
        await asyncio.sleep(0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._writers.append(writer)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.readexactly(len(_HTTP_2))
        except asyncio.IncompleteReadError:
            return
        port = self._grpc_port if first == _HTTP_2 else self._http_port
        if port is None:
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        self._writers.append(inner_writer)
        inner_writer.write(first)
        try:
            await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))
        finally:
            inner_writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(64 * 1024):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()  # TLS has no half of a connection
