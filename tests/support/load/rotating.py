"""A provider that gives out a new refresh token at each refresh, and takes the second use of one
for theft: the family of tokens it came from is revoked (RFC 9700 §4.14.2).
"""

from __future__ import annotations

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class Rotating:
    """The provider, on a port of this machine.

    Parameters
    ----------
    lifetime
        Seconds that its access tokens live.
    late
        Seconds from a refresh to its answer: whoever else refreshes meanwhile knows nothing of it.

    Attributes
    ----------
    refreshes
        How many refreshes it has granted, by family.
    revoked
        The families that somebody has used a token of twice, and how many seconds before.

    """

    def __init__(self, lifetime: int, late: float = 0.0) -> None:
        self.lifetime = lifetime
        self.refreshes: dict[str, int] = {}
        self.revoked: set[str] = set()
        self._families: dict[str, str] = {}  # of every token there ever was
        self._present: dict[str, str] = {}
        self._lock, self.ended = threading.Lock(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply(200, outer.document())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = outer.token(parse_qs(body)["refresh_token"][0])
                outer.ended.wait(late)
                self._reply(*answer)

            def _reply(self, status: int, data: dict[str, Any]) -> None:
                content = json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *given: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def document(self) -> dict[str, str]:
        """Return the metadata."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
        }

    def first(self, family: str) -> str:
        """Return a family's first refresh token."""
        return self._new(family)

    def _new(self, family: str) -> str:
        token = secrets.token_urlsafe(24)
        self._families[token], self._present[family] = family, token
        return token

    def token(self, used: str) -> tuple[int, dict[str, Any]]:
        """Answer a refresh."""
        with self._lock:
            family = self._families.get(used, "")
            if family in self.revoked or self._present.get(family) != used:
                self.revoked.add(family)
                return 400, {"error": "invalid_grant"}
            self.refreshes[family] = self.refreshes.get(family, 0) + 1
            return 200, {
                "access_token": f"{family}:{self.refreshes[family]}",
                "token_type": "Bearer",
                "expires_in": self.lifetime,
                "refresh_token": self._new(family),
            }

    def close(self) -> None:
        """End."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
