"""A small platform over HTTP that lets nobody in without a valid access token."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from joserfc.errors import JoseError

from fakes.closing import Closing
from harness.verifier import Verifier

PROJECTS: Final = ("flytesnacks", "analytics")


class Platform(Closing):
    """A platform that verifies JSON Web Tokens of one issuer (RFC 9068 §4).

    ``GET /api/v1/projects`` lists the projects and says who asked.

    Parameters
    ----------
    issuer
        Whose tokens it takes; its keys are fetched anew with every request.
    audience
        What the tokens must be for.

    """

    def __init__(self, issuer: str, audience: str) -> None:
        self.verifier = Verifier(issuer, audience)
        self.requests: list[tuple[str, int]] = []
        self.tokens: list[str] = []
        self.refuse_next = 0
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                platform._answer(self)

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean; `requests` has it all."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        status, body = self._decide(request)
        self.requests.append((request.path, status))
        payload = json.dumps(body).encode()
        request.send_response(status)
        if status == 401:
            request.send_header("WWW-Authenticate", 'Bearer error="invalid_token"')
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(payload)))
        request.end_headers()
        request.wfile.write(payload)

    def _decide(self, request: BaseHTTPRequestHandler) -> tuple[int, dict[str, Any]]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        self.tokens.append(token)
        if scheme != "Bearer" or self.refuse_next:
            self.refuse_next = max(0, self.refuse_next - 1)
            return 401, {"error": "who are you?"}
        try:
            claims = self.verifier.claims(token)
        except (JoseError, ValueError) as problem:
            return 401, {"error": str(problem)}
        if request.path != "/api/v1/projects":
            return 404, {"error": "no such thing"}
        projects = [{"id": name, "name": name} for name in PROJECTS]
        return 200, {"projects": projects, "asked_by": claims.get("email", claims["sub"])}
