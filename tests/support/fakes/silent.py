"""Servers that are there and no use: they say one thing to everybody, or nothing at all."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Self


@contextmanager
def saying(path: Path, answer: bytes | None) -> Iterator[threading.Event]:
    """Listen at a path; None answers nobody. The event tells that somebody has asked."""
    asked, kept = threading.Event(), list[socket.socket]()

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            connection.recv(65536)
            if answer is not None:
                connection.sendall(answer)
                connection.close()
            kept.append(connection)
            asked.set()

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(50)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for connection in kept:
                connection.close()


class Tunnel:
    """Forwards a port of 127.0.0.1, to a Unix socket as ``ssh -R PORT:path`` does or to a port.

    Parameters
    ----------
    to
        The socket's path, or the port.

    Attributes
    ----------
    port
        Its own.
    open
        Cleared, it keeps what comes to itself.
    reached
        Tells that something has come.

    """

    def __init__(self, to: str | int) -> None:
        self._to, self._threads = to, list[threading.Thread]()
        self.open, self.reached = threading.Event(), threading.Event()
        self.open.set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        self._begin(self._serve)
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)

    def _begin(self, work: Callable[..., None], *given: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=given, daemon=True)
        thread.start()
        self._threads.append(thread)
        return thread

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            self._begin(self._connect, near)

    def _connect(self, near: socket.socket) -> None:
        self.reached.set()
        self.open.wait(60)
        family = socket.AF_UNIX if isinstance(self._to, str) else socket.AF_INET
        with near, socket.socket(family) as far:
            far.connect(self._to if isinstance(self._to, str) else ("127.0.0.1", self._to))
            back = self._begin(_forward, far, near)
            _forward(near, far)
            back.join(10)


def _forward(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either side may go at any time
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
