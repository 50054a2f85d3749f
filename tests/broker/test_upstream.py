"""A broker that asks the Hub's service: what it passes on, and what it keeps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from platform_auth.broker import kept_tokens
from platform_auth.broker.access_token import fingerprint
from platform_auth.broker.hub_address import HubAddress
from platform_auth.broker.hub_service import HubService
from platform_auth.broker.upstream import Upstream
from platform_auth.errors import BrokerRefusedError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from platform_auth.broker.reply import Reply

ADDRESS = "http://hub:10701/h%20b/services/platform-auth"
VIEW = {
    "profile": "prod",
    "state": "signing_in",
    "sign_in_url": "/h%20b/services/platform-auth/login?profile=prod",
    "challenge": {"kind": "open", "url": "/h%20b/services/platform-auth/login?profile=prod"},
    "config": {"admin": {"endpoint": "https://flyte.example.com"}},
}
REFUSED = {
    "error": {"code": "sign_in_required", "what": "x", "why": "", "fix": "", "retryable": False}
}
AWAY = httpx2.Response(503, text="<h1>503</h1>")


class Service:
    """What the service would answer; what it was asked."""

    def __init__(self) -> None:
        self.answers: list[httpx2.Response | Exception] = []
        self.asked: list[httpx2.Request] = []
        self.held: asyncio.Event | None = None
        self.arrived = asyncio.Event()
        self.expires_in = 300.0

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        self.arrived.set()
        if self.held is not None:
            await self.held.wait()
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if request.url.path.endswith("/token"):
            return httpx2.Response(200, json=self.token())
        return httpx2.Response(200, json=VIEW)

    def token(self) -> dict[str, Any]:
        return {
            "access_token": f"token-{len(self.asked)}",
            "token_type": "Bearer",
            "expires_at": 2e9,
            "expires_in": self.expires_in,
            "header": "authorization",
            "lifetime": 300.0,
        }


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "the-hubs-token")
    return Service()


@pytest.fixture
def upstream(service: Service) -> Upstream:
    transport = httpx2.MockTransport(service)
    asked = HubService(HubAddress.parse(ADDRESS), transport=transport, pauses=(0.0, 0.0))
    return Upstream(asked, lambda name: f"/h%20b/user/ada/platform-auth/login?profile={name}")


async def _get(upstream: Upstream, path: str, *, public: bool = False, **query: str) -> Reply:
    face = upstream.public if public else upstream.private
    return await face.answer("GET", f"/v1/profiles{path}", query, {})


def run(work: Any) -> Any:
    return asyncio.run(work)


def test_a_call_is_passed_on_with_the_hubs_token(service: Service, upstream: Upstream) -> None:
    reply = run(upstream.private.answer("POST", "/v1/profiles/a%2Fb/sign-in", {}, {"force": True}))
    [asked] = service.asked
    assert asked.url.raw_path == b"/h%20b/services/platform-auth/v1/profiles/a%2Fb/sign-in"
    assert asked.headers["authorization"] == "token the-hubs-token"
    assert asked.content == b'{"force":true}'
    assert reply.status == 200


def test_the_addresses_to_sign_in_at_are_this_servers(upstream: Upstream) -> None:
    body = run(_get(upstream, "/prod")).body
    here = "/h%20b/user/ada/platform-auth/login?profile=prod"
    assert (body["sign_in_url"], body["challenge"]["url"]) == (here, here)
    assert body["config"]


def test_a_browser_gets_neither_tokens_nor_configuration(
    service: Service, upstream: Upstream
) -> None:
    assert run(_get(upstream, "/prod/token", public=True)).status == 404
    put = upstream.public.answer("PUT", "/v1/profiles/x", {}, {"config": {}})
    assert run(put).status == 404
    assert service.asked == []
    assert "config" not in run(_get(upstream, "/prod", public=True)).body


@pytest.mark.parametrize(
    "path",
    ["/v2/profiles", "/v1/profiles/..", "/v1/profiles/a/%2e%2e", "/v1/profiles/a/b/c", "/v1/"],
)
def test_no_other_path_reaches_the_service(service: Service, upstream: Upstream, path: str) -> None:
    reply = run(upstream.private.answer("GET", path, {}, {}))
    assert (reply.status, service.asked) == (404, [])


def test_a_kernel_is_held_to_its_profiles(service: Service, upstream: Upstream) -> None:
    service.answers = [
        httpx2.Response(200, json={"default": "ci", "profiles": [VIEW, VIEW | {"profile": "ci"}]})
    ]
    listed = run(upstream.private.answer("GET", "/v1/profiles", {}, {}, only={"prod"})).body
    assert [each["profile"] for each in listed["profiles"]] == ["prod"]
    assert listed["default"] is None
    for method, path in (("GET", "ci/token"), ("PUT", "prod")):
        call = upstream.private.answer(method, f"/v1/profiles/{path}", {}, {}, only={"prod"})
        assert run(call).body["error"]["code"] == "policy_refused"
    assert len(service.asked) == 1


def test_a_crowd_asks_once(service: Service, upstream: Upstream) -> None:
    async def crowd() -> set[str]:
        service.held = asyncio.Event()
        calls = [asyncio.create_task(_get(upstream, "/prod/token")) for _ in range(50)]
        await service.arrived.wait()
        calls.pop().cancel()  # who leaves takes nobody else along
        service.held.set()
        return {reply.body["access_token"] for reply in await asyncio.gather(*calls)}

    assert run(crowd()) == {"token-1"}
    assert len(service.asked) == 1


def test_a_token_is_asked_for_again_after_a_while(
    service: Service, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(_get(upstream, "/prod/token")).body["access_token"] == "token-1"
    assert run(_get(upstream, "/prod/token")).body["access_token"] == "token-1"
    monkeypatch.setattr(kept_tokens, "PAUSE", 0.0)
    assert run(_get(upstream, "/prod/token")).body["access_token"] == "token-2"


@pytest.mark.parametrize("kind", ["refused", "proxy", "broken", "trouble"])
def test_nobody_notices_that_the_service_is_away_while_their_token_lives(
    service: Service, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(kept_tokens, "PAUSE", 0.0)
    run(_get(upstream, "/prod/token"))
    error = {"code": "transport", "what": "x", "why": "", "fix": "", "retryable": True}
    service.answers = [
        {
            "refused": httpx2.ConnectError("refused"),
            "proxy": AWAY,
            "broken": httpx2.ReadError("reset"),
            "trouble": httpx2.Response(503, json={"error": error}),
        }[kind]
    ]
    assert run(_get(upstream, "/prod/token")).body["access_token"] == "token-1"
    assert len(service.asked) == 2


def test_one_that_the_platform_refused_is_not_given_out_again(
    service: Service, upstream: Upstream
) -> None:
    first = Secret(run(_get(upstream, "/prod/token")).body["access_token"])
    second = run(_get(upstream, "/prod/token", stale=fingerprint(first)))
    assert second.body["access_token"] == "token-2"
    assert service.asked[-1].url.params["stale"] == fingerprint(first)


def test_a_sign_out_elsewhere_ends_it(
    service: Service, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_tokens, "PAUSE", 0.0)
    run(_get(upstream, "/prod/token"))
    service.answers = [httpx2.Response(409, json=REFUSED), httpx2.ConnectError("away")]
    service.answers += [httpx2.ConnectError("away")] * 2
    assert run(_get(upstream, "/prod/token")).status == 409
    assert run(_get(upstream, "/prod/token")).body["error"]["code"] == "broker_unavailable"


def test_a_sign_out_here_ends_it_at_once(service: Service, upstream: Upstream) -> None:
    run(_get(upstream, "/prod/token"))
    run(upstream.public.answer("POST", "/v1/profiles/prod/sign-out", {}, {}))
    assert run(_get(upstream, "/prod/token")).body["access_token"] == "token-3"


def test_a_question_waits_for_a_service_that_starts(service: Service, upstream: Upstream) -> None:
    service.answers = [httpx2.ConnectError("refused"), AWAY]
    assert run(_get(upstream, "/prod", since="3", wait="0")).status == 200
    assert len(service.asked) == 3


def test_what_changes_something_is_not_sent_twice(service: Service, upstream: Upstream) -> None:
    service.answers = [httpx2.ReadError("reset")]
    reply = run(upstream.private.answer("POST", "/v1/profiles/prod/sign-in", {}, {}))
    assert reply.body["error"]["code"] == "broker_unavailable"
    assert reply.body["error"]["retryable"] is True
    assert len(service.asked) == 1


def test_what_somebody_else_says_is_not_passed_on(service: Service, upstream: Upstream) -> None:
    service.answers = [httpx2.Response(200, text="<script>evil</script>")]
    reply = run(_get(upstream, "/prod"))
    assert "evil" not in str(reply.body)
    assert reply.body["error"]["code"] == "broker_unavailable"


@pytest.mark.parametrize(
    "url",
    [
        "https://hub.example.com/services/platform-auth/",
        "http://127.0.0.1:10701/services/platform-auth/",
        "http://hub:10701/services/platform-auth/",
        "http://10.1.2.3/services/platform-auth/",
        "http://hub.jhub.svc/services/platform-auth/",
    ],
)
def test_where_the_hubs_token_may_go(url: str) -> None:
    assert HubAddress.parse(url).path == "/services/platform-auth"


@pytest.mark.parametrize(
    "url", ["http://hub.example.com/", "ftp://hub/", "hub:10701", "http://8.8.8.8/", "https://[/"]
)
def test_where_it_may_not(url: str) -> None:
    with pytest.raises(BrokerRefusedError):
        HubAddress.parse(url)
