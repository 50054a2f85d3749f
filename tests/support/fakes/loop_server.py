"""A TCP server on an event loop, in a thread, of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from .closing import Closing

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine

T = TypeVar("T")


class LoopServer(Closing):
    """Serves every connection by itself; its end aborts those under way.

    Parameters
    ----------
    port
        Where to listen; any by default.
    tls
        What to serve with; None for plain text.

    Attributes
    ----------
    port
        Where it listens, at 127.0.0.1.

    """

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._connected, "127.0.0.1", port, ssl=tls))
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        raise NotImplementedError

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a server behind this one, for as long as this one is there."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self._writers.append(writer)
        return reader, writer

    def close(self) -> None:
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
        hung_up = (OSError, asyncio.IncompleteReadError, asyncio.CancelledError)
        try:
            # An SSLError is an OSError: a client that does not trust hangs up.
            with contextlib.suppress(*hung_up):
                await self.serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()
