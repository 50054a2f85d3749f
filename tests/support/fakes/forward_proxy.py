"""An HTTP proxy that leads every name to a server of this machine, or lets nobody through."""

from __future__ import annotations

import contextlib
import socket
import threading
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from .closing import Closing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_CHUNK = 64 * 1024


class ForwardProxy(Closing):
    """A proxy that knows ``CONNECT`` (RFC 9110 §9.3.6).

    Parameters
    ----------
    ports
        The port of this machine that stands for ``host:port``; 502 for all others.
    refusal
        A status to refuse everything with.
    password
        What to ask for; None for nothing.

    Attributes
    ----------
    asked
        What was asked for.

    """

    def __init__(
        self, ports: Mapping[str, int], *, refusal: int | None = None, password: str | None = None
    ) -> None:
        self.asked: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                proxy.asked.append(self.path)
                port = ports.get(self.path)
                _, _, given = self.headers.get("Proxy-Authorization", "").partition(" ")
                known = password is None or b64decode(given).endswith(f":{password}".encode())
                if refusal or port is None or not known:
                    self.send_error(refusal or (502 if known else 407))
                    return
                with socket.create_connection(("127.0.0.1", port)) as there:
                    self.send_response(200)
                    self.end_headers()
                    _pipe(self.connection, there)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


def _pipe(one: socket.socket, other: socket.socket) -> None:
    back = threading.Thread(target=_pour, args=(other, one), daemon=True)
    back.start()
    _pour(one, other)
    back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
