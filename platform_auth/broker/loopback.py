"""A callback listener on this machine, there while a sign-in needs it (RFC 8252 §7.3)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from ..errors import ConfigError, PlatformAuthError
from ..oauth.metadata import is_loopback
from .pages import HEADERS, page

if TYPE_CHECKING:
    from collections.abc import Callable

    from .redirects import Answered

log = logging.getLogger("platform_auth")

_PATH: Final = "/callback"
_HTTP: Final = 80
_GRACE: Final = 3.0


class LoopbackListener:
    """Waits for browsers to come back, on an address of this machine only.

    Parameters
    ----------
    answered
        Takes the URL one came back to.

    Attributes
    ----------
    redirect_uri
        Where it listens.

    """

    def __init__(self, answered: Answered) -> None:
        self._answered, self._holders = answered, 0
        self.redirect_uri = ""
        self._server: HTTPServer | None = None
        self._pages: set[asyncio.Task[None]] = set()

    async def start(self, redirect_uri: str | None = None) -> str:
        """Listen, and return the redirect URI.

        Parameters
        ----------
        redirect_uri
            A fixed one, as registered; otherwise a free port of 127.0.0.1 is taken.

        Raises
        ------
        ConfigError
            The fixed one is not of this machine, or its port is taken.

        """
        parts = urlsplit(redirect_uri or f"http://127.0.0.1:0{_PATH}")
        if not is_loopback(parts.hostname) or parts.scheme != "http" or not parts.path:
            what = f"oauth.redirect_uri {redirect_uri} is no address a program here can listen on."
            raise ConfigError(what, fix="Use http://127.0.0.1:PORT/callback, or leave it out.")
        sockets = _bind(parts.hostname or "", _HTTP if parts.port is None else parts.port)
        rules = [(parts.path, _Callback, {"answered": self._answered, "pages": self._pages})]
        self._server = HTTPServer(Application(rules, log_function=lambda _handler: None))
        self._server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        self.redirect_uri = redirect_uri or f"http://127.0.0.1:{port}{_PATH}"
        return self.redirect_uri

    @property
    def is_listening(self) -> bool:
        """Whether a browser can come back here."""
        return self._server is not None

    @property
    def is_busy(self) -> bool:
        """Whether it listens, or still writes a page."""
        return self.is_listening or bool(self._pages)

    def hold(self) -> Callable[[], None]:
        """Keep it listening until what is returned is called, by everybody who holds it."""
        self._holders += 1
        return self._release

    def _release(self) -> None:
        self._holders -= 1
        if not self._holders:
            self.stop()

    def stop(self) -> None:
        """Listen no more; a page that is being written is finished."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    async def close(self) -> None:
        """Listen no more, and return once the last page has been written."""
        self.stop()
        if self._pages:
            await asyncio.wait(self._pages, timeout=_GRACE)


class _Callback(RequestHandler):
    def initialize(self, answered: Answered, pages: set[asyncio.Task[None]]) -> None:
        self._answered, self._pages = answered, pages

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    async def get(self) -> None:
        if (task := asyncio.current_task()) is not None:
            self._pages.add(task)
            task.add_done_callback(self._pages.discard)
        await self.finish(await self._page())

    async def _page(self) -> str:
        try:
            await self._answered(self.request.uri or "")
        except PlatformAuthError as error:
            self.set_status(400)
            lines = (error.what, error.why)
            return page("Sign-in failed", *lines, kind="bad", fix=error.fix)
        except Exception:
            # Tornado would log the whole address, and that the code.
            log.exception("a sign-in ended in something that nobody foresaw")
            self.set_status(500)
            return page("Sign-in failed", "The log says why.", kind="bad")
        return page("You are signed in", "You can close this tab.")


def _bind(host: str, port: int) -> list[socket.socket]:
    # "localhost" is both, whatever a resolver says, and browsers may try either.
    names = ("127.0.0.1", "::1") if host.endswith("localhost") else (host,)
    bound: list[socket.socket] = []
    try:
        for name in names:
            with contextlib.suppress(_FamilyMissingError):
                bound.append(_listen(name, port))
    except OSError as error:
        for each in bound:
            each.close()
        raise _not_free(host, port, str(error.strerror)) from None
    if not bound:
        raise _not_free(host, port, "this machine has no such address")
    return bound


class _FamilyMissingError(Exception):
    """IPv4 or IPv6 is not spoken here."""


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
            raise _FamilyMissingError from None
        raise
    listening.settimeout(0)  # an event loop's must not block
    return listening


def _not_free(host: str, port: int, why: str) -> ConfigError:
    what = f"Port {port} of {host} cannot be listened on."
    fix = "End the program that uses it, or set oauth.redirect to paste."
    return ConfigError(what, why=why, fix=fix)
