"""A reverse proxy that lets nobody pass without a token of its own, as in front of a platform."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from fakes.closing import Closing
from harness.http import loopback_client

_HEADER: Final = "Proxy-Authorization"
_PASSED_ON: Final = ("authorization", "content-type", "accept")


class Gate(Closing):
    """A reverse proxy.

    Parameters
    ----------
    upstream
        Where requests go on to.
    others
        Where those go on to whose path is named, instead.

    Attributes
    ----------
    taken
        The tokens that let a request pass; None lets all pass.
    refusal
        Status and headers of its refusal.
    redirects
        Where it sends whoever asks for a path.
    seen
        The path of each request, and what it had in the proxy's header.

    """

    def __init__(self, upstream: str, **others: str) -> None:
        self._upstream, self._others = upstream, others
        self.taken: set[str] | None = None
        self.refusal: tuple[int, dict[str, str]] = (407, {"Proxy-Authenticate": "Bearer"})
        self.redirects: dict[str, str] = {}
        self.seen: list[tuple[str, str | None]] = []
        self._http = loopback_client()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gate._answer(self)

            def do_POST(self) -> None:
                gate._answer(self)

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean; `seen` has it all."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
        self._http.close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        given = request.headers.get(_HEADER)
        self.seen.append((request.path, given))
        # A body that nobody reads would break the connection before the answer is.
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        passes = self.taken is None or given in {f"Bearer {token}" for token in self.taken}
        if not passes:
            status, headers = self.refusal
            _send(request, status, headers, b"Stop.")
            return
        if request.path in self.redirects:
            _send(request, 307, {"Location": self.redirects[request.path]}, b"")
            return
        base = self._others.get(request.path.lstrip("/"), self._upstream)
        kept = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        answer = self._http.request(
            request.command, base + request.path, content=body, headers=kept
        )
        told = {"Content-Type": answer.headers.get("content-type", "")}
        _send(request, answer.status_code, told, answer.content)


def _send(
    request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes
) -> None:
    request.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)
