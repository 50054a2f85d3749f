from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from fakes.bench import HERE, until
from fakes.provider import reply
from platform_auth.broker.session import State
from platform_auth.broker.stores.memory import MemoryStore
from platform_auth.errors import (
    BrokerError,
    IdentityError,
    InvalidClientError,
    PlatformAuthError,
    SignInRequiredError,
    TransportError,
)

if TYPE_CHECKING:
    from fakes.bench import Bench
    from platform_auth.broker.access_token import AccessToken
    from platform_auth.broker.record import Record

# A token lives for 300 s, may be renewed from 150 s on, and must live for 60 s to be handed out.
LATER, DUE, DEAD = 151, 241, 301


async def values(*calls: Any) -> set[str]:
    return {token.fingerprint for token in await asyncio.gather(*calls)}


class TestOneRequest:
    def test_however_many_wait_for_an_expired_token(self, bench: Bench) -> None:
        async def work() -> None:
            old = await bench.signed_in()
            bench.clock.advance(DEAD)
            fresh = await values(*(bench.broker.token("prod") for _ in range(200)))
            assert len(fresh) == 1
            assert old.fingerprint not in fresh

        bench.run(work)
        assert bench.refreshes() == 1

    def test_however_many_were_refused_with_the_same_token(self, bench: Bench) -> None:
        async def work() -> None:
            stale = (await bench.signed_in()).fingerprint
            fresh = await values(*(bench.broker.token("prod", stale=stale) for _ in range(200)))
            assert len(fresh) == 1
            assert stale not in fresh
            # Whoever was slow to learn of it gets the new one, too.
            assert await values(bench.broker.token("prod", stale=stale)) == fresh

        bench.run(work)
        assert bench.refreshes() == 1

    def test_none_for_a_token_that_was_replaced_or_never_ours(self, bench: Bench) -> None:
        async def work() -> None:
            token = await bench.signed_in()
            other = await bench.broker.token("prod", stale="0" * 32)
            assert other.fingerprint == token.fingerprint

        bench.run(work)
        assert bench.refreshes() == 0

    def test_for_a_services_first_token(self, bench: Bench) -> None:
        async def work() -> None:
            first = await values(*(bench.broker.token("service") for _ in range(200)))
            assert len(first) == 1

        bench.run(work)
        assert bench.refreshes() == 1

    def test_for_a_services_first_failure(self, bench: Bench) -> None:
        async def work() -> None:
            bench.provider.next["token"].append(reply({"error": "invalid_client"}, 401))
            calls = (bench.broker.token("service") for _ in range(200))
            failures = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(each) for each in failures} == {InvalidClientError}
            with pytest.raises(InvalidClientError):
                await bench.broker.token("service")

        bench.run(work)
        assert bench.refreshes() == 1


class TestWhen:
    def test_not_while_it_is_fresh(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(119)
            await bench.broker.token("prod")
            await bench.background()

        bench.run(work)
        assert bench.refreshes() == 0

    def test_in_the_background_from_then_on_and_nobody_waits(self, bench: Bench) -> None:
        async def work() -> None:
            old = await bench.signed_in()
            bench.clock.advance(LATER)
            bench.provider.gate.clear()
            during = await values(*(bench.broker.token("prod") for _ in range(50)))
            assert during == {old.fingerprint}
            bench.provider.gate.set()
            await bench.background()
            assert await values(bench.broker.token("prod")) != during

        bench.run(work)
        assert bench.refreshes() == 1

    def test_whoever_needs_more_life_than_is_left_waits(self, bench: Bench) -> None:
        async def work() -> None:
            old = await bench.signed_in()
            bench.clock.advance(DUE)
            assert await values(bench.broker.token("prod")) != {old.fingerprint}

        bench.run(work)
        assert bench.refreshes() == 1

    def test_nobody_gets_more_than_a_quarter_of_a_life_ahead(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            token = await bench.broker.token("prod", min_ttl=3600)
            assert token.remaining == pytest.approx(300, abs=5)
            assert token.lifetime == 300

        bench.run(work)
        assert bench.refreshes() == 0

    @pytest.mark.parametrize(
        ("passed", "background", "waits"), [(4, 0, False), (6, 1, False), (8, 1, True)]
    )
    def test_tokens_that_live_for_ten_seconds(
        self, bench: Bench, passed: float, background: int, waits: bool
    ) -> None:
        async def work() -> None:
            bench.provider.lifetime = 10
            old = await bench.signed_in()
            bench.clock.advance(passed)
            fresh = await bench.broker.token("prod")
            assert (fresh.fingerprint != old.fingerprint) is waits
            await bench.background()
            for _ in range(20):
                await bench.broker.token("prod")
            await bench.background()

        bench.run(work)
        assert bench.refreshes() == background

    @pytest.mark.parametrize(("margin", "due"), [(30, 255), (1000, 135)])
    def test_the_administrator_may_say_when(
        self,
        new_bench: type[Bench],
        monkeypatch: pytest.MonkeyPatch,
        margin: float,
        due: float,
    ) -> None:
        monkeypatch.setattr("platform_auth.broker.session.new_spread", lambda: 0.05)
        bench = new_bench(refresh_margin=margin)

        async def work() -> None:
            await bench.signed_in()
            session = await bench.broker.session("prod")
            assert session.record is not None
            at = bench.broker.next_refresh(session)
            assert at == bench.clock.time() + due
            bench.clock.advance(due - 2)
            await bench.broker.token("prod", min_ttl=1)
            assert session.refreshing is None
            bench.clock.advance(2)
            await bench.broker.token("prod", min_ttl=1)
            assert session.refreshing is not None

        bench.run(work)

    def test_never_without_a_refresh_token_but_it_lives_to_its_end(self, bench: Bench) -> None:
        async def work() -> None:
            bench.provider.next["token"].append(reply({"access_token": "at", "expires_in": 300}))
            await bench.signed_in()
            session = await bench.broker.session("prod")
            assert bench.broker.next_refresh(session) is None
            for _ in range(3):
                bench.clock.advance(99)
                assert (await bench.broker.token("prod")).value.reveal() == "at"
                assert session.state is State.SIGNED_IN
            bench.clock.advance(4)
            assert session.state is State.EXPIRED
            with pytest.raises(SignInRequiredError, match="has ended") as caught:
                await bench.broker.token("prod")
            assert "no refresh token" in caught.value.why
            assert session.state is State.EXPIRED

        bench.run(work)
        assert bench.refreshes() == 0

    def test_a_refused_token_without_a_refresh_token_asks_for_the_person(
        self, bench: Bench
    ) -> None:
        async def work() -> None:
            bench.provider.next["token"].append(reply({"access_token": "at", "expires_in": 300}))
            stale = (await bench.signed_in()).fingerprint
            bench.clock.advance(61)
            with pytest.raises(SignInRequiredError):
                await bench.broker.token("prod", stale=stale)
            # A second sign-in is possible at once.
            assert (await bench.sign_in()).state is State.SIGNED_IN

        bench.run(work)


class TestWhatComesBack:
    def test_the_new_refresh_token_is_used_the_next_time(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            for _ in range(5):
                bench.clock.advance(DEAD)
                await bench.broker.token("prod")

        bench.run(work)
        assert bench.refreshes() == 5
        assert len(bench.provider.refresh_tokens) == 1

    def test_where_none_comes_the_old_one_stays(self, bench: Bench) -> None:
        async def work() -> None:
            bench.provider.rotate = False
            await bench.signed_in()
            for _ in range(3):
                bench.clock.advance(DEAD)
                await bench.broker.token("prod")

        bench.run(work)
        assert bench.refreshes() == 3

    def test_somebody_elses_tokens_are_refused_and_the_live_one_stays(self, bench: Bench) -> None:
        async def work() -> None:
            old = await bench.signed_in()
            bench.provider.claims["sub"] = "grace"
            bench.clock.advance(LATER)
            await bench.broker.token("prod")
            await bench.background()
            session = await bench.broker.session("prod")
            assert (await bench.broker.token("prod")).fingerprint == old.fingerprint
            assert session.trouble is not None
            assert isinstance(session.trouble.error, IdentityError)
            assert session.identity is not None
            assert session.identity.subject == "ada"

        bench.run(work)

    def test_nobody_sees_a_token_before_it_is_safe(self, new_bench: type[Bench]) -> None:
        store = SlowStore()
        bench = new_bench(store=store)

        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(DEAD)
            store.gate.clear()
            waiting = asyncio.create_task(bench.broker.token("prod"))
            await store.saving.wait()
            session = await bench.broker.session("prod")
            assert not waiting.done()
            assert session.record is not None
            assert session.record.generation == 1
            store.gate.set()
            token = await waiting
            assert store.saved[-1].tokens.access_token == token.value

        bench.run(work)

    def test_what_cannot_be_saved_is_used_all_the_same(
        self, new_bench: type[Bench], caplog: pytest.LogCaptureFixture
    ) -> None:
        store = SlowStore()
        bench = new_bench(store=store)

        async def work() -> None:
            await bench.signed_in()
            store.fault = OSError("disk full")
            bench.clock.advance(DEAD)
            with caplog.at_level(logging.WARNING):
                first = await bench.broker.token("prod")
            assert "not saved" in caplog.text
            bench.clock.advance(DEAD)
            assert (await bench.broker.token("prod")).fingerprint != first.fingerprint

        bench.run(work)
        assert bench.refreshes() == 2


class TestEnd:
    @pytest.mark.parametrize("code", ["invalid_grant", "login_required", "interaction_required"])
    def test_a_grant_that_is_used_up_asks_for_the_person_and_nobody_else(
        self, bench: Bench, code: str
    ) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.next["token"].append(
                reply({"error": code, "error_description": "over"}, 400)
            )
            bench.clock.advance(DEAD)
            calls = (bench.broker.token("prod") for _ in range(100))
            failures = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(each) for each in failures} == {SignInRequiredError}
            session = await bench.broker.session("prod")
            assert session.state is State.EXPIRED
            assert session.identity is not None
            for _ in range(10):
                with pytest.raises(SignInRequiredError, match="has ended") as caught:
                    await bench.broker.token("prod")
            assert "platform-auth login prod" in caught.value.fix

        bench.run(work)
        assert bench.refreshes() == 1

    def test_it_is_forgotten_in_the_store_too(self, new_bench: type[Bench]) -> None:
        store = MemoryStore()
        bench = new_bench(store=store)

        async def work() -> None:
            await bench.signed_in()
            bench.provider.refresh_tokens.clear()
            bench.clock.advance(DEAD)
            with pytest.raises(SignInRequiredError):
                await bench.broker.token("prod")
            assert await store.load("prod") is None

        bench.run(work)

    def test_after_it_a_person_signs_in_again(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.refresh_tokens.clear()
            bench.clock.advance(DEAD)
            with pytest.raises(SignInRequiredError):
                await bench.broker.token("prod")
            session = await bench.sign_in()
            assert session.state is State.SIGNED_IN
            assert session.error is None
            assert (await bench.broker.token("prod")).remaining > 200

        bench.run(work)


class TestFault:
    FAULTS = (
        TransportError("down"),
        reply({}, 503),
        reply({"error": "temporarily_unavailable"}, 400),
        reply([]),
        reply({}),
        reply({"access_token": "x", "token_type": "mac"}),
        reply({"error": "invalid_client"}, 401),
    )

    @pytest.mark.parametrize("fault", FAULTS)
    def test_the_live_token_goes_on(self, bench: Bench, fault: Any) -> None:
        async def work() -> None:
            old = await bench.signed_in()
            bench.provider.next["token"].append(fault)
            bench.clock.advance(DUE)  # less than is wished for, but alive
            assert (await bench.broker.token("prod")).fingerprint == old.fingerprint
            session = await bench.broker.session("prod")
            assert session.state is State.SIGNED_IN
            assert session.trouble is not None
            assert (session.trouble.at, session.error) == (bench.clock.time(), None)

        bench.run(work)
        assert bench.refreshes() == 1

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_dead_one_does_not_but_the_session_stays(self, bench: Bench, fault: Any) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.next["token"].append(fault)
            bench.clock.advance(DEAD)
            with pytest.raises(PlatformAuthError) as caught:
                await bench.broker.token("prod")
            assert not isinstance(caught.value, SignInRequiredError)
            session = await bench.broker.session("prod")
            assert session.state is State.SIGNED_IN
            bench.clock.advance(60)
            assert (await bench.broker.token("prod")).remaining > 200
            assert session.trouble is None

        bench.run(work)

    def test_a_refused_one_does_not_either(self, bench: Bench) -> None:
        async def work() -> None:
            stale = (await bench.signed_in()).fingerprint
            bench.provider.next["token"].append(TransportError("down"))
            with pytest.raises(TransportError):
                await bench.broker.token("prod", stale=stale)

        bench.run(work)

    def test_it_is_not_tried_again_at_once(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.next["token"].append(TransportError("down"))
            bench.clock.advance(DEAD)
            for _ in range(50):
                with pytest.raises(TransportError):
                    await bench.broker.token("prod")
            assert bench.refreshes() == 1
            bench.clock.advance(5.1)
            await bench.broker.token("prod")

        bench.run(work)
        assert bench.refreshes() == 2

    def test_the_pauses_grow_to_a_minute_however_long_it_lasts(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(DEAD)
            session = await bench.broker.session("prod")
            pauses = []
            for number in range(1200):
                bench.provider.next["token"].append(TransportError("down"))
                with pytest.raises(TransportError):
                    await bench.broker.token("prod")
                pauses.append(session.retry_at - bench.clock.monotonic())
                bench.clock.advance(60)
                assert bench.refreshes() == number + 1
            assert 2.5 <= pauses[0] <= 5
            assert 5 <= pauses[1] <= 10
            assert all(30 <= pause <= 60 for pause in pauses[4:])
            assert len(set(pauses[4:])) > 100  # spread, lest a fleet come back at once

        bench.run(work)

    def test_a_server_that_says_when_is_asked_then(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.next["token"].append(reply({}, 503, retry_after="120"))
            bench.clock.advance(DEAD)
            with pytest.raises(TransportError):
                await bench.broker.token("prod")
            bench.clock.advance(119)
            with pytest.raises(TransportError):
                await bench.broker.token("prod")
            assert bench.refreshes() == 1
            bench.clock.advance(2)
            await bench.broker.token("prod")

        bench.run(work)

    def test_keys_that_cannot_be_had_cost_no_refresh_token(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(25 * 3600)  # the keys that were kept are too old
            bench.provider.next["jwks"].append(TransportError("down"))
            assert (await bench.broker.token("prod")).remaining > 200
            bench.clock.advance(DEAD)
            assert (await bench.broker.token("prod")).remaining > 200

        bench.run(work)

    def test_a_store_that_breaks_is_an_error_of_ours(
        self, new_bench: type[Bench], caplog: pytest.LogCaptureFixture
    ) -> None:
        store = SlowStore()
        bench = new_bench(store=store)

        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(DEAD)
            store.broken = True
            with caplog.at_level(logging.ERROR), pytest.raises(BrokerError):
                await bench.broker.token("prod")
            store.broken = False
            bench.clock.advance(60)
            await bench.broker.token("prod")

        bench.run(work)

    def test_an_error_that_is_raised_often_does_not_grow(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.next["token"].append(TransportError("down"))
            bench.clock.advance(DEAD)
            depths = [await depth_of_failure(bench) for _ in range(30)]
            assert depths[2] == depths[-1]

        bench.run(work)


class TestCancelled:
    def test_a_caller_that_goes_away_loses_nothing(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(DEAD)
            bench.provider.gate.clear()
            callers = [asyncio.create_task(bench.broker.token("prod")) for _ in range(5)]
            await until(bench.refreshes)
            for caller in callers:
                caller.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
            bench.provider.gate.set()
            await bench.background()
            await bench.broker.token("prod")
            bench.clock.advance(DEAD)
            await bench.broker.token("prod")  # the rotated refresh token was not lost

        bench.run(work)
        assert bench.refreshes() == 2

    def test_a_broker_that_ends_waits_for_what_is_under_way(self, new_bench: type[Bench]) -> None:
        store = SlowStore()
        bench = new_bench(store=store)

        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(LATER)
            bench.provider.gate.clear()
            await bench.broker.token("prod")
            await until(bench.refreshes)
            ending = asyncio.create_task(bench.broker.close())
            await asyncio.sleep(0)
            assert not ending.done()
            bench.provider.gate.set()
            await ending
            assert store.saved[-1].generation == 2

        bench.run(work)

    def test_a_sign_out_meanwhile_is_final(self, new_bench: type[Bench]) -> None:
        store = MemoryStore()
        bench = new_bench(store=store)

        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(LATER)
            bench.provider.gate.clear()
            await bench.broker.token("prod")
            await until(bench.refreshes)
            ending = asyncio.create_task(bench.broker.sign_out("prod"))
            session = await bench.broker.session("prod")
            await until(lambda: session.record is None)
            with pytest.raises(SignInRequiredError):
                await bench.broker.token("prod")
            bench.provider.gate.set()
            await ending
            assert session.state is State.SIGNED_OUT
            assert await store.load("prod") is None
            # What the refresh brought is what must be revoked.
            assert bench.provider.revoked == ["rt-2-CANARY", "at-2-CANARY"]

        bench.run(work)

    def test_a_sign_out_before_a_refresh_has_really_begun_is_final_too(
        self, new_bench: type[Bench]
    ) -> None:
        store = MemoryStore()
        bench = new_bench(store=store)

        async def work() -> None:
            await bench.signed_in()
            session = await bench.broker.session("prod")
            bench.clock.advance(LATER)
            await bench.broker.token("prod")
            assert session.refreshing is not None
            assert bench.refreshes() == 0
            await bench.broker.sign_out("prod")
            assert session.state is State.SIGNED_OUT
            assert await store.load("prod") is None
            assert bench.provider.revoked == ["rt-1-CANARY", "at-1-CANARY"]

        bench.run(work)
        assert bench.refreshes() == 0

    def test_a_sign_in_meanwhile_wins(self, new_bench: type[Bench]) -> None:
        store = MemoryStore()
        bench = new_bench(store=store)

        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(LATER)
            url = await bench.broker.begin("prod", "http://127.0.0.1/callback", HERE)
            bench.provider.gate.clear()
            await bench.broker.token("prod")
            await until(bench.refreshes)
            back = bench.provider.authorize(url)
            signing_in = asyncio.create_task(bench.broker.complete(back, HERE))
            await until(lambda: bench.refreshes() == 2)
            bench.provider.gate.set()
            session = await signing_in
            await bench.background()
            stored = await store.load("prod")
            assert stored is not None
            assert session.record == stored
            assert stored.tokens.access_token.reveal() == "at-3-CANARY"
            assert stored.generation == 3

        bench.run(work)


async def depth_of_failure(bench: Bench) -> int:
    try:
        await bench.broker.token("prod")
    except TransportError as error:
        traceback, depth = error.__traceback__, 0
        while traceback is not None:
            traceback, depth = traceback.tb_next, depth + 1
        return depth
    return 0


class SlowStore(MemoryStore):
    """Saves when it is let, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.saving = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.saved: list[Record] = []
        self.fault: Exception | None = None
        self.broken = False

    async def save(self, record: Record) -> None:
        self.saving.set()
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.saved.append(record)
        await super().save(record)

    def lock(self, profile: str) -> asyncio.Lock:
        if self.broken:
            raise OSError("no locks today")
        return super().lock(profile)


def test_tokens_know_their_header(bench: Bench) -> None:
    async def work() -> AccessToken:
        return await bench.signed_in()

    assert bench.run(work).header == "authorization"
