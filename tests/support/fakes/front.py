"""A platform's front in plain text that says how to sign in to it, as Flyte's does."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_auth.sandbox import Sandbox


@contextmanager
def front(sandbox: Sandbox) -> Iterator[str]:
    """Serve what is known of a platform by its endpoint alone, and return that: ``host:port``."""
    issuer = sandbox.issuer
    pages: dict[str, dict[str, Any]] = {
        "/.well-known/oauth-authorization-server": {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks.json",
        },
        "/config/v1/flyte_client": {
            "client_id": "platform-auth-demo",
            "redirect_uri": "http://localhost:53593/callback",
            "scopes": ["openid", "profile", "email", "offline_access"],
            "authorization_metadata_key": "flyte-authorization",
        },
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(page or {}).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
