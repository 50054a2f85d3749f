"""The broker's socket: how kernels, terminals and tools on this machine reach it.

A Unix socket of mode 0600 in the Jupyter runtime directory, or loopback TCP where there are no Unix
sockets; in both cases with a key from a 0600 file, each kernel's its own. Programs find the two by
``PLATFORM_AUTH_BROKER`` and ``PLATFORM_AUTH_BROKER_TOKEN_FILE``.
"""

from __future__ import annotations

import os
import secrets
import socket
from typing import TYPE_CHECKING, Final

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from .environment import ADDRESS_VARIABLE, TOKEN_FILE_VARIABLE
from .exchange import Exchanges
from .gate import Gate
from .handles import Handles
from .place import Place
from .protocol import Answers, Protocol

try:
    from tornado.netutil import bind_unix_socket
except ImportError:  # pragma: no cover - Windows
    bind_unix_socket = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .broker import Broker
    from .handles import Handle

_TERMINALS: Final = "terminals"
_HEAD: Final = 64 * 1024

_MAX_READ: Final = 64 * 1024 * 1024
"""Bytes of a body that are read to no purpose, so that its sender hears the answer."""

_BACKLOG: Final = 1024
"""Programs that may wait to be let in, where the system allows so many: a crowd of kernels."""


class Listener:
    """Serves a broker to programs of the same user on the same machine.

    Parameters
    ----------
    served
        The broker; or what answers in its place, where that is somewhere else.
    directory
        Where socket and keys go: the Jupyter runtime directory.
    identity
        What of this server is the same after a restart; see `Place`.
    tcp
        Use loopback TCP even where there are Unix sockets.

    """

    def __init__(
        self, served: Broker | Answers, directory: Path, *, identity: str = "", tcp: bool = False
    ) -> None:
        self._tcp = tcp or bind_unix_socket is None
        self._place, self._handles = Place(directory, identity), Handles()
        answers = served if isinstance(served, Answers) else Protocol(served, private=True)
        self._exchanges = Exchanges(answers, Gate(self._handles))
        self._server = HTTPServer(self._exchanges, max_body_size=_MAX_READ, max_header_size=_HEAD)
        self._own: Handle | None = None
        self.address = ""

    @property
    def environment(self) -> dict[str, str]:
        """What terminals and other programs of the server's need: places, no secret."""
        return self._places(self._own) if self._own is not None else {}

    def start(self) -> None:
        """Write the key and listen.

        Raises
        ------
        OSError, UnsafeFileError
            There is no place for it, or no socket.

        """
        self._place.take()
        if self._tcp:
            sockets = bind_sockets(0, "127.0.0.1", family=socket.AF_INET, backlog=_BACKLOG)
            self._server.add_sockets(sockets)
            self.address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        else:
            path = self._place.socket
            self._server.add_socket(_bind_private(path))
            self.address = f"unix://{path}"
        self._own = self._handles.grant(_TERMINALS, self._place.path / "server.token")

    def grant(self, owner: str, profiles: Iterable[str] | None = None) -> Handle:
        """Make a handle for somebody of whom it is known when they end; see `revoke`.

        Parameters
        ----------
        owner
            Whose it is, for the log.
        profiles
            The only profiles that it is good for; None for all.

        Raises
        ------
        OSError
            Its file cannot be written.

        """
        # A kernel's identifier may come from a front end: it is no name for a file.
        file = self._place.path / f"{secrets.token_hex(8)}.token"
        return self._handles.grant(owner, file, profiles)

    def revoke(self, handle: Handle) -> None:
        """End a handle: whoever still has it gets nothing any more."""
        self._handles.revoke(handle)

    def environment_of(self, handle: Handle) -> dict[str, str]:
        """Return what the owner of a handle needs in its environment: places, no secret."""
        return self._places(handle)

    def _places(self, handle: Handle) -> dict[str, str]:
        return {ADDRESS_VARIABLE: self.address, TOKEN_FILE_VARIABLE: str(handle.file)}

    def stop(self) -> None:
        """Listen no more and remove socket and keys."""
        self._server.stop()
        self._exchanges.stop()
        self._place.leave()
        self._own = None


def _bind_private(path: Path) -> socket.socket:
    # The mask makes it private from the first instant; bind_unix_socket's chmod comes later.
    mask = os.umask(0o177)
    try:
        return bind_unix_socket(str(path), mode=0o600, backlog=_BACKLOG)
    finally:
        os.umask(mask)
