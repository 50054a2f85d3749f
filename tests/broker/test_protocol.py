from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from fakes.bench import CALLBACK, HERE, PROFILES, Bench
from fakes.provider import ISSUER, reply
from platform_auth import errors
from platform_auth.broker.protocol import MAX_WAIT, Protocol, json_object
from platform_auth.broker.reply import Reply, refusal
from platform_auth.config import Profiles
from platform_auth.qr_code import qr_code

if TYPE_CHECKING:
    from platform_auth.errors import PlatformAuthError

V = "/v1/profiles"
CALLS = [
    ("GET", V),
    ("GET", f"{V}/prod"),
    ("POST", f"{V}/prod/sign-in"),
    ("POST", f"{V}/prod/complete"),
    ("POST", f"{V}/prod/cancel"),
    ("POST", f"{V}/prod/sign-out"),
    ("GET", f"{V}/prod/qr"),
]
PRIVATE = [("PUT", f"{V}/mine"), ("GET", f"{V}/prod/token")]
BODY = {"url": "http://127.0.0.1/callback?code=x&state=y"}


def ask(
    bench: Bench,
    method: str,
    path: str,
    query: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
    *,
    private: bool = True,
) -> Reply:
    protocol = Protocol(bench.broker, private=private)
    return bench.run(lambda: protocol.answer(method, path, query or {}, body or {}))


class TestRoutes:
    @pytest.mark.parametrize(("method", "path"), CALLS)
    @pytest.mark.parametrize("private", [True, False])
    def test_everybody_may(self, bench: Bench, method: str, path: str, private: bool) -> None:
        assert ask(bench, method, path, body=BODY, private=private).status != 404

    @pytest.mark.parametrize(("method", "path"), PRIVATE)
    def test_only_ones_own_programs_may(self, bench: Bench, method: str, path: str) -> None:
        body = {"config": {"admin": {"endpoint": "a.example.com"}}}
        assert ask(bench, method, path, body=body).status != 404
        public = ask(bench, method, path, body=body, private=False)
        assert public.status == 404
        assert public.body["error"]["code"] == "no_such_call"

    def test_where_settings_come_from_is_for_ones_own_programs(self, bench: Bench) -> None:
        path, query = f"{V}/prod", {"explain": "1"}
        own = ask(bench, "GET", path, query).body
        assert own["settings"][0]["setting"] == "admin.endpoint"
        assert own["hides"] == []
        public = ask(bench, "GET", path, query, private=False).body
        assert not {"settings", "hides", "config"} & public.keys()

    @pytest.mark.parametrize("name", ["prod/token", "prod%2Ftoken", "./prod/token", "prod//token"])
    def test_no_way_around_it(self, bench: Bench, name: str) -> None:
        bench.run(bench.sign_in)
        answer = ask(bench, "GET", f"{V}/{name}", private=False)
        assert answer.status == 404
        assert "CANARY" not in json.dumps(answer.body)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", V), ("DELETE", f"{V}/prod"), ("PATCH", f"{V}/prod"), ("GET", "/"), ("GET", ""),
            ("GET", "/v2/profiles"), ("GET", f"{V}/prod/sign-in"), ("POST", f"{V}/prod/token"),
            ("GET", f"{V}/prod/_route"), ("POST", f"{V}/prod/answer"), ("GET", f"{V}/a/b/c"),
            ("POST", f"{V}/prod/put"), ("GET", f"{V}/prod/show"), ("POST", f"{V}/prod"),
        ],
    )  # fmt: skip
    def test_nothing_else(self, bench: Bench, method: str, path: str) -> None:
        answer = ask(bench, method, path)
        assert answer.status == 404
        assert answer.body["error"]["code"] == "no_such_call"

    def test_a_profile_like_another_keeps_the_secrets_that_nobody_was_told(
        self, new_bench: type[Bench]
    ) -> None:
        profile = {
            "admin": {**PROFILES["prod"]["admin"], "httpProxyURL": "http://me:CANARY@proxy:3128"},
            "oauth": {**PROFILES["prod"]["oauth"], "client_secret": "secret-CANARY"},
        }
        bench = new_bench(Profiles(admin={"prod": profile}, user_file=None, flyte=False))
        answer = ask(bench, "PUT", f"{V}/more", {}, {"like": "prod", "scopes": ["api"]})
        assert answer.status == 200
        assert "CANARY" not in json.dumps(ask(bench, "GET", f"{V}/more").body)
        made = bench.run(lambda: bench.broker.session("more")).profile.config
        assert made.scopes == ("openid", "offline_access", "api")
        assert made.http_proxy_url == "http://me:CANARY@proxy:3128"
        assert made.client_secret().reveal() == "secret-CANARY"

    def test_a_name_may_hold_anything_but_a_slash(self, bench: Bench) -> None:
        body = {"config": {"admin": {"endpoint": "a.example.com"}}}
        name = "ä b?#%"
        protocol = Protocol(bench.broker, private=True)

        async def work() -> None:
            path = f"{V}/%C3%A4%20b%3F%23%25"
            assert (await protocol.answer("PUT", path, {}, body)).body["profile"] == name
            assert (await protocol.answer("GET", path, {}, {})).body["profile"] == name

        bench.run(work)


class TestRefusals:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (errors.ProfileNotFoundError("x"), 404),
            (errors.PolicyError("x"), 403),
            (errors.ConfigError("x"), 400),
            (errors.SignInRequiredError("x"), 409),
            (errors.AccessDeniedError("x"), 409),
            (errors.CallbackError("x"), 409),
            (errors.TransportError("x"), 503),
            (errors.TLSError("x"), 503),
            (errors.ProviderError("x"), 502),
            (errors.InvalidGrantError("x"), 502),
            (errors.BrokerError("x"), 502),
        ],
    )
    def test_each_kind_has_its_status(self, error: PlatformAuthError, status: int) -> None:
        reply = refusal(error)
        assert reply.status == status
        assert reply.body == {"error": error.to_dict()}

    @pytest.mark.parametrize(
        ("method", "path", "query", "body"),
        [
            ("GET", f"{V}/prod", {"since": "x"}, {}),
            ("GET", f"{V}/prod", {"since": "-1"}, {}),
            ("GET", f"{V}/prod", {"since": "1", "wait": "inf"}, {}),
            ("GET", f"{V}/prod", {"since": "1", "wait": "nan"}, {}),
            ("GET", f"{V}/prod/token", {"min_ttl": "-1"}, {}),
            ("GET", f"{V}/prod/token", {"min_ttl": "soon"}, {}),
            ("GET", f"{V}/prod/token", {"min_ttl": "1e400"}, {}),
            ("POST", f"{V}/prod/sign-in", {}, {"flow": 5}),
            ("POST", f"{V}/prod/sign-in", {}, {"force": "yes"}),
            ("POST", f"{V}/prod/sign-in", {}, {"redirect": []}),
            ("POST", f"{V}/prod/complete", {}, {}),
            ("POST", f"{V}/prod/complete", {}, {"url": " "}),
            ("POST", f"{V}/prod/complete", {}, {"url": 5}),
            ("PUT", f"{V}/mine", {}, {}),
            ("PUT", f"{V}/mine", {}, {"config": "x"}),
            ("PUT", f"{V}/mine", {}, {"config": {"admin": 5}}),
            ("PUT", f"{V}/mine", {}, {"like": "prod"}),
            ("PUT", f"{V}/mine", {}, {"like": 5, "scopes": []}),
            ("PUT", f"{V}/mine", {}, {"like": "prod", "scopes": [5]}),
            ("POST", f"{V}/prod/sign-in", {}, {"flow": "pigeon"}),
            ("POST", f"{V}/prod/sign-in", {}, {"redirect": "pigeon"}),
        ],
    )
    def test_a_call_that_is_wrong(
        self, bench: Bench, method: str, path: str, query: dict[str, str], body: dict[str, Any]
    ) -> None:
        answer = ask(bench, method, path, query, body)
        assert answer.status == 400
        assert answer.body["error"]["what"]

    def test_what_nobody_foresaw_is_logged_and_not_told(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fails(*_: object, **__: object) -> None:
            raise ZeroDivisionError("access_token=CANARY")

        monkeypatch.setattr(bench.broker, "session", fails)
        with caplog.at_level(logging.ERROR):
            answer = ask(bench, "GET", f"{V}/prod")
        assert answer.status == 502
        assert "ZeroDivision" not in json.dumps(answer.body)
        assert "ZeroDivisionError" in caplog.text
        assert "CANARY" not in caplog.text

    @pytest.mark.parametrize("body", [b"[]", b"5", b"null", b"{", b"\xff", b"[" * 50_000])
    def test_a_body_that_is_no_object(self, body: bytes) -> None:
        with pytest.raises(errors.BrokerError) as caught:
            json_object(body)
        assert refusal(caught.value).status == 400

    def test_no_body_is_an_empty_one(self) -> None:
        assert json_object(b"") == {}


class TestCalls:
    def test_a_whole_life(self, bench: Bench) -> None:
        bench.provider.metadata["end_session_endpoint"] = "https://id.example.com/end"
        protocol = Protocol(bench.broker, private=True)

        async def call(method: str, path: str, **body: Any) -> dict[str, Any]:
            reply = await protocol.answer(method, f"{V}/prod{path}", {}, body)
            assert reply.status == 200, reply.body
            json.dumps(reply.body)
            return reply.body

        async def work() -> None:
            assert (await call("GET", ""))["state"] == "signed_out"
            assert (await call("POST", "/sign-in"))["state"] == "signing_in"
            assert (await call("POST", "/cancel"))["state"] == "signed_out"
            challenge = (await call("POST", "/sign-in", redirect="paste"))["challenge"]
            pasted = f"  {bench.provider.authorize(challenge['url'])}\n"
            assert (await call("POST", "/complete", url=pasted))["state"] == "signed_in"
            token = await call("GET", "/token")
            assert token["access_token"] == "at-1-CANARY"
            assert token["token_type"] == "Bearer"
            assert token["header"] == "authorization"
            assert token["expires_at"] == bench.clock.time() + 300
            assert token["expires_in"] == pytest.approx(300, abs=5)
            left = await call("POST", "/sign-out")
            assert left["state"] == "signed_out"
            assert left["logout_url"].startswith("https://id.example.com/end?client_id=")
            assert "logout_url" not in await call("GET", "")  # an answer's, not the session's

        bench.run(work)

    def test_a_refused_token_is_replaced(self, bench: Bench) -> None:
        protocol = Protocol(bench.broker, private=True)

        async def work() -> None:
            stale = (await bench.signed_in()).fingerprint
            query = {"stale": stale, "min_ttl": "10"}
            reply = await protocol.answer("GET", f"{V}/prod/token", query, {})
            assert reply.body["access_token"] == "at-2-CANARY"

        bench.run(work)

    def test_a_token_nobody_can_have_yet(self, bench: Bench) -> None:
        answer = ask(bench, "GET", f"{V}/prod/token")
        assert answer.status == 409
        assert answer.body["error"]["code"] == "sign_in_required"

    def test_a_bound_sign_in_cannot_be_completed_by_pasting(self, bench: Bench) -> None:
        protocol = Protocol(bench.broker, private=False)

        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            body = {"url": bench.provider.authorize(url)}
            reply = await protocol.answer("POST", f"{V}/prod/complete", {}, body)
            assert reply.body["error"]["code"] == "callback_invalid"

        bench.run(work)

    def test_the_list(self, bench: Bench) -> None:
        body = ask(bench, "GET", V).body
        assert body["version"] == 1
        assert body["default"] is None
        assert [view["profile"] for view in body["profiles"]] == ["prod", "dev", "service"]
        assert body["problems"] == []


class TestLongPoll:
    def test_it_answers_as_soon_as_something_is_new(self, bench: Bench) -> None:
        protocol = Protocol(bench.broker, private=False)

        async def work() -> None:
            view = (await protocol.answer("GET", f"{V}/prod", {}, {})).body
            query = {"since": str(view["revision"]), "wait": "1000"}
            waiting = asyncio.create_task(protocol.answer("GET", f"{V}/prod", query, {}))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not waiting.done()
            await bench.broker.sign_in("prod")
            fresh = (await asyncio.wait_for(waiting, 5)).body
            assert fresh["state"] == "signing_in"
            assert fresh["revision"] > view["revision"]

        bench.run(work)

    def test_it_answers_at_once_to_whoever_is_behind(self, bench: Bench) -> None:
        assert ask(bench, "GET", f"{V}/prod", {"since": "0", "wait": "1000"}).status == 200

    def test_it_lasts_half_a_minute_at_most(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits: list[float] = []

        async def changed(_self: object, _since: int, wait: float) -> None:
            waits.append(wait)

        monkeypatch.setattr("platform_auth.broker.session.Session.changed", changed)
        ask(bench, "GET", f"{V}/prod", {"since": "0", "wait": "1000"})
        ask(bench, "GET", f"{V}/prod", {"since": "0"})
        assert waits == [MAX_WAIT, 0]
        assert MAX_WAIT <= 30


class TestView:
    MEMBERS = (
        "profile", "state", "revision", "start", "platform", "endpoint", "flow", "client", "source",
        "locked", "default", "signed_in_as", "signed_in_at", "refreshed_at", "expires_at",
        "next_refresh", "scopes", "notices", "key_source", "sign_in_url", "challenge", "error",
        "last_error", "warnings", "speaks", "interactive",
    )  # fmt: skip

    def test_what_it_says(self, bench: Bench) -> None:
        async def work() -> dict[str, Any]:
            await bench.signed_in()
            protocol = Protocol(bench.broker, private=False)
            return (await protocol.answer("GET", f"{V}/prod", {}, {})).body

        view = bench.run(work)
        assert set(self.MEMBERS) <= set(view)
        assert "config" not in view
        assert view["platform"] == "flyte.example.com"
        assert view["endpoint"] == "https://flyte.example.com"
        assert (view["flow"], view["source"], view["locked"]) == ("pkce", "admin", True)
        assert view["signed_in_as"] == "ada@example.com"
        assert view["expires_at"] == bench.clock.time() + 300
        assert 120 <= view["next_refresh"] - bench.clock.time() <= 138  # 150, less 4 to 10 %
        assert view["signed_in_at"] == view["refreshed_at"] == bench.clock.time()
        assert (view["notices"], view["last_error"], view["key_source"]) == ([], None, "memory")
        assert view["scopes"] == ["openid", "offline_access"]
        assert view["sign_in_url"] == "/platform-auth/login?profile=prod"

    def test_ones_own_programs_get_the_configuration_without_its_secrets(
        self, bench: Bench
    ) -> None:
        view = ask(bench, "GET", f"{V}/service").body
        assert view["config"]["admin"]["endpoint"] == "flyte.example.com"
        assert "CANARY" not in json.dumps(view)

    def test_it_warns_of_what_is_switched_off(self, new_bench: type[Bench]) -> None:
        admin = {**PROFILES["prod"]["admin"], "insecureSkipVerify": True}
        profiles = {"prod": {"admin": admin, "oauth": PROFILES["prod"]["oauth"]}}
        bench = new_bench(Profiles(admin=profiles, user_file=None, flyte=False))
        [warning] = ask(bench, "GET", f"{V}/prod").body["warnings"]
        assert warning.startswith("Certificates are not verified")

    def test_a_profile_that_cannot_be_used_has_one_too(self, new_bench: type[Bench]) -> None:
        broken = {"prod": {"admin": {"endpoint": "a.example.com", "authType": "Pigeon"}}}
        bench = new_bench(Profiles(admin=broken, user_file=None, flyte=False))
        views = ask(bench, "GET", V).body["profiles"]
        for view in views:
            assert view["state"] == "failed"
            assert set(view) == set(self.MEMBERS)
            assert view["error"]["code"] == "config_invalid"


class TestQrCode:
    def test_it_is_the_address_of_the_code_and_none_without_one(self, bench: Bench) -> None:
        protocol = Protocol(bench.broker, private=False)
        address = "https://id.example.com/device?user_code=WDJB-MJHT"
        bench.provider.metadata["device_authorization_endpoint"] = f"{ISSUER}/device_authorization"
        bench.provider.next["device_authorization"].append(
            reply(
                {
                    "device_code": "dc-CANARY",
                    "user_code": "WDJB-MJHT",
                    "verification_uri": "https://id.example.com/device",
                    "verification_uri_complete": address,
                    "expires_in": 600,
                }
            )
        )
        bench.provider.next["token"] += [reply({"error": "authorization_pending"}, 400)] * 9

        async def work() -> None:
            before = await protocol.answer("GET", f"{V}/prod/qr", {}, {})
            assert (before.status, before.body) == (200, {"qr": None})
            await bench.broker.sign_in("prod", flow="device")
            code = qr_code(address)
            drawn = (await protocol.answer("GET", f"{V}/prod/qr", {}, {})).body["qr"]
            assert drawn == {"size": code.size, "path": code.path}
            await bench.broker.cancel("prod")

        bench.run(work)
