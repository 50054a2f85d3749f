"""Who is let in at a broker's socket, and how a request that is not gets told so.

In this order: the same user (403), no browser (403), a key that is good (401), not too many calls
(429). All of it is decided by the request's head; a body that is too large (413) is never kept.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import time
from typing import TYPE_CHECKING, Final

from ..errors import BrokerRefusedError, BrokerUnavailableError
from .protocol import MAX_BODY
from .reply import Reply

if TYPE_CHECKING:
    from tornado.httputil import HTTPHeaders

    from .handles import Handle, Handles

log = logging.getLogger("platform_auth")

RETRY_AFTER: Final = 1
"""Seconds that whoever asks too often should wait."""

_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_FROM_BROWSERS: Final = ("Origin", "Sec-Fetch-Site")
_CREDENTIALS: Final = struct.Struct("3i")  # Linux's ucred: pid, uid, gid
_LOG_PAUSE: Final = 60.0  # seconds between two lines about the same thing


class RefusedAtGateError(Exception):
    """A request goes no further.

    Parameters
    ----------
    reply
        What it is told.

    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Gate:
    """Decides who may ask.

    Parameters
    ----------
    handles
        The keys that are good.

    """

    def __init__(self, handles: Handles) -> None:
        self._handles = handles
        self._logged: dict[str, float] = {}

    def admit(self, connection: socket.socket | None, headers: HTTPHeaders) -> Handle:
        """Return whose request it is.

        Raises
        ------
        RefusedAtGateError
            Nobody's who may ask, or it asks too much.

        """
        peer = _peer(connection)
        if peer is not None and peer[1] != os.geteuid():
            raise self._refused(403, "Only its owner may ask this broker.", f"user {peer[1]}")
        if _name(headers.get("Host", "")) not in _HOSTS or _is_browser(headers):
            # A page may have its own name resolve to this machine, or send what needs no reading.
            raise self._refused(403, "Browsers may not ask this broker.", "a web page")
        handle = self._handles.find(headers.get("Authorization", ""))
        if handle is None:
            who = f"process {peer[0]}" if peer is not None else "a program"
            raise self._refused(
                401,
                "The broker does not know this program.",
                who,
                why="Its kernel has ended, or the Jupyter server was started anew.",
                fix="Restart the kernel, or open a new terminal.",
            )
        if not handle.admits(time.monotonic()):
            raise self._too_many(handle)
        return handle

    def _refused(
        self, status: int, what: str, who: str, *, why: str = "", fix: str = ""
    ) -> RefusedAtGateError:
        self.note(f"{who} was refused: {what}")
        error = BrokerRefusedError(what, why=why, fix=fix)
        return RefusedAtGateError(Reply(status, {"error": error.to_dict()}))

    def _too_many(self, handle: Handle) -> RefusedAtGateError:
        what = "The broker is asked too often."
        self.note(f"{handle.owner} was held back: {what}")
        error = BrokerUnavailableError(what, fix="Keep the client that you have.")
        return RefusedAtGateError(Reply(429, {"error": error.to_dict()}))

    def note(self, text: str) -> None:
        """Log who was refused what, but not a thousand times a second."""
        now = time.monotonic()
        if now - self._logged.get(text, -_LOG_PAUSE) >= _LOG_PAUSE:
            self._logged = {text: at for text, at in self._logged.items() if now - at < _LOG_PAUSE}
            self._logged[text] = now
            log.warning("broker: %s", text)


def too_large() -> Reply:
    """Return the refusal of a body that no call needs."""
    error = BrokerRefusedError(f"No call needs more than {MAX_BODY // 1024} KiB.")
    return Reply(413, {"error": error.to_dict()})


def _name(host: str) -> str:
    """Return a ``Host`` header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _is_browser(headers: HTTPHeaders) -> bool:
    return any(name in headers for name in _FROM_BROWSERS)


def _peer(connection: socket.socket | None) -> tuple[int, int] | None:
    """Return process and user at the other end of a Unix socket, where the system tells."""
    if connection is None or connection.family != getattr(socket, "AF_UNIX", None):
        return None
    option = getattr(socket, "SO_PEERCRED", None)  # Linux; the socket's mode does elsewhere
    if option is None:
        return None
    given = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    process, user, _group = _CREDENTIALS.unpack(given)
    return process, user
