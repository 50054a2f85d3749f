from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from fakes.bench import until
from fakes.provider import reply
from platform_auth.broker.session import State
from platform_auth.broker.stores.memory import MemoryStore
from platform_auth.errors import SignInRequiredError, TransportError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fakes.bench import Bench
    from platform_auth.broker.record import Record

DEAD = 301


async def other_machines_record(store: MemoryStore, **changes: object) -> Record:
    """Put a newer record into the store, as one does whom the lock does not reach."""
    old = await store.load("prod")
    assert old is not None
    tokens = replace(
        old.tokens, access_token=Secret("at-theirs-CANARY"), refresh_token=Secret("rt-theirs")
    )
    issued = {"issued_at": old.issued_at + 290, "deadline": old.deadline + 290}
    new = replace(old, tokens=tokens, generation=7, **{**issued, **changes})  # type: ignore[arg-type]
    await store.save(new)
    return new


def test_whoever_was_overtaken_takes_what_the_other_one_has(new_bench: type[Bench]) -> None:
    store = MemoryStore()
    bench = new_bench(store=store)

    async def work() -> None:
        await bench.signed_in()
        bench.clock.advance(DEAD)
        await other_machines_record(store)
        assert (await bench.broker.token("prod")).value.reveal() == "at-theirs-CANARY"

    bench.run(work)
    assert bench.refreshes() == 0


def test_a_grant_that_another_machine_used_up_first_ends_nothing(new_bench: type[Bench]) -> None:
    store = MemoryStore()
    bench = new_bench(store=store)

    async def work() -> None:
        await bench.signed_in()
        bench.clock.advance(DEAD)
        bench.provider.next["token"].append(reply({"error": "invalid_grant"}, 400))
        bench.provider.gate.clear()
        calls = [asyncio.create_task(bench.broker.token("prod")) for _ in range(20)]
        await until(bench.refreshes)
        await other_machines_record(store)
        bench.provider.gate.set()
        tokens = {token.value.reveal() for token in await asyncio.gather(*calls)}
        assert tokens == {"at-theirs-CANARY"}
        assert (await bench.broker.session("prod")).state is State.SIGNED_IN

    bench.run(work)
    assert bench.refreshes() == 1


def test_a_newer_record_of_another_realm_is_nobodys(new_bench: type[Bench]) -> None:
    store = MemoryStore()
    bench = new_bench(store=store)

    async def work() -> None:
        await bench.signed_in()
        bench.clock.advance(DEAD)
        bench.provider.gate.clear()
        call = asyncio.create_task(bench.broker.token("prod"))
        await until(bench.refreshes)
        await other_machines_record(store, realm="another platform's")
        bench.provider.refresh_tokens.clear()
        bench.provider.gate.set()
        with pytest.raises(SignInRequiredError):
            await call

    bench.run(work)


def test_a_sign_out_elsewhere_is_not_undone_by_a_refresh_that_waited_for_the_lock(
    new_bench: type[Bench],
) -> None:
    store = MemoryStore()
    bench = new_bench(store=store)

    async def work() -> None:
        await bench.signed_in()
        bench.clock.advance(DEAD)
        async with store.lock("prod"):  # another process signs out
            call = asyncio.create_task(bench.broker.token("prod"))
            session = await bench.broker.session("prod")
            await until(lambda: session.refreshing)
            await asyncio.sleep(0)
            await store.delete("prod")
        with pytest.raises(SignInRequiredError):
            await call
        assert session.state is State.SIGNED_OUT
        assert await store.load("prod") is None

    bench.run(work)
    assert bench.refreshes() == 0


def test_the_sign_in_of_another_process_outlives_the_end_of_the_grant_before(
    new_bench: type[Bench],
) -> None:
    store = MemoryStore()
    bench = new_bench(store=store)

    async def work() -> None:
        bench.provider.next["token"].append(reply({"access_token": "at", "expires_in": 300}))
        await bench.signed_in()
        session = await bench.broker.session("prod")
        async with store.lock("prod"):
            await bench.elapse(DEAD)  # it dies, and is about to be deleted
            assert session.refreshing is not None
            await other_machines_record(store)
        await bench.background()
        assert session.state is State.SIGNED_IN
        assert await store.load("prod") is not None

    bench.run(work)


def test_a_rotation_that_was_lost_on_its_way_is_named(bench: Bench) -> None:
    async def work() -> None:
        await bench.signed_in()
        bench.provider.next["token"].append(TransportError("reset"))
        bench.clock.advance(DEAD)
        with pytest.raises(TransportError):
            await bench.broker.token("prod")
        bench.provider.refresh_tokens.clear()  # the answer that was lost had the next one
        bench.clock.advance(60)
        with pytest.raises(SignInRequiredError) as caught:
            await bench.broker.token("prod")
        assert "lost on its way" in caught.value.why

    bench.run(work)


def test_a_service_whose_credentials_are_refused_asks_once_a_minute(bench: Bench) -> None:
    async def work() -> None:
        bench.provider.next["token"].extend([reply({"error": "invalid_grant"}, 400)] * 5)
        for minute in range(3):
            for _ in range(50):
                with pytest.raises(SignInRequiredError):
                    await bench.broker.token("service")
            assert bench.refreshes() == minute + 1
            bench.clock.advance(61)

    bench.run(work)


def test_why_a_grant_has_ended_is_the_providers_reason(bench: Bench) -> None:
    async def work() -> None:
        await bench.signed_in()
        bench.provider.next["token"].append(
            reply({"error": "invalid_grant", "error_description": "revoked by Grace"}, 400)
        )
        bench.clock.advance(DEAD)
        for _ in range(3):
            with pytest.raises(SignInRequiredError) as caught:
                await bench.broker.token("prod")
            assert "revoked by Grace" in caught.value.why

    bench.run(work)


def test_a_refusal_after_the_death_of_who_held_the_lock_names_the_death(
    new_bench: type[Bench],
) -> None:
    class Inherited(MemoryStore):
        @contextlib.asynccontextmanager
        async def lock(self, _profile: str) -> AsyncIterator[object]:
            yield SimpleNamespace(is_inherited=True)

    bench = new_bench(store=Inherited())

    async def work() -> None:
        await bench.signed_in()
        bench.provider.refresh_tokens.clear()  # the one who died had the next
        bench.clock.advance(DEAD)
        with pytest.raises(SignInRequiredError) as caught:
            await bench.broker.token("prod")
        assert "stopped in the middle of renewing" in caught.value.why

    bench.run(work)


class TestRefusal:
    """A platform that refuses even fresh tokens."""

    @pytest.mark.parametrize(("lifetime", "pause"), [(3600, 60), (300, 60), (100, 25), (10, 2.5)])
    def test_costs_one_refresh_in_a_while_and_its_answer_reaches_the_caller(
        self, bench: Bench, lifetime: float, pause: float
    ) -> None:
        async def work() -> None:
            bench.provider.lifetime = lifetime
            token = await bench.signed_in()
            for number in range(1, 4):
                for _ in range(100):  # each call is refused, and asks for another token
                    stale = token.fingerprint
                    token = await bench.broker.token("prod", min_ttl=0, stale=stale)
                assert bench.refreshes() == number
                assert token.fingerprint == stale  # so the 401 is the caller's
                bench.clock.advance(pause - 0.1)
                token = await bench.broker.token("prod", min_ttl=0, stale=token.fingerprint)
                assert bench.refreshes() == number
                bench.clock.advance(0.2)

        bench.run(work)

    def test_does_not_end_a_sign_in_that_cannot_be_prolonged(self, bench: Bench) -> None:
        async def work() -> None:
            bench.provider.next["token"].append(reply({"access_token": "at", "expires_in": 300}))
            token = await bench.signed_in()
            for _ in range(10):
                same = await bench.broker.token("prod", stale=token.fingerprint)
                assert same.fingerprint == token.fingerprint
            assert (await bench.broker.session("prod")).state is State.SIGNED_IN

        bench.run(work)
