from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fakes.bench import PROFILES, Bench, until
from fakes.provider import ISSUER, reply
from platform_auth.broker.session import State
from platform_auth.broker.stores.memory import MemoryStore
from platform_auth.config import Policy, Profiles
from platform_auth.errors import (
    BrokerError,
    BrokerUnavailableError,
    ConfigError,
    PolicyError,
    ProfileNotFoundError,
    SignInRequiredError,
    TransportError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from platform_auth.broker.event import Event
    from platform_auth.broker.record import Record

AD_HOC = {
    "admin": {
        "endpoint": "mine.example.com",
        "authType": "Pkce",
        "clientId": "notebook",
        "scopes": ["openid"],
    },
    "oauth": {"issuer": ISSUER},
}


class LateStore(MemoryStore):
    """A store that takes its time to load, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.loads = asyncio.Event(), 0
        self.fault: Exception | None = None

    async def load(self, profile: str) -> Record | None:
        self.loads += 1
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return await super().load(profile)


class TestSession:
    def test_no_such_profile(self, bench: Bench) -> None:
        async def work() -> None:
            with pytest.raises(ProfileNotFoundError, match="prd") as caught:
                await bench.broker.session("prd")
            assert "prod" in caught.value.fix

        bench.run(work)

    def test_it_is_the_same_for_everybody(self, bench: Bench) -> None:
        async def work() -> None:
            found = await asyncio.gather(*(bench.broker.session("prod") for _ in range(50)))
            assert len(set(map(id, found))) == 1

        bench.run(work)

    def test_it_is_loaded_once_and_nobody_sees_it_before(self, new_bench: type[Bench]) -> None:
        store = LateStore()
        bench = new_bench(store=store)

        async def work() -> None:
            store.gate.set()
            await bench.sign_in()
            other = new_bench(store=store)
            store.gate.clear()
            store.loads = 0
            asking = [asyncio.create_task(other.broker.token("prod")) for _ in range(50)]
            await asyncio.sleep(0)
            store.gate.set()
            tokens = {token.fingerprint for token in await asyncio.gather(*asking)}
            assert len(tokens) == 1
            assert store.loads == 1

        bench.run(work)

    def test_a_store_that_fails_is_asked_again(self, new_bench: type[Bench]) -> None:
        store = LateStore()
        store.gate.set()
        store.fault = BrokerUnavailableError("busy")
        bench = new_bench(store=store)

        async def work() -> None:
            with pytest.raises(BrokerUnavailableError):
                await bench.broker.session("prod")
            store.fault = None
            assert (await bench.broker.session("prod")).state is State.SIGNED_OUT

        bench.run(work)

    def test_a_store_that_fails_later_ends_nobodys_session(
        self, new_bench: type[Bench], caplog: pytest.LogCaptureFixture
    ) -> None:
        store = LateStore()
        store.gate.set()
        bench = new_bench(store=store)

        async def work() -> None:
            token = await bench.signed_in()
            record = await store.load("prod")
            assert record is not None
            await store.save(replace(record, generation=7))  # another process's news
            store.fault = OSError("input/output error")
            for _ in range(3):
                assert (await bench.broker.token("prod")).fingerprint == token.fingerprint
            assert "still serves" in caplog.text

        bench.run(work)

    def test_a_caller_that_goes_away_while_it_is_loaded(self, new_bench: type[Bench]) -> None:
        store = LateStore()
        bench = new_bench(store=store)

        async def work() -> None:
            gone = asyncio.create_task(bench.broker.session("prod"))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            store.gate.set()
            assert (await bench.broker.session("prod")).state is State.SIGNED_OUT

        bench.run(work)


class TestAdHoc:
    def test_a_profile_from_code(self, bench: Bench) -> None:
        async def work() -> None:
            session = await bench.broker.put("mine", AD_HOC)
            assert session.profile.config.host == "mine.example.com"
            assert "mine" in bench.broker.names()
            await bench.sign_in("mine")
            assert (await bench.broker.put("mine", AD_HOC)) is session
            assert session.state is State.SIGNED_IN

        bench.run(work)

    def test_another_configuration_under_the_same_name_starts_anew(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.broker.put("mine", AD_HOC)
            await bench.sign_in("mine")
            moved = {**AD_HOC, "admin": {**AD_HOC["admin"], "endpoint": "evil.example.com"}}
            session = await bench.broker.put("mine", moved)
            assert session.state is State.SIGNED_OUT
            with pytest.raises(SignInRequiredError):
                await bench.broker.token("mine")

        bench.run(work)

    def test_it_never_replaces_a_configured_one(self, bench: Bench) -> None:
        async def work() -> None:
            with pytest.raises(PolicyError, match="configured"):
                await bench.broker.put("prod", AD_HOC)

        bench.run(work)

    def test_nor_one_that_is_configured_later(self, new_bench: type[Bench], tmp_path: Path) -> None:
        file = tmp_path / "profiles.yaml"
        file.write_text("profiles: {other: {admin: {endpoint: a.example.com}}}")
        bench = new_bench(Profiles(user_file=file, flyte=False))

        async def work() -> None:
            await bench.broker.put("mine", AD_HOC)
            file.write_text("profiles: {mine: {admin: {endpoint: configured.example.com}}}")
            session = await bench.broker.session("mine")
            assert session.profile.config.host == "configured.example.com"
            assert bench.broker.names() == ["mine"]

        bench.run(work)

    @pytest.mark.parametrize(
        "policy",
        [Policy(allow_user_profiles=False), Policy(allowed_endpoints=("*.corp.example",))],
    )
    def test_the_administrators_policy_holds(self, new_bench: type[Bench], policy: Policy) -> None:
        profiles = Profiles(admin={}, policy=policy, user_file=None, flyte=False)
        bench = new_bench(profiles)

        async def work() -> None:
            with pytest.raises(PolicyError):
                await bench.broker.put("mine", AD_HOC)
            assert bench.broker.names() == []

        bench.run(work)

    def test_a_flow_that_is_not_allowed_cannot_be_chosen_either(
        self, new_bench: type[Bench]
    ) -> None:
        policy = Policy(allowed_flows=("pkce",))
        profiles = Profiles(admin={"prod": AD_HOC}, policy=policy, user_file=None, flyte=False)
        bench = new_bench(profiles)

        async def work() -> None:
            with pytest.raises(PolicyError, match="device"):
                await bench.broker.sign_in("prod", flow="device")
            assert (await bench.broker.sign_in("prod")).challenge is not None

        bench.run(work)

    def test_scopes_that_a_platform_asks_for_are_below_the_ceiling_too(
        self, new_bench: type[Bench]
    ) -> None:
        policy = Policy(allowed_scopes=("openid",))
        profiles = Profiles(admin={"prod": AD_HOC}, policy=policy, user_file=None, flyte=False)
        bench = new_bench(profiles)

        async def work() -> None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(bench.broker, "scopes", _scopes_of_the_platform)
                with pytest.raises(PolicyError, match="all"):
                    await bench.broker.sign_in("prod")

        bench.run(work)

    @pytest.mark.parametrize("mapping", [{"admin": {"endpont": "x"}}, {"admin": []}])
    def test_a_mapping_that_is_wrong(self, bench: Bench, mapping: dict[str, Any]) -> None:
        async def work() -> None:
            with pytest.raises(ConfigError):
                await bench.broker.put("mine", mapping)
            with pytest.raises(ConfigError):
                await bench.broker.put("a/b", AD_HOC)

        bench.run(work)


async def _scopes_of_the_platform(_session: object) -> tuple[str, ...]:
    return ("openid", "all")


class TestSignOut:
    def test_refresh_token_first_then_access_token(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            session = (await bench.broker.sign_out("prod")).session
            assert session.state is State.SIGNED_OUT
            assert session.identity is None

        bench.run(work)
        assert bench.provider.revoked == ["rt-1-CANARY", "at-1-CANARY"]

    def test_gone_here_before_the_provider_hears_of_it(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.gate.clear()
            leaving = asyncio.create_task(bench.broker.sign_out("prod"))
            await until(lambda: bench.provider.requests)
            with pytest.raises(SignInRequiredError):
                await bench.broker.token("prod")
            assert await bench.broker._store.load("prod") is None
            bench.provider.gate.set()
            await leaving

        bench.run(work)

    def test_one_token_refused_the_other_is_still_revoked(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.next["revoke"].append(reply({"error": "unsupported_token_type"}, 400))
            await bench.broker.sign_out("prod")

        bench.run(work)
        assert bench.provider.revoked == ["at-1-CANARY"]

    def test_a_provider_that_never_answers_holds_nobody_up(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("platform_auth.broker.sign_out.REVOKE_SECONDS", 0.01)

        async def work() -> None:
            await bench.signed_in()
            bench.provider.gate.clear()
            left = await bench.broker.sign_out("prod")
            assert left.session.state is State.SIGNED_OUT
            assert left.session.error is None

        bench.run(work)

    def test_a_record_that_cannot_be_erased_is_revoked(self, new_bench: type[Bench]) -> None:
        class Stuck(MemoryStore):
            async def delete(self, profile: str) -> None:
                raise BrokerError(f"{profile} cannot be erased.")

        bench = new_bench(store=Stuck())

        async def work() -> None:
            await bench.signed_in()
            with pytest.raises(BrokerError):
                await bench.broker.sign_out("prod")

        bench.run(work)
        assert bench.provider.revoked == ["rt-1-CANARY", "at-1-CANARY"]

    @pytest.mark.parametrize(
        "answer", [TransportError("down"), reply({"error": "invalid_client"}, 401), reply({}, 503)]
    )
    def test_here_whatever_the_provider_says(self, bench: Bench, answer: Any) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.next["revoke"].append(answer)
            session = (await bench.broker.sign_out("prod")).session
            assert session.state is State.SIGNED_OUT
            assert session.error is None
            with pytest.raises(SignInRequiredError, match="not signed in"):
                await bench.broker.token("prod")

        bench.run(work)

    def test_who_is_not_signed_in_asks_nobody(self, bench: Bench) -> None:
        async def work() -> None:
            session = (await bench.broker.sign_out("prod")).session
            assert session.state is State.SIGNED_OUT

        bench.run(work)
        assert not bench.provider.requests

    def test_it_calls_a_sign_in_off(self, bench: Bench) -> None:
        async def work() -> None:
            session = await bench.broker.sign_in("prod")
            await bench.broker.sign_out("prod")
            assert session.state is State.SIGNED_OUT
            assert session.challenge is None

        bench.run(work)

    def test_where_to_sign_out_at_the_provider_too(self, bench: Bench) -> None:
        bench.provider.metadata["end_session_endpoint"] = f"{ISSUER}/end?tenant=a"

        async def work() -> None:
            await bench.signed_in()
            url = (await bench.broker.sign_out("prod")).logout_url
            assert url.startswith(f"{ISSUER}/end?tenant=a&")
            # Who asks and who is meant, but no token: an address is kept in too many places.
            asked = {"tenant": ["a"], "client_id": ["notebook"], "logout_hint": ["ada@example.com"]}
            assert parse_qs(urlsplit(url).query) == asked
            # Signed out is signed out: there is nobody left whom it could be about.
            assert (await bench.broker.sign_out("prod")).logout_url is None

        bench.run(work)

    def test_and_nowhere_that_is_not_known(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            assert (await bench.broker.sign_out("prod")).logout_url is None

        bench.run(work)

    def test_a_service_has_no_page_to_leave(self, bench: Bench) -> None:
        bench.provider.metadata["end_session_endpoint"] = f"{ISSUER}/end"

        async def work() -> None:
            await bench.broker.sign_in("service")
            assert (await bench.broker.sign_out("service")).logout_url is None

        bench.run(work)

    def test_an_expired_sign_in_can_be_ended_at_the_provider(self, bench: Bench) -> None:
        bench.provider.metadata["end_session_endpoint"] = f"{ISSUER}/end"

        async def work() -> None:
            await bench.signed_in()
            bench.provider.refresh_tokens.clear()
            bench.clock.advance(301)
            with pytest.raises(SignInRequiredError):
                await bench.broker.token("prod")
            assert "logout_hint=ada%40example.com" in (
                (await bench.broker.sign_out("prod")).logout_url or ""
            )

        bench.run(work)

    def test_a_page_of_the_profile_serves_without_the_provider(
        self, new_bench: type[Bench]
    ) -> None:
        oauth = {"issuer": ISSUER, "end_session_endpoint": "https://sso.example.com/out"}
        profiles = {"prod": {"admin": PROFILES["prod"]["admin"], "oauth": oauth}}
        bench = new_bench(Profiles(admin=profiles, user_file=None, flyte=False))

        async def work() -> None:
            await bench.signed_in()
            for endpoint in ("openid-configuration", "oauth-authorization-server"):
                bench.provider.next[endpoint].append(TransportError("down"))
            bench.provider.next["revoke"].extend([TransportError("down")] * 2)
            bench.clock.advance(4000)  # what was known of the provider has aged
            url = (await bench.broker.sign_out("prod")).logout_url
            assert url.startswith("https://sso.example.com/out?client_id=notebook")

        bench.run(work)
        assert bench.provider.revoked == []

    def test_others_stay(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in("prod")
            await bench.signed_in("dev")
            await bench.broker.sign_out("prod")
            assert (await bench.broker.token("dev")).remaining > 0

        bench.run(work)


def test_a_token_goes_into_the_platforms_own_header(new_bench: type[Bench]) -> None:
    oauth = {"issuer": ISSUER, "authorization_metadata_key": "Flyte-Authorization"}
    profiles = {"prod": {"admin": PROFILES["prod"]["admin"], "oauth": oauth}}
    bench = new_bench(Profiles(admin=profiles, user_file=None, flyte=False))

    async def work() -> None:
        token = await bench.signed_in()
        assert token.header == "flyte-authorization"
        assert token.authorization == "Bearer at-1-CANARY"

    bench.run(work)


def test_nobody_signed_in_is_told_where(bench: Bench) -> None:
    async def work() -> None:
        with pytest.raises(SignInRequiredError) as caught:
            await bench.broker.token("prod")
        assert "flyte.example.com" in caught.value.what
        assert "%platform_login prod" in caught.value.fix

    bench.run(work)
    assert not bench.provider.requests


def test_observers_are_told(new_bench: type[Bench]) -> None:
    seen: list[tuple[str, str]] = []

    class Watcher:
        def session_changed(self, session: Any) -> None:
            seen.append(("session", session.state.value))

        def happened(self, event: Event) -> None:
            seen.append((event.kind.value, event.result))

        def token_requested(self, result: str) -> None:
            seen.append(("requested", result))

        def close(self) -> None:
            seen.append(("closed", ""))

    bench = new_bench(observer=Watcher())

    async def work() -> None:
        with pytest.raises(SignInRequiredError):
            await bench.broker.token("prod")
        await bench.sign_in()
        bench.clock.advance(301)
        await bench.broker.token("prod")
        bench.provider.next["token"].append(TransportError("down"))
        bench.clock.advance(301)
        with pytest.raises(TransportError):
            await bench.broker.token("prod")

    bench.run(work)
    assert [each for each in seen if each[0] != "session"] == [
        ("requested", "sign_in_required"),
        ("sign_in", "ok"),
        ("refresh", "ok"),
        ("requested", "ok"),
        ("refresh", "unreachable"),
        ("requested", "unreachable"),
        ("closed", ""),
    ]
    states = [state for kind, state in seen if kind == "session"]
    assert states[0] == "signing_in"
    assert states[-1] == "signed_in"
