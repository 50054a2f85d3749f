"""A worker with a Hub's token at the Hub's service."""

from __future__ import annotations

import json
import pickle
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.broker import hub_channel
from platform_auth.broker.client import BrokerClient, SocketChannel, channel_of_environment
from platform_auth.broker.hub_channel import HubChannel
from platform_auth.errors import BrokerRefusedError, BrokerUnavailableError, SignInRequiredError

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = {
    "access_token": "the-token",
    "token_type": "Bearer",
    "expires_at": 2e9,
    "expires_in": 300.0,
    "header": "authorization",
}


class Service(ThreadingHTTPServer):
    """Answers what it was told to, else with a token."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/h%20b/services/platform-auth/"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        status, body = self.server.answers.pop(0) if self.server.answers else (200, TOKEN)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with Service() as service:
        thread = Thread(target=service.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("PLATFORM_AUTH_HUB_SERVICE", service.url)
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "the-hubs-token")
        monkeypatch.setattr(hub_channel, "_PAUSES", (0.0, 0.0))
        yield service
        service.shutdown()
        thread.join()


def _client() -> BrokerClient:
    channel = channel_of_environment()
    assert isinstance(channel, HubChannel)
    return BrokerClient(channel)


def test_two_variables_are_enough(service: Service) -> None:
    assert _client().token("a/b").value.reveal() == "the-token"
    path, shown = service.asked[0]
    assert path == "/h%20b/services/platform-auth/v1/profiles/a%2Fb/token?min_ttl=60"
    assert shown == "token the-hubs-token"


def test_a_jupyter_server_of_ones_own_comes_first(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_BROKER", "unix:///nowhere")
    monkeypatch.setenv("PLATFORM_AUTH_BROKER_TOKEN_FILE", "/nowhere/token")
    assert isinstance(channel_of_environment(), SocketChannel)


def test_without_a_token_nobody_is_asked(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    assert channel_of_environment() is None


def test_it_travels_to_a_worker_without_the_token(service: Service) -> None:
    pickled = pickle.dumps(HubChannel(service.url))
    assert b"the-hubs-token" not in pickled
    assert BrokerClient(pickle.loads(pickled)).token("prod").value.reveal() == "the-token"  # noqa: S301 - ours


def test_it_waits_for_a_service_that_starts(service: Service) -> None:
    service.answers = [(503, b"<h1>503</h1>"), (404, b"<h1>404</h1>")]
    assert _client().token("prod").value.reveal() == "the-token"


def test_a_service_that_stays_away_is_said_to(service: Service) -> None:
    service.answers = [(503, b"evil")] * 3
    with pytest.raises(BrokerUnavailableError, match="does not answer") as raised:
        _client().token("prod")
    assert raised.value.retryable
    assert "evil" not in str(raised.value)


def test_a_refusal_is_the_services_own(service: Service) -> None:
    error = {"code": "sign_in_required", "what": "Sign in.", "why": "", "fix": ""}
    service.answers = [(409, {"error": error | {"retryable": False}})]
    with pytest.raises(SignInRequiredError):
        _client().token("prod")


def test_the_token_goes_nowhere_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_HUB_SERVICE", "http://hub.example.com/services/x/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "the-hubs-token")
    with pytest.raises(BrokerRefusedError, match="not the address"):
        _client().token("prod")
