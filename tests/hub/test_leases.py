"""Who refreshes: one at a time, whatever dies, and nobody who is not certain of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from fakes.bench import until
from platform_auth.errors import BrokerUnavailableError
from platform_auth.hub import leases
from platform_auth.hub.leases import Lease

if TYPE_CHECKING:
    from fakes.hub import HubBench
    from platform_auth.hub.database import Database

_RUN_OUT = text("UPDATE platform_auth_sessions SET held_until = 0")
_STOLEN = text("UPDATE platform_auth_sessions SET holder = 'another', held_until = 9e9")


async def _database(hub: HubBench) -> Database:
    await hub.replica()
    return hub.databases[-1]


def test_one_at_a_time_has_it(hub: HubBench) -> None:
    async def work() -> None:
        database = await _database(hub)
        first, second = (Lease(database, "ada", "prod") for _ in range(2))
        await first.take()
        waiting = asyncio.create_task(second.take())
        other = Lease(database, "bob", "prod")
        await other.take()  # another's session has another lease
        assert not waiting.done()
        await first.give_back()
        await waiting
        second.assure()
        await second.give_back()
        await other.give_back()

    hub.run(work)


def test_that_of_a_dead_replica_is_taken_once_it_has_run_out(
    hub: HubBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "PATIENCE", 0.2)

    async def work() -> None:
        database = await _database(hub)
        dead, next_one = Lease(database, "ada", "prod"), Lease(database, "ada", "prod")
        assert not await dead._try(None)
        await dead._run_out()  # makes the row
        assert await dead._try(None)  # and then nobody renews it
        waiting = asyncio.create_task(next_one.take())
        await until(lambda: waiting.done() or next_one._database)
        assert not waiting.done()
        await database.run(_RUN_OUT)
        await waiting
        assert next_one.is_inherited
        await next_one.give_back()
        await dead.take()
        assert not dead.is_inherited  # given back, it is nobody's
        await dead.give_back()

    hub.run(work)


def test_one_that_has_run_out_is_left_to_a_holder_that_renews_it(
    hub: HubBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart of the database that took longer than the lease."""
    monkeypatch.setattr(leases, "PATIENCE", 3600.0)
    monkeypatch.setattr(leases, "RENEWAL_SECONDS", 0.1)

    async def work() -> None:
        database = await _database(hub)
        holder, other = Lease(database, "ada", "prod"), Lease(database, "ada", "prod")
        await holder.take()
        waiting = asyncio.create_task(other.take())
        await database.run(_RUN_OUT)
        while await holder._run_out():  # noqa: ASYNC110 - until the holder has renewed it
            await asyncio.sleep(0.01)
        assert not waiting.done()
        holder.assure()
        await holder.give_back()
        await waiting
        await other.give_back()

    hub.run(work)


def test_whoever_has_lost_it_sends_nothing(hub: HubBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEWAL_SECONDS", 0.05)

    async def work() -> None:
        people = await hub.replica()
        await hub.sign_in(people)
        broker = await people.broker("ada")
        await broker.token("prod")
        before, known = hub.refreshes(), broker._contexts.of
        renewed = asyncio.Event()

        async def slow(*given: object) -> object:
            (lease,) = people._people["ada"].store._leases.values()
            await hub.databases[0].run(_STOLEN)
            while not lease._lost:  # noqa: ASYNC110 - until the renewal finds out
                await asyncio.sleep(0.01)
            renewed.set()
            return await known(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(broker._contexts, "of", slow)
        hub.clock.advance(301)
        with pytest.raises(BrokerUnavailableError, match="not refreshed just now"):
            await broker.token("prod")
        assert renewed.is_set()
        assert hub.refreshes() == before

    hub.run(work)


def test_one_that_may_not_outlast_a_request_is_not_certain(hub: HubBench) -> None:
    async def work() -> None:
        lease = Lease(await _database(hub), "ada", "prod")
        await lease.take()
        lease.assure()
        lease._until -= leases.LEASE_SECONDS - leases.TOTAL_SECONDS  # so long nobody could renew it
        with pytest.raises(BrokerUnavailableError):
            lease.assure()
        await lease.give_back()

    hub.run(work)
