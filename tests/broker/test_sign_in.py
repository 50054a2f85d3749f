from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from fakes.bench import CALLBACK, HERE, until
from fakes.provider import CLIENT, ISSUER, reply
from platform_auth.broker.attempt import Attempt, Binding
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.session import State
from platform_auth.config import Profiles
from platform_auth.errors import (
    AccessDeniedError,
    CallbackError,
    ConfigError,
    DiscoveryError,
    IdentityError,
    InvalidGrantError,
    PlatformAuthError,
    SignInCancelledError,
    SignInError,
    SignInExpiredError,
    TransportError,
)
from platform_auth.oauth.steps import Ask, DeviceChallenge

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.bench import Bench


class TestTrip:
    def test_there_and_back(self, bench: Bench) -> None:
        async def work() -> None:
            session = await bench.broker.sign_in("prod")
            assert session.state is State.SIGNING_IN
            assert session.challenge is not None
            assert session.challenge["kind"] == "open"
            assert session.challenge["url"] == "/platform-auth/login?profile=prod"
            assert session.challenge["expires_at"] == bench.clock.time() + 600
            assert await bench.sign_in() is session
            assert session.state is State.SIGNED_IN
            assert session.challenge is None
            assert session.identity is not None
            assert session.identity.label == "ada@example.com"
            assert not session.attempts

        bench.run(work)

    def test_a_browser_that_comes_by_itself_shows_as_a_sign_in(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.broker.begin("prod", CALLBACK, HERE)
            assert (await bench.broker.session("prod")).state is State.SIGNING_IN

        bench.run(work)

    def test_who_is_signed_in_need_not_again(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            session = await bench.broker.sign_in("prod")
            assert session.state is State.SIGNED_IN

        bench.run(work)
        assert not bench.provider.requests

    def test_but_may_and_the_old_token_serves_meanwhile(self, bench: Bench) -> None:
        async def work() -> None:
            old = await bench.signed_in()
            session = await bench.broker.sign_in("prod", force=True)
            assert session.state is State.SIGNING_IN
            assert (await bench.broker.token("prod")).fingerprint == old.fingerprint
            await bench.sign_in()
            assert (await bench.broker.token("prod")).fingerprint != old.fingerprint

        bench.run(work)

    def test_a_fixed_redirect_uri_is_used_as_it_is(self, new_bench: type[Bench]) -> None:
        fixed = "https://hub.example.com/hub/user-redirect/platform-auth/callback"
        admin = {"endpoint": "flyte.example.com", "authType": "Pkce", "clientId": CLIENT}
        profile = {"admin": admin, "oauth": {"issuer": ISSUER, "redirect_uri": fixed}}
        bench = new_bench(Profiles(admin={"prod": profile}, user_file=None, flyte=False))

        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            assert bench.provider.authorize(url).startswith(fixed)

        bench.run(work)

    def test_a_pasted_address(self, bench: Bench) -> None:
        async def work() -> None:
            session = await bench.broker.sign_in("prod", redirect="paste")
            assert session.challenge is not None
            assert session.challenge["kind"] == "paste"
            assert await bench.broker.complete(bench.provider.authorize(session.challenge["url"]))
            assert session.state is State.SIGNED_IN

        bench.run(work)

    def test_two_that_sign_in_at_once_are_one(self, bench: Bench) -> None:
        async def work() -> None:
            both = (bench.broker.sign_in("prod", redirect="paste") for _ in range(2))
            one, other = await asyncio.gather(*both)
            assert one is other
            assert one.state is State.SIGNING_IN
            assert len(one.attempts) == 1

        bench.run(work)


class TestWhoseAnswer:
    @pytest.mark.parametrize(
        "binding", [None, Binding("other", "ada"), Binding("browser-CANARY", "eve"), Binding()]
    )
    def test_another_browsers_or_users_is_refused_and_does_no_harm(
        self, bench: Bench, binding: Binding | None
    ) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url)
            with pytest.raises(CallbackError):
                await bench.broker.complete(back, binding)
            assert not bench.provider.sent_to("token")
            session = await bench.broker.complete(back, HERE)
            assert session.state is State.SIGNED_IN

        bench.run(work)

    def test_a_bound_answer_does_not_fit_a_pasted_sign_in(self, bench: Bench) -> None:
        async def work() -> None:
            session = await bench.broker.sign_in("prod", redirect="paste")
            assert session.challenge is not None
            back = bench.provider.authorize(session.challenge["url"])
            with pytest.raises(CallbackError):
                await bench.broker.complete(back, HERE)
            assert session.state is State.SIGNING_IN

        bench.run(work)

    @pytest.mark.parametrize(
        "url", [CALLBACK, f"{CALLBACK}?code=x&state=x", f"{CALLBACK}?code=x&state=", "", "http://["]
    )
    def test_rubbish_does_no_harm(self, bench: Bench, url: str) -> None:
        async def work() -> None:
            address = await bench.broker.begin("prod", CALLBACK, HERE)
            with pytest.raises(CallbackError):
                await bench.broker.complete(url, HERE)
            await bench.broker.complete(bench.provider.authorize(address), HERE)

        bench.run(work)

    def test_a_hundred_wrong_states_do_no_harm(self, bench: Bench) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            for number in range(100):
                with pytest.raises(CallbackError):
                    await bench.broker.complete(f"{CALLBACK}?code=x&state={number}", HERE)
            session = await bench.broker.complete(bench.provider.authorize(url), HERE)
            assert session.state is State.SIGNED_IN

        bench.run(work)

    def test_the_state_tells_two_platforms_apart(self, bench: Bench) -> None:
        async def work() -> None:
            prod = await bench.broker.begin("prod", CALLBACK, HERE)
            dev = await bench.broker.begin("dev", CALLBACK, HERE)
            second = await bench.broker.complete(bench.provider.authorize(dev), HERE)
            assert second.profile.name == "dev"
            assert (await bench.broker.session("prod")).state is State.SIGNING_IN
            first = await bench.broker.complete(bench.provider.authorize(prod), HERE)
            assert first.profile.name == "prod"

        bench.run(work)

    def test_another_issuers_answer_ends_it_without_a_token_request(self, bench: Bench) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url, iss="https://evil.example")
            with pytest.raises(CallbackError):
                await bench.broker.complete(back, HERE)
            assert not bench.provider.sent_to("token")
            assert (await bench.broker.session("prod")).state is State.FAILED

        bench.run(work)


class TestTwice:
    def test_a_page_that_is_loaded_again_says_the_same(self, bench: Bench) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url)
            first = await bench.broker.complete(back, HERE)
            for _ in range(3):
                assert await bench.broker.complete(back, HERE) is first

        bench.run(work)
        assert bench.refreshes() == 1

    @pytest.mark.parametrize("binding", [None, Binding("other", "ada")])
    def test_but_not_to_a_stranger(self, bench: Bench, binding: Binding | None) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url)
            await bench.broker.complete(back, HERE)
            with pytest.raises(CallbackError):
                await bench.broker.complete(back, binding)

        bench.run(work)
        assert bench.refreshes() == 1

    def test_and_not_after_the_sign_out(self, bench: Bench) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url)
            await bench.broker.complete(back, HERE)
            await bench.broker.sign_out("prod")
            with pytest.raises(CallbackError):
                await bench.broker.complete(back, HERE)
            assert (await bench.broker.session("prod")).state is State.SIGNED_OUT

        bench.run(work)
        assert bench.refreshes() == 1

    def test_and_not_after_a_denial(self, bench: Bench) -> None:
        """Though somebody was signed in before."""

        async def work() -> None:
            await bench.signed_in()
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url, code=None, error="access_denied")
            with pytest.raises(AccessDeniedError):
                await bench.broker.complete(back, HERE)
            with pytest.raises(CallbackError):
                await bench.broker.complete(back, HERE)

        bench.run(work)

    def test_a_browser_that_comes_twice_at_once_gets_one_outcome(self, bench: Bench) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url)
            bench.provider.gate.clear()
            twice = [asyncio.create_task(bench.broker.complete(back, HERE)) for _ in range(2)]
            await until(bench.refreshes)
            bench.provider.gate.set()
            one, other = await asyncio.gather(*twice)
            assert one is other
            assert one.state is State.SIGNED_IN

        bench.run(work)
        assert bench.refreshes() == 1

    def test_a_browser_that_goes_away_while_the_code_is_exchanged(self, bench: Bench) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url)
            bench.provider.gate.clear()
            gone = asyncio.create_task(bench.broker.complete(back, HERE))
            await until(bench.refreshes)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            bench.provider.gate.set()
            session = await bench.broker.complete(back, HERE)
            assert session.state is State.SIGNED_IN
            assert not session.attempts

        bench.run(work)
        assert bench.refreshes() == 1

    def test_two_tabs_and_the_last_one_counts(self, bench: Bench) -> None:
        async def work() -> None:
            urls = [await bench.broker.begin("prod", CALLBACK, HERE) for _ in range(2)]
            for url in urls:
                session = await bench.broker.complete(bench.provider.authorize(url), HERE)
                assert session.state is State.SIGNED_IN
            token = await bench.broker.token("prod")
            assert token.value.reveal() == "at-2-CANARY"

        bench.run(work)

    def test_no_more_than_thirty_two(self, bench: Bench) -> None:
        async def work() -> None:
            urls = [await bench.broker.begin("prod", CALLBACK, HERE) for _ in range(40)]
            session = await bench.broker.session("prod")
            await until(lambda: len(session.attempts) <= 32)
            assert len(session.attempts) == 32
            for url in urls[:8]:
                with pytest.raises(CallbackError):
                    await bench.broker.complete(bench.provider.authorize(url), HERE)
            for url in (urls[8], urls[-1]):
                await bench.broker.complete(bench.provider.authorize(url), HERE)

        bench.run(work)


class TestFailure:
    def test_a_denial_is_the_sessions_reason_and_the_next_try_works(self, bench: Bench) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url, code=None, error="access_denied")
            with pytest.raises(AccessDeniedError):
                await bench.broker.complete(back, HERE)
            session = await bench.broker.session("prod")
            assert session.state is State.FAILED
            assert isinstance(session.error, AccessDeniedError)
            assert session.challenge is None
            assert not bench.provider.sent_to("token")
            await bench.sign_in()
            assert session.state is State.SIGNED_IN
            assert session.error is None

        bench.run(work)

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (reply({"error": "invalid_grant"}, 400), InvalidGrantError),
            (TransportError("reset"), TransportError),
            (reply({}, 503), TransportError),
            (ZeroDivisionError(), PlatformAuthError),
        ],
    )
    def test_an_exchange_that_fails_is_not_repeated(
        self, bench: Bench, answer: Any, kind: type[PlatformAuthError]
    ) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            bench.provider.next["token"].append(answer)
            back = bench.provider.authorize(url)
            with pytest.raises(kind):
                await bench.broker.complete(back, HERE)
            with pytest.raises(CallbackError):
                await bench.broker.complete(back, HERE)
            assert (await bench.broker.session("prod")).state is State.FAILED

        bench.run(work)
        assert bench.refreshes() == 1

    def test_an_id_token_that_does_not_hold(self, bench: Bench) -> None:
        async def work() -> None:
            bench.provider.claims["aud"] = "other"
            with pytest.raises(IdentityError):
                await bench.sign_in()
            session = await bench.broker.session("prod")
            assert session.state is State.FAILED
            assert session.record is None

        bench.run(work)

    def test_a_failure_leaves_who_was_signed_in(self, bench: Bench) -> None:
        async def work() -> None:
            old = await bench.signed_in()
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            back = bench.provider.authorize(url, code=None, error="access_denied")
            with pytest.raises(AccessDeniedError):
                await bench.broker.complete(back, HERE)
            assert (await bench.broker.token("prod")).fingerprint == old.fingerprint
            assert (await bench.broker.session("prod")).state is State.SIGNED_IN

        bench.run(work)

    @pytest.mark.parametrize("way", ["server", "paste"])
    def test_a_provider_that_cannot_be_found_ends_the_wait(self, bench: Bench, way: str) -> None:
        async def work() -> None:
            bench.provider.metadata["issuer"] = "https://evil.example"
            begun = bench.broker.begin("prod", CALLBACK, HERE)
            if way == "paste":
                begun.close()
                begun = bench.broker.sign_in("prod", redirect="paste")  # type: ignore[assignment]
            with pytest.raises(DiscoveryError):
                await begun
            session = await bench.broker.session("prod")
            assert session.state is State.FAILED
            assert isinstance(session.error, DiscoveryError)

        bench.run(work)

    def test_another_person_is_refused_and_the_first_stays(self, bench: Bench) -> None:
        async def work() -> None:
            old = await bench.signed_in()
            bench.provider.claims |= {"sub": "grace", "email": "grace@example.com"}
            with pytest.raises(SignInError, match="grace") as caught:
                await bench.sign_in()
            assert "ada@example.com" in caught.value.what
            assert "Sign out first" in caught.value.fix
            assert (await bench.broker.token("prod")).fingerprint == old.fingerprint
            await bench.broker.sign_out("prod")
            session = await bench.sign_in()
            assert session.identity is not None
            assert session.identity.subject == "grace"

        bench.run(work)

    def test_another_person_after_an_expiry_is_refused_too(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.refresh_tokens.clear()
            bench.clock.advance(400)
            with pytest.raises(SignInError):
                await bench.broker.token("prod")
            bench.provider.claims["sub"] = "grace"
            with pytest.raises(SignInError, match="belongs to"):
                await bench.sign_in()

        bench.run(work)

    def test_a_flow_that_does_not_exist(self, bench: Bench) -> None:
        async def work() -> None:
            with pytest.raises(ConfigError, match="pigeon"):
                await bench.broker.sign_in("prod", flow="pigeon")
            assert (await bench.broker.session("prod")).state is State.SIGNED_OUT

        bench.run(work)


class TestEnd:
    def test_nobody_comes_in_time(self, new_bench: type[Bench]) -> None:
        bench = new_bench(sign_in_timeout=0.05)

        async def work() -> None:
            session = await bench.broker.sign_in("prod")
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            await session.changed(session.revision, 10)
            assert session.state is State.FAILED
            assert isinstance(session.error, SignInExpiredError)
            with pytest.raises(CallbackError):
                await bench.broker.complete(bench.provider.authorize(url), HERE)
            assert not session.attempts
            assert not bench.provider.sent_to("token")

        bench.run(work)

    def test_a_late_browsers_attempt_ends_by_itself(self, new_bench: type[Bench]) -> None:
        """Nobody waits for it any more: the first tab has signed in."""
        bench = new_bench(sign_in_timeout=0.2)

        async def work() -> None:
            late = await bench.broker.begin("prod", CALLBACK, HERE)
            session = await bench.sign_in()
            (attempt,) = session.attempts
            await asyncio.wait({attempt.task})
            assert session.state is State.SIGNED_IN
            with pytest.raises(CallbackError):
                await bench.broker.complete(bench.provider.authorize(late), HERE)

        bench.run(work)

    def test_called_off(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.broker.sign_in("prod")
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            session = await bench.broker.cancel("prod")
            assert session.state is State.SIGNED_OUT
            with pytest.raises(CallbackError):
                await bench.broker.complete(bench.provider.authorize(url), HERE)
            await bench.sign_in()
            assert session.state is State.SIGNED_IN

        bench.run(work)

    def test_called_off_while_the_code_is_exchanged(self, bench: Bench) -> None:
        async def work() -> None:
            url = await bench.broker.begin("prod", CALLBACK, HERE)
            bench.provider.gate.clear()
            ending = asyncio.create_task(bench.broker.complete(bench.provider.authorize(url), HERE))
            await until(bench.refreshes)
            await bench.broker.cancel("prod")
            with pytest.raises(SignInCancelledError):
                await ending
            assert (await bench.broker.session("prod")).state is State.SIGNED_OUT

        bench.run(work)

    def test_nothing_to_call_off_changes_nothing(self, bench: Bench) -> None:
        async def work() -> None:
            old = await bench.signed_in()
            session = await bench.broker.session("prod")
            revision = session.revision
            await bench.broker.cancel("prod")
            assert session.revision == revision
            assert (await bench.broker.token("prod")).fingerprint == old.fingerprint

        bench.run(work)

    def test_a_listener_ends_with_its_sign_in(self, new_bench: type[Bench]) -> None:
        bench = new_bench(redirects=Redirects())

        async def work() -> None:
            session = await bench.broker.sign_in("prod")
            (listener,) = bench.broker.redirects._listeners
            assert session.challenge is not None
            assert listener.redirect_uri in bench.provider.authorize(session.challenge["url"])
            await bench.broker.cancel("prod")
            await until(lambda: not listener.is_listening)

        bench.run(work)

    def test_listeners_of_two_platforms_do_not_end_each_other(self, new_bench: type[Bench]) -> None:
        bench = new_bench(redirects=Redirects())

        async def work() -> None:
            await bench.broker.sign_in("prod")
            await bench.broker.sign_in("dev")
            first, second = bench.broker.redirects._listeners
            assert first.is_listening
            assert second.is_listening
            assert first.redirect_uri != second.redirect_uri
            await bench.broker.cancel("dev")
            await until(lambda: not second.is_listening)
            assert first.is_listening

        bench.run(work)


class TestDevice:
    """A person with a code, and nobody's browser comes back here."""

    PENDING = reply({"error": "authorization_pending"}, 400)

    def prepared(self, bench: Bench, *answers: Any) -> None:
        asked = {
            "device_code": "device-CANARY",
            "user_code": "ABCD-EFGH",
            "verification_uri": f"{ISSUER}/activate",
            "expires_in": 60,
            "interval": 5,
        }
        bench.provider.next["device"].append(reply(asked))
        bench.provider.next["token"].extend(answers)

    def test_the_code_is_shown_until_it_has_been_entered(self, bench: Bench) -> None:
        self.prepared(bench, self.PENDING, self.PENDING)

        async def work() -> None:
            bench.provider.gate.set()
            session = await bench.broker.sign_in("prod", flow="device")
            assert session.challenge == {
                "kind": "device",
                "verification_uri": f"{ISSUER}/activate",
                "verification_uri_complete": None,
                "user_code": "ABCD-EFGH",
                "interval": 5,
                "expires_at": session.challenge["expires_at"] if session.challenge else 0,
            }
            await until(lambda: session.state is State.SIGNED_IN)
            assert session.record is not None
            assert session.record.flow == "device"
            assert session.challenge is None

        bench.run(work)
        assert bench.refreshes() == 3

    def test_a_caller_that_goes_away_leaves_nothing_that_cannot_be_called_off(
        self, bench: Bench
    ) -> None:
        self.prepared(bench)

        async def work() -> None:
            bench.provider.gate.clear()
            gone = asyncio.create_task(bench.broker.sign_in("prod", flow="device"))
            await until(lambda: bench.provider.requests)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            session = await bench.broker.cancel("prod")
            bench.provider.gate.set()
            for _ in range(50):
                await asyncio.sleep(0)
            assert session.state is State.SIGNED_OUT
            assert not bench.refreshes()

        bench.run(work)


class TestAttempt:
    def test_a_flow_that_asks_the_person_again_has_the_wrong_answer(self) -> None:
        """Answers come by their state, so that there can be no other."""

        async def work() -> None:
            challenge = DeviceChallenge("https://id.example.com", "AB", 600, 5)
            problem = CallbackError("no")
            attempt = Attempt(lambda person: _twice(person, challenge, problem))
            assert await attempt.challenge() is challenge
            await asyncio.wait({attempt.task})
            assert attempt.task.exception() is problem

        asyncio.run(work())

    def test_a_flow_that_waits_for_no_browser_takes_no_answer(self) -> None:
        async def work() -> None:
            attempt = Attempt(lambda _person: asyncio.sleep(0))  # type: ignore[arg-type]
            with pytest.raises(CallbackError):
                await attempt.complete(CALLBACK)
            assert await attempt.challenge() is None

        asyncio.run(work())

    def test_a_binding_shows_nothing_of_the_browser(self) -> None:
        assert "CANARY" not in repr(HERE)
        assert HERE.matches(Binding("browser-CANARY", "ada"))
        # Neither half may reach into the other.
        assert not Binding("b\nc", "a").matches(Binding("c", "a\nb"))


async def _twice(person: Any, challenge: DeviceChallenge, problem: CallbackError) -> None:
    await person(Ask(challenge))
    await person(Ask(challenge, problem=problem))


def test_a_changed_profile_drops_its_tokens(new_bench: type[Bench], tmp_path: Path) -> None:
    file = tmp_path / "profiles.yaml"
    text = (
        "profiles: {prod: {admin: {endpoint: HOST, authType: Pkce, clientId: notebook,"
        f" scopes: [openid, offline_access]}}, oauth: {{issuer: '{ISSUER}'}}}}}}"
    )
    file.write_text(text.replace("HOST", "flyte.example.com"))
    bench = new_bench(Profiles(user_file=file, flyte=False))

    async def work() -> None:
        await bench.signed_in()
        before = await bench.broker.session("prod")
        file.write_text(text.replace("HOST", "other.example.com"))
        after = await bench.broker.session("prod")
        assert after.state is State.SIGNED_OUT
        assert after.profile.config.host == "other.example.com"
        assert before.record is None
        with pytest.raises(SignInError):
            await bench.broker.token("prod")

    bench.run(work)
