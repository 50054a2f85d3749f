"""Tornado in a thread of its own, on loopback addresses only."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

from tornado.httpserver import HTTPServer

from platform_auth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tornado.web import Application

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_PATIENCE = 10  # seconds for the thread to come up or go down; it takes milliseconds


def loopback_sockets(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen at `host`, which must be this machine and nothing else.

    Parameters
    ----------
    host
        ``127.0.0.1``, ``::1`` or ``localhost``.
    port
        0 for any that is free.

    Raises
    ------
    ConfigError
        `host` is not a loopback address, or the port is taken.

    """
    addresses = _addresses(host)
    if not addresses or not all(ipaddress.ip_address(each).is_loopback for each in addresses):
        what = f"The sandbox will not listen on {host!r}."
        raise ConfigError(
            what,
            why="Anybody who can reach it signs in without a password.",
            fix="Use host='127.0.0.1' or 'localhost'.",
        )
    try:
        return _listening(addresses, port)
    except OSError as error:
        what = f"The sandbox cannot listen on port {port} of {host}."
        raise ConfigError(
            what, why=str(error.strerror or error), fix="Use another port, or 0 for any."
        ) from error


def _addresses(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host or None, None, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        return []
    return sorted({str(entry[4][0]).partition("%")[0] for entry in found})


def _listening(addresses: list[str], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    with ExitStack() as close_on_error:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                sock = socket.create_server((address, port), family=family)
            except OSError as error:
                # "localhost" names ::1 also where IPv6 is switched off.
                if sockets and error.errno == errno.EADDRNOTAVAIL:
                    continue
                raise
            close_on_error.enter_context(sock)
            sock.settimeout(0)  # the event loop waits, not the socket
            sockets.append(sock)
            port = sock.getsockname()[1]
        close_on_error.pop_all()
    return sockets


class BackgroundServer:
    """Serves applications from a thread with its own event loop.

    Parameters
    ----------
    served
        Applications with the sockets they listen on.

    """

    def __init__(self, served: Iterable[tuple[Application, list[socket.socket]]]) -> None:
        self._served = list(served)
        self._ready = threading.Event()
        # A daemon: a sandbox that somebody forgot to stop must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event

    def start(self) -> None:
        """Serve; returns when requests are answered."""
        self._thread.start()
        if not self._ready.wait(_PATIENCE):
            msg = "the sandbox's thread did not start; its traceback is on stderr"
            raise RuntimeError(msg)

    def stop(self) -> None:
        """Close every connection and end the thread."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(_PATIENCE)

    def call(self, function: Callable[[], _T]) -> _T:
        """Return what `function` returns on the server's thread, where the state lives."""

        async def called() -> _T:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(_PATIENCE)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        servers = [self._listen(*entry) for entry in self._served]
        self._ready.set()
        await self._over.wait()
        for server in servers:
            server.stop()
            await server.close_all_connections()

    def _listen(self, application: Application, sockets: list[socket.socket]) -> HTTPServer:
        server = HTTPServer(application, max_body_size=64 * 1024)
        server.add_sockets(sockets)
        return server
