from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from fakes.bad_server import answers, bad_server
from fakes.certificates import authority
from fakes.token_source import RenewingSource
from platform_auth.clients import check_kind, make_client
from platform_auth.clients.http import PlatformHttpAuth, async_http_client, http_client
from platform_auth.config import PlatformConfig
from platform_auth.errors import ConfigError, SignInRequiredError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from platform_auth.broker.access_token import AccessToken

    Handler = Callable[[httpx2.Request], httpx2.Response]

HOME = "https://flyte.example.com"
OWN_HEADER = "flyte-authorization"


class Platform:
    """What is on the network, as one transport; it takes the tokens it is told to."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = accepted
        self.requests: list[httpx2.Request] = []
        self._headers: list[httpx2.Headers] = []
        self.redirects: dict[str, str] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        self._headers.append(request.headers.copy())  # a repeated request is the same object
        if target := self.redirects.get(request.url.path):
            return httpx2.Response(307, headers={"Location": target})
        given = request.headers.get("authorization", request.headers.get(OWN_HEADER, ""))
        allowed = not self.accepted or given.removeprefix("Bearer ") in self.accepted
        return httpx2.Response(200 if allowed else 401, json={"given": given})

    def given(self, header: str = "authorization") -> list[str | None]:
        return [headers.get(header) for headers in self._headers]


def config(**changes: Any) -> PlatformConfig:
    return PlatformConfig(**{"endpoint": "flyte.example.com", **changes})


class Asker:
    """The synchronous client, and its asynchronous twin behind the same face."""

    def __init__(self, twin: bool) -> None:
        self._twin = twin

    def __call__(
        self, platform: Platform, source: RenewingSource, method: str, url: str, **options: Any
    ) -> httpx2.Response:
        own = {name: options.pop(name) for name in ("settings", "client") if name in options}
        made, settings = own.get("client", {}), own.get("settings", {})
        transport = httpx2.MockTransport(platform)
        if not self._twin:
            with http_client(config(**settings), source, transport=transport, **made) as client:
                return client.request(method, url, **options)

        async def ask() -> httpx2.Response:
            new = async_http_client(config(**settings), source, transport=transport, **made)
            async with new as client:
                return await client.request(method, url, **options)

        return asyncio.run(ask())


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Asker:
    return Asker(request.param)


class TestAtHome:
    def test_a_relative_address_starts_at_the_platform(self, ask: Asker) -> None:
        platform = Platform()
        assert ask(platform, RenewingSource(), "GET", "/api/v1/projects?limit=1").status_code == 200
        assert str(platform.requests[0].url) == f"{HOME}/api/v1/projects?limit=1"
        assert platform.given() == ["Bearer token-1"]

    def test_the_platforms_own_header(self, ask: Asker) -> None:
        platform = Platform()
        ask(platform, RenewingSource(OWN_HEADER), "GET", "/")
        assert platform.given(OWN_HEADER) == ["Bearer token-1"]
        assert platform.given() == [None]

    @pytest.mark.parametrize("url", [f"{HOME}/x", f"{HOME}:443/x", "https://FLYTE.example.com/x"])
    def test_the_same_origin_in_other_letters(self, ask: Asker, url: str) -> None:
        platform = Platform()
        ask(platform, RenewingSource(), "GET", url)
        assert platform.given() == ["Bearer token-1"]

    def test_each_request_takes_the_token_of_now(self) -> None:
        platform, source = Platform(), RenewingSource()
        transport = httpx2.MockTransport(platform)
        with http_client(config(), source, transport=transport) as client:
            client.get("/")
            source.current = source._token(7)
            client.get("/")
        assert platform.given() == ["Bearer token-1", "Bearer token-7"]

    def test_nobody_signed_in_is_said_before_anything_is_sent(self, ask: Asker) -> None:
        platform, source = Platform(), RenewingSource()
        source.fault = SignInRequiredError("You are not signed in.")
        with pytest.raises(SignInRequiredError):
            ask(platform, source, "GET", "/")
        assert not platform.requests


class TestRefused:
    @pytest.mark.parametrize(
        "body", [{}, {"json": {"a": 1}}, {"data": {"a": "1"}}, {"content": b"x"}]
    )
    def test_a_refused_token_is_replaced_and_the_request_sent_again(
        self, ask: Asker, body: dict[str, Any]
    ) -> None:
        platform, source = Platform("token-2"), RenewingSource()
        first = source.current.fingerprint
        assert ask(platform, source, "POST", "/", **body).status_code == 200
        assert platform.given() == ["Bearer token-1", "Bearer token-2"]
        assert source.refused == [first]
        one, other = platform.requests
        assert one.content == other.content

    def test_but_only_once(self, ask: Asker) -> None:
        platform = Platform("none")
        assert ask(platform, RenewingSource(), "GET", "/").status_code == 401
        assert platform.given() == ["Bearer token-1", "Bearer token-2"]

    def test_and_not_with_the_same_token(self, ask: Asker) -> None:
        platform = Platform("none")
        assert ask(platform, RenewingSource(can_renew=False), "GET", "/").status_code == 401
        assert platform.given() == ["Bearer token-1"]

    def test_and_not_where_the_body_is_gone(self) -> None:
        source = RenewingSource()

        async def body() -> Any:
            yield b"a"

        async def work() -> list[bytes]:
            async with bad_server(answers(status="401 Unauthorized")) as server:
                here = config(endpoint=server.address)
                with http_client(here, source) as client:
                    answer = await asyncio.to_thread(client.post, "/", content=iter([b"a"]))
                    assert answer.status_code == 401
                async with async_http_client(here, source) as twin:
                    assert (await twin.post("/", content=body())).status_code == 401
                return server.requests

        assert len(asyncio.run(work())) == 2
        assert source.refused == []

    @pytest.mark.parametrize("status", [400, 403, 404, 500])
    def test_other_refusals_are_not_the_tokens_fault(self, ask: Asker, status: int) -> None:
        class Refusing(Platform):
            def __call__(self, request: httpx2.Request) -> httpx2.Response:
                super().__call__(request)
                return httpx2.Response(status)

        platform, source = Refusing(), RenewingSource()
        assert ask(platform, source, "GET", "/").status_code == status
        assert source.refused == []

    def test_a_token_that_cannot_be_replaced_says_why(self, ask: Asker) -> None:
        platform = Platform("none")

        class Ending(RenewingSource):
            def token(self, **given: Any) -> AccessToken:
                if given.get("stale"):
                    raise SignInRequiredError("Your sign-in has ended.")
                return super().token(**given)

        with pytest.raises(SignInRequiredError, match="has ended"):
            ask(platform, Ending(), "GET", "/")


ELSEWHERE = [
    "https://evil.example/x",
    "https://flyte.example.com.evil.example/x",
    "https://sub.flyte.example.com/x",
    "https://flyte.example.com:8443/x",
    "http://flyte.example.com/x",
    "https://user@evil.example/x",
]


class TestElsewhere:
    @pytest.mark.parametrize("url", ELSEWHERE)
    @pytest.mark.parametrize("header", ["authorization", OWN_HEADER])
    def test_no_token_goes_there(self, ask: Asker, url: str, header: str) -> None:
        platform, source = Platform(), RenewingSource(header)
        ask(platform, source, "GET", url)
        # httpx2 itself turns user:password@ into an Authorization of its own.
        assert "token" not in str(platform.given(header))
        assert source.asked == 0

    @pytest.mark.parametrize("url", ELSEWHERE)
    @pytest.mark.parametrize("header", ["authorization", OWN_HEADER])
    def test_not_by_a_redirect_either(self, ask: Asker, url: str, header: str) -> None:
        platform = Platform()
        platform.redirects["/"] = url
        ask(platform, RenewingSource(header), "GET", "/", follow_redirects=True)
        first, second = platform.given(header)
        assert first == "Bearer token-1"
        assert "token" not in str(second)

    def test_not_through_hooks_of_the_callers(self, ask: Asker) -> None:
        platform, seen = Platform(), []
        platform.redirects["/"] = ELSEWHERE[0]

        def hook(request: httpx2.Request) -> Any:
            seen.append(request.url.host)
            return asyncio.sleep(0) if ask._twin else None

        hooks = {"request": [hook]}
        ask(
            platform,
            RenewingSource(OWN_HEADER),
            "GET",
            "/",
            follow_redirects=True,
            client={"event_hooks": hooks},
        )
        assert seen == ["flyte.example.com", "evil.example"]
        assert platform.given(OWN_HEADER) == ["Bearer token-1", None]
        assert hooks == {"request": [hook]}

    def test_a_redirect_at_home_keeps_it(self, ask: Asker) -> None:
        platform = Platform()
        platform.redirects["/"] = "/other"
        ask(platform, RenewingSource(OWN_HEADER), "GET", "/", follow_redirects=True)
        assert platform.given(OWN_HEADER) == ["Bearer token-1"] * 2

    def test_what_the_caller_sends_elsewhere_is_the_callers(self, ask: Asker) -> None:
        platform = Platform()
        ask(
            platform,
            RenewingSource(),
            "GET",
            ELSEWHERE[0],
            headers={"Authorization": "Bearer mine"},
        )
        assert platform.given() == ["Bearer mine"]

    def test_who_refuses_elsewhere_costs_no_token(self, ask: Asker) -> None:
        platform, source = Platform("none"), RenewingSource()
        platform.redirects["/"] = ELSEWHERE[0]
        answer = ask(platform, source, "GET", "/", follow_redirects=True)
        assert answer.status_code == 401
        assert source.refused == []

    def test_redirects_are_not_followed_unasked(self, ask: Asker) -> None:
        platform = Platform()
        platform.redirects["/"] = ELSEWHERE[0]
        assert ask(platform, RenewingSource(), "GET", "/").status_code == 307


class TestSettings:
    def test_options_of_the_callers_win(self, ask: Asker) -> None:
        platform = Platform()
        client = {"base_url": f"{HOME}/api", "headers": {"X-Mine": "1"}}
        ask(platform, RenewingSource(), "GET", "/x", client=client)
        assert str(platform.requests[0].url) == f"{HOME}/api/x"
        assert platform.requests[0].headers["x-mine"] == "1"

    def test_an_endpoint_with_a_path(self, ask: Asker) -> None:
        platform = Platform()
        ask(platform, RenewingSource(), "GET", "/x", settings={"endpoint": f"{HOME}/base"})
        assert str(platform.requests[0].url) == f"{HOME}/base/x"
        assert platform.given() == ["Bearer token-1"]

    def test_nothing_shows_the_token(self) -> None:
        source = RenewingSource()
        auth = PlatformHttpAuth(source, HOME)
        with http_client(config(), source) as client:
            assert "token-1" not in repr(auth) + repr(client) + str(vars(auth))

    def test_the_authority_of_the_profile(self, tmp_path: Path) -> None:
        ca = tmp_path / "ca.pem"
        ca.write_bytes(authority().pem)

        async def work() -> list[bytes]:
            async with bad_server(answers(), tls=authority().server(tmp_path)) as server:
                trusting = config(endpoint=server.address, ca_cert_file_path=str(ca))
                with http_client(trusting, RenewingSource()) as client:
                    assert (await asyncio.to_thread(client.get, "/x")).status_code == 200
                async with async_http_client(trusting, RenewingSource()) as twin:
                    assert (await twin.get("/x")).status_code == 200
                with (
                    http_client(config(endpoint=server.address), RenewingSource()) as wary,
                    pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
                ):
                    await asyncio.to_thread(wary.get, "/x")
                return [each for each in server.requests if each]

        requests = asyncio.run(work())
        assert len(requests) == 2
        assert all(b"uthorization: Bearer token-1" in each for each in requests)

    def test_an_authority_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="CA file"):
            http_client(config(ca_cert_file_path=str(tmp_path / "none")), RenewingSource())

    def test_an_authority_of_the_environments_that_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
        with pytest.raises(ConfigError, match="certificates"):
            http_client(config(), RenewingSource())

    def test_a_platform_on_this_machine_needs_no_proxy(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

        async def work() -> int:
            async with bad_server(answers()) as server:
                here = config(endpoint=server.address, insecure=True)
                with http_client(here, RenewingSource()) as client:
                    return (await asyncio.to_thread(client.get, "/")).status_code

        assert asyncio.run(work()) == 200


class TestThreads:
    def test_two_hundred_with_a_dead_token(self) -> None:
        platform, source = Platform("token-2"), RenewingSource()
        transport = httpx2.MockTransport(platform)
        statuses: list[int] = []
        with http_client(config(), source, transport=transport) as client:
            threads = [
                threading.Thread(target=lambda: statuses.append(client.get("/").status_code))
                for _ in range(200)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
        assert statuses == [200] * 200
        assert source.current.value.reveal() == "token-2"


def test_kinds_of_clients() -> None:
    check_kind("http")
    with pytest.raises(ConfigError, match="pigeon") as caught:
        check_kind("pigeon")
    assert "http" in caught.value.fix


def test_a_client_of_a_connection() -> None:
    class Connected:
        config, tokens = config(), RenewingSource()

    client = make_client("http", Connected())  # type: ignore[arg-type]
    with client:
        assert isinstance(client, httpx2.Client)
        assert client.base_url.host == "flyte.example.com"
