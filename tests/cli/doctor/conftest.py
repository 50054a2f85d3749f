"""A Jupyter of one's own, and servers to follow a profile to."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth._version import __version__

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

MARKS = {"ok": "✓", "note": "·", "warn": "!", "fail": "✗"}


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a Jupyter of one's own, in which both extensions are installed and enabled."""
    directory = tmp_path / "jupyter"
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(directory))
    write(
        directory / "jupyter_server_config.d/platform_auth.json",
        {"ServerApp": {"jpserver_extensions": {"platform_auth": True}}},
    )
    write(directory / "labextensions/platform-auth/package.json", {"version": __version__})
    return directory


def write(path: Path, shape: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(shape))


@pytest.fixture
def lines() -> Callable[[Any, str], list[str]]:
    """Return a function that takes the lines of one level out of what was printed."""

    def of(found: Any, level: str) -> list[str]:
        start = f"  {MARKS[level]} "
        return [line[4:] for line in found.out.splitlines() if line.startswith(start)]

    return of


class Web:
    """An identity provider and a platform as far as the doctor looks at them.

    Parameters
    ----------
    tls
        What it serves with; plain HTTP without it.
    ahead
        Seconds by which its clock is ahead.
    lacks
        What is missing from its metadata.
    status
        What it answers where it has nothing to say.
    client
        The client that Flyte's tools are to be, if it is a Flyte platform.

    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        ahead: float = 0,
        lacks: str = "",
        status: int = 400,
        client: dict[str, Any] | None = None,
    ) -> None:
        web, self.client = self, client
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                body = web.answer(self.path, self.headers["Host"], lacks)
                self.send_response(200 if body else status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string((timestamp or time()) + ahead)

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.scheme, self.port = "https" if tls else "http", self._server.server_port
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, path: str, host: str, lacks: str) -> bytes:
        if self.client and path == "/config/v1/flyte_client":
            return json.dumps(self.client).encode()
        if ".well-known" not in path or "protected-resource" in path:
            return b""
        issuer = f"{self.scheme}://{host}"
        names = ("authorization", "token", "device_authorization")
        endpoints = {f"{name}_endpoint": f"{issuer}/{name}" for name in names if name != lacks}
        return json.dumps({"issuer": issuer, **endpoints}).encode()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def web() -> Iterator[Callable[..., Web]]:
    """Return a function that starts a server."""
    running: list[Web] = []

    def start(*args: Any, **kwargs: Any) -> Web:
        running.append(Web(*args, **kwargs))
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def doctor(profiles_file: Callable[..., Path], run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs the doctor on a profile with these settings."""

    def examine(
        url: str,
        auth_type: str = "Pkce",
        admin: dict[str, Any] | None = None,
        platform: str = "",
        **oauth: Any,
    ) -> Any:
        shape = {
            "admin": {
                "endpoint": platform or url,
                "authType": auth_type,
                "clientId": "me",
                **(admin or {}),
            },
            "oauth": {"issuer": url, **oauth},
        }
        profiles_file({"profiles": {"prod": shape}})
        return run("doctor", "prod")

    return examine
