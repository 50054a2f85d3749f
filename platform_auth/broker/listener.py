"""The broker's socket: how kernels, terminals and tools on this machine reach it.

A Unix socket of mode 0600 in the Jupyter runtime directory, or loopback TCP where there are no Unix
sockets; in both cases a bearer secret from a 0600 file. Programs find the two by
``PLATFORM_AUTH_BROKER`` and ``PLATFORM_AUTH_BROKER_TOKEN_FILE``.
"""

from __future__ import annotations

import hmac
import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from ..errors import BrokerRefusedError
from ..secret import Secret
from .client import ADDRESS_VARIABLE, TOKEN_FILE_VARIABLE
from .protocol import MAX_BODY, BadRequestError, Protocol, Reply, json_object, refusal

try:
    from tornado.netutil import bind_unix_socket
except ImportError:  # pragma: no cover - Windows
    bind_unix_socket = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from .broker import Broker


# sun_path holds 108 bytes on Linux and 104 on macOS.
_MAX_SOCKET_PATH = 100


class Listener:
    """Serves a broker to programs of the same user on the same machine.

    Parameters
    ----------
    broker
        What is served.
    directory
        Where socket and secret go, private to the user: the Jupyter runtime directory.
    tcp
        Use loopback TCP even where there are Unix sockets.

    """

    def __init__(self, broker: Broker, directory: Path, *, tcp: bool = False) -> None:
        self._secret = Secret(secrets.token_urlsafe(32))
        self._tcp = tcp or bind_unix_socket is None
        name = f"platform-auth-{os.getpid()}-{secrets.token_hex(4)}"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._short: Path | None = None
        self._socket = directory / f"{name}.sock"
        if len(os.fsencode(self._socket)) > _MAX_SOCKET_PATH:
            self._short = Path(tempfile.mkdtemp(prefix="pa-"))
            self._socket = self._short / "broker.sock"
        self._token_file = directory / f"{name}.token"
        handler = {"protocol": Protocol(broker, private=True), "secret": self._secret}
        self._server = HTTPServer(
            Application([(r"/.*", _Handler, handler)], log_function=_say_nothing),
            max_body_size=MAX_BODY,
            max_header_size=MAX_BODY,
        )
        self.address = ""

    @property
    def environment(self) -> dict[str, str]:
        """What other programs need in their environment: places, no secret."""
        return {ADDRESS_VARIABLE: self.address, TOKEN_FILE_VARIABLE: str(self._token_file)}

    def start(self) -> None:
        """Write the secret and listen."""
        _write_private(self._token_file, self._secret)
        if self._tcp:
            sockets = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
            self._server.add_sockets(sockets)
            self.address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        else:
            self._server.add_socket(_bind_private(self._socket))
            self.address = f"unix://{self._socket}"

    def stop(self) -> None:
        """Listen no more and remove socket and secret."""
        self._server.stop()
        self._socket.unlink(missing_ok=True)
        self._token_file.unlink(missing_ok=True)
        if self._short is not None:
            shutil.rmtree(self._short, ignore_errors=True)


class _Handler(RequestHandler):
    def initialize(self, protocol: Protocol, secret: Secret) -> None:
        self._protocol, self._secret = protocol, secret

    def check_xsrf_cookie(self) -> None:
        """No browser comes here, and none could: it would need the secret."""

    def _is_trusted(self) -> bool:
        host = self.request.host.rpartition(":")[0] or self.request.host
        given = self.request.headers.get("Authorization", "")
        ours = f"Bearer {self._secret.reveal()}"
        # The Host check stops a web page that has its own name resolve to this machine.
        return host in {"127.0.0.1", "localhost"} and hmac.compare_digest(
            given.encode(), ours.encode()
        )

    async def _serve(self) -> None:
        if not self._is_trusted():
            self.set_header("WWW-Authenticate", "Bearer")
            error = BrokerRefusedError("The broker does not know this program.")
            return self._write(Reply(401, refusal(error).body))
        try:
            body = json_object(self.request.body)
            query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        except BadRequestError as error:
            return self._write(refusal(error))
        path, method = self.request.path, self.request.method or ""
        return self._write(await self._protocol.answer(method, path, query, body))

    get = post = put = _serve

    def _write(self, reply: Reply) -> None:
        self.set_status(reply.status)
        self.set_header("Cache-Control", "no-store")
        self.finish(reply.body)


def _write_private(path: Path, secret: Secret) -> None:
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(secret.reveal())


def _bind_private(path: Path) -> socket.socket:
    # The mask makes it private from the first instant; bind_unix_socket's chmod comes later.
    mask = os.umask(0o177)
    try:
        return bind_unix_socket(str(path), mode=0o600)
    finally:
        os.umask(mask)


def _say_nothing(_handler: RequestHandler) -> None:
    """Log no request: a long-polling kernel would fill the server's log."""
