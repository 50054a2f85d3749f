from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from fakes.bench import CALLBACK, HERE, PROFILES, Bench, settled
from fakes.clock import FakeClock
from fakes.provider import Provider, reply
from platform_auth.broker.broker import Broker
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.session import State
from platform_auth.broker.stores.memory import MemoryStore
from platform_auth.broker.view import session_view
from platform_auth.broker.windows import LEAST_SPREAD, MOST_SPREAD
from platform_auth.config import Profiles
from platform_auth.errors import SignInRequiredError, TransportError
from platform_auth.oauth.driver import Driver

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from platform_auth.broker.event import Event
    from platform_auth.oauth.steps import Request, Response

HOUR = 3600.0


def answer_after(bench: Bench, seconds: float) -> None:
    """Have the provider take its time."""
    send = bench.provider.send

    async def late(request: Request) -> Response:
        passed = asyncio.Event()
        bench.clock.call_later(seconds, passed.set)
        await passed.wait()
        return await send(request)

    bench.provider.send = late  # type: ignore[method-assign]


def be_down(bench: Bench, *, between: tuple[float, float]) -> None:
    """Have the provider not answer for a while, in seconds from now."""
    send, begin = bench.provider.send, bench.clock.passed

    async def answer(request: Request) -> Response:
        if between[0] <= bench.clock.passed - begin < between[1]:
            raise TransportError("down")
        return await send(request)

    bench.provider.send = answer  # type: ignore[method-assign]


async def at_once(call: Coroutine[Any, Any, Any]) -> Any:
    """Make a call that must not have to wait for anything."""
    task = asyncio.create_task(call)
    await settled()
    assert task.done(), "a call waits"
    return task.result()


class TestNobodyWaits:
    @pytest.mark.parametrize(
        ("lifetime", "pause"), [(10, 1), (10, 44), (60, 1), (60, 59), (300, 1), (300, 290)]
    )
    def test_for_a_slow_provider_in_ten_minutes_of_calls(
        self, bench: Bench, lifetime: float, pause: float
    ) -> None:
        async def work() -> None:
            bench.provider.lifetime, bench.provider.with_id_token = lifetime, False
            await bench.signed_in()
            answer_after(bench, 2)
            seen = set()
            for _ in range(int(600 / pause)):
                token = await at_once(bench.broker.token("prod", min_ttl=60))
                seen.add(token.fingerprint)
                await bench.elapse(pause)
            while (await bench.broker.session("prod")).refreshing is not None:
                await bench.elapse(1)  # or the end would wait for it
            assert len(seen) >= min(600 / pause, 600 / lifetime) - 1

        bench.run(work)
        # At most one request for each life, less what is left to waiting.
        assert bench.refreshes() <= 600 / (0.35 * lifetime) + 1

    @pytest.mark.parametrize("spread", [LEAST_SPREAD, MOST_SPREAD])
    def test_while_the_provider_is_down_for_twenty_minutes(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, spread: float
    ) -> None:
        monkeypatch.setattr("platform_auth.broker.session.new_spread", lambda: spread)

        async def work() -> None:
            bench.provider.lifetime = HOUR
            await bench.signed_in()
            session = await bench.broker.session("prod")
            due = bench.broker.next_refresh(session)
            assert due is not None
            begin = due - bench.clock.time() - 1  # the worst moment
            be_down(bench, between=(begin, begin + 20 * 60))
            troubled = 0
            for _ in range(int(2 * HOUR / 10)):
                token = await at_once(bench.broker.token("prod"))
                assert bench.clock.time() < token.expires_at
                assert session.state is State.SIGNED_IN
                troubled += session.trouble is not None
                await bench.elapse(10)
            assert 100 < troubled < 130  # it was told, for as long as it lasted
            assert session.trouble is None

        bench.run(work)


class TestUse:
    def test_a_session_that_nobody_uses_is_left_to_rest(self, bench: Bench) -> None:
        async def work() -> None:
            bench.provider.lifetime = HOUR
            old = await bench.signed_in()
            await bench.elapse(8 * HOUR)
            assert bench.refreshes() == 1  # for whoever might have come back soon
            fresh = {(await bench.broker.token("prod")).fingerprint for _ in range(3)}
            assert len(fresh) == 1
            assert old.fingerprint not in fresh
            assert bench.refreshes() == 2

        bench.run(work)

    def test_whoever_uses_it_again_has_it_kept_fresh_again(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            await bench.elapse(8 * HOUR)
            await bench.broker.token("prod")
            before = bench.refreshes()
            await bench.elapse(200)  # past its first renewal, not yet at the next
            await at_once(bench.broker.token("prod"))
            assert bench.refreshes() == before + 1

        bench.run(work)

    def test_asking_how_it_is_is_no_use(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            await bench.elapse(HOUR)
            before = bench.refreshes()
            for _ in range(60):
                await bench.elapse(60)
                session_view(await bench.broker.session("prod"), bench.broker)
            assert bench.refreshes() == before

        bench.run(work)

    def test_short_lived_tokens_are_kept_fresh_for_a_pause_between_two_cells(
        self, bench: Bench
    ) -> None:
        async def work() -> None:
            bench.provider.lifetime = 10
            await bench.signed_in()
            await bench.elapse(299)
            await at_once(bench.broker.token("prod"))
            await bench.elapse(HOUR)
            before = bench.refreshes()
            await bench.elapse(HOUR)
            assert bench.refreshes() == before

        bench.run(work)

    def test_a_machine_that_slept_asks_once(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.clock.advance(8 * HOUR)  # no timer rings
            await bench.elapse(120)
            assert bench.refreshes() == 0
            await bench.broker.token("prod")
            await bench.elapse(10)
            assert bench.refreshes() == 1

        bench.run(work)


class TestEnd:
    def test_a_grant_that_ends_in_the_background_starts_no_sign_in(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            bench.provider.refresh_tokens.clear()
            await bench.elapse(HOUR)
            session = await bench.broker.session("prod")
            assert (session.state, session.challenge) == (State.EXPIRED, None)
            assert session.attempts == []
            assert bench.refreshes() == 1

        bench.run(work)
        assert [each.url for each in bench.provider.requests if "authorize" in each.url] == []

    def test_a_token_that_cannot_be_prolonged_says_when_it_dies(
        self, new_bench: type[Bench]
    ) -> None:
        store, seen = MemoryStore(), []

        class Watcher:
            def session_changed(self, session: Any) -> None:
                seen.append(session.state.value)

            def happened(self, event: Event) -> None:
                seen.append(event.kind.value)

            def token_requested(self, result: str) -> None:
                """Look away."""

            def close(self) -> None:
                """Look away."""

        bench = new_bench(store=store, observer=Watcher())

        async def work() -> None:
            bench.provider.next["token"].append(reply({"access_token": "at", "expires_in": 300}))
            await bench.signed_in()
            session = await bench.broker.session("prod")
            revision, at_work = session.revision, len(seen)
            waiting = asyncio.create_task(session.changed(revision, 1000))
            await bench.elapse(299)
            assert not waiting.done()
            await bench.elapse(2)
            await asyncio.wait_for(waiting, 5)
            assert (session.state, session.revision) == (State.EXPIRED, revision + 1)
            assert seen[at_work:] == ["expired", "expired"]  # the event, then the state
            assert await store.load("prod") is None
            with pytest.raises(SignInRequiredError, match="has ended") as caught:
                await bench.broker.token("prod")
            assert "no refresh token" in caught.value.why

        bench.run(work)

    def test_a_sign_out_by_another_process_is_noticed_and_final(
        self, new_bench: type[Bench]
    ) -> None:
        store = MemoryStore()
        bench = new_bench(store=store)

        async def work() -> None:
            await bench.signed_in()
            session = await bench.broker.session("prod")
            await store.delete("prod")
            await bench.elapse(HOUR)
            assert session.state is State.SIGNED_OUT
            assert await store.load("prod") is None

        bench.run(work)
        assert bench.refreshes() == 0

    def test_a_broker_that_ends_looks_after_nothing(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            await bench.broker.close()
            await bench.elapse(HOUR)

        bench.run(work)
        assert bench.refreshes() == 0


def test_a_thousand_brokers_of_one_second_do_not_come_back_in_one() -> None:
    provider, clock, came = Provider(), FakeClock(), []
    lifetime = 600
    provider.now, provider.lifetime = clock.time, lifetime

    async def send(request: Request) -> Response:
        if request.url.endswith("/token"):
            came.append(clock.passed)
        return provider.handle(request)

    profiles = Profiles(admin=PROFILES, user_file=None, flyte=False)

    def broker() -> Broker:
        driver = Driver(provider, monotonic=clock.monotonic)
        return Broker(profiles, Redirects("/login"), clock=clock, new_driver=lambda _config: driver)

    async def work() -> None:
        brokers = [broker() for _ in range(1000)]
        for each in brokers:
            await each.token("service")
        came.clear()
        while len(came) < len(brokers):
            assert clock.ring(lifetime)
            await settled()
        for each in brokers:
            await each.close()

    provider.send = send  # type: ignore[method-assign]
    provider.with_id_token = False
    asyncio.run(work())
    assert max(came) - min(came) >= 0.05 * lifetime
    middle = (max(came) + min(came)) / 2
    assert 300 < sum(at < middle for at in came) < 700  # and not most of them at one end


def test_a_fault_in_the_background_is_told_and_nobodys_state_changes(bench: Bench) -> None:
    fault = reply({"error": "server_error", "error_description": "<b>no</b>"}, 400)

    async def work() -> dict[str, Any]:
        await bench.signed_in()
        bench.provider.next["token"].extend([fault] * 50)
        await bench.elapse(200)
        return session_view(await bench.broker.session("prod"), bench.broker)

    view = bench.run(work)
    assert (view["state"], view["error"]) == ("signed_in", None)
    assert view["last_error"]["code"] == "unreachable"
    assert 110 <= view["last_error"].pop("at") - view["refreshed_at"] <= 200
    assert set(view["last_error"]) == {"code", "what", "why", "fix", "retryable"}
    assert "CANARY" not in json.dumps(view)


def test_a_browser_that_signs_in_anew_is_looked_after_as_well(bench: Bench) -> None:
    async def work() -> None:
        await bench.signed_in()
        url = await bench.broker.begin("prod", CALLBACK, HERE)
        await bench.broker.complete(bench.provider.authorize(url), HERE)
        bench.provider.requests.clear()
        await bench.broker.token("prod")
        await bench.elapse(200)

    bench.run(work)
    assert bench.refreshes() == 1


class TestOneOfManyBrokers:
    def test_renews_in_its_turn_and_for_whoever_asks_at_once(self, new_bench: type[Bench]) -> None:
        turns = asyncio.Semaphore(1)
        bench = new_bench(background=turns)

        async def work() -> None:
            bench.provider.lifetime = HOUR
            await bench.signed_in()
            await turns.acquire()  # the session of another is being renewed
            await bench.elapse(HOUR - 60)
            assert bench.refreshes() == 0
            turns.release()
            await settled()
            assert bench.refreshes() == 1
            await turns.acquire()
            await bench.elapse(2 * HOUR)
            await bench.broker.token("prod")
            assert bench.refreshes() == 2

        bench.run(work)
