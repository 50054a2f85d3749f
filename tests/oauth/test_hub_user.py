"""What a Hub is asked about a person, over HTTP."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.errors import ConfigError, ProviderError, TransportError
from platform_auth.oauth.hub_user import HubUser

if TYPE_CHECKING:
    from collections.abc import Iterator

ADA = {"name": "ada", "auth_state": {"access_token": "at-CANARY"}}


class Hub(BaseHTTPRequestHandler):
    """Knows one person and one service, each by its token."""

    def do_GET(self) -> None:
        by = self.headers.get("Authorization")
        people = {"/hub/api/users/ada": "token ours", "/hub/api/users/ada%2Fx": "token service"}
        known = people.get(self.path)
        status = 404 if known is None else 200 if by == known else 403
        if by == "token tired":
            status = 503
        body = json.dumps(ADA).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hub/api"
        finally:
            server.shutdown()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with running() as api:
        monkeypatch.setenv("JUPYTERHUB_API_URL", api)
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "ours")
        monkeypatch.setenv("JUPYTERHUB_USER", "ada")
        # Nothing of the way outside is for the Hub.
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.delenv("no_proxy", raising=False)
        yield monkeypatch


def ask(name: str | None = None) -> dict[str, Any]:
    return asyncio.run(HubUser(name)())


def test_a_server_asks_about_its_own_person(hub: pytest.MonkeyPatch) -> None:
    assert ask() == ADA


def test_a_service_asks_about_a_person_by_name(hub: pytest.MonkeyPatch) -> None:
    hub.setenv("JUPYTERHUB_API_TOKEN", "service")
    assert ask("ada/x") == ADA


def test_the_token_is_the_one_of_now(hub: pytest.MonkeyPatch) -> None:
    user = HubUser()
    hub.setenv("JUPYTERHUB_API_TOKEN", "another")
    with pytest.raises(ProviderError, match="does not let this server ask"):
        asyncio.run(user())
    hub.setenv("JUPYTERHUB_API_TOKEN", "ours")
    assert asyncio.run(user()) == ADA


def test_a_hub_in_trouble_is_worth_another_try(hub: pytest.MonkeyPatch) -> None:
    hub.setenv("JUPYTERHUB_API_TOKEN", "tired")
    with pytest.raises(TransportError, match="HTTP 503"):
        ask()
    hub.setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:1/hub/api")
    with pytest.raises(TransportError, match=r"The Hub at http://127\.0\.0\.1:1 does not answer"):
        ask()


@pytest.mark.parametrize("variable", ["JUPYTERHUB_API_URL", "JUPYTERHUB_API_TOKEN"])
def test_outside_of_a_hub_another_flow_is_named(hub: pytest.MonkeyPatch, variable: str) -> None:
    hub.delenv(variable)
    with pytest.raises(ConfigError, match="below a JupyterHub only") as caught:
        ask()
    assert "pkce" in caught.value.fix
