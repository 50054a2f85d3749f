from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.session import State
from platform_auth.errors import SignInRequiredError

if TYPE_CHECKING:
    from fakes.hub import HubBench


def test_who_signs_in_at_one_replica_is_signed_in_at_all(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        before = await (await there.broker("ada")).session("prod")
        assert before.state is State.SIGNED_OUT
        await hub.sign_in(here)
        one = await (await here.broker("ada")).token("prod")
        other = await (await there.broker("ada")).token("prod")
        assert one.fingerprint == other.fingerprint
        assert (await (await there.broker("ada")).session("prod")).state is State.SIGNED_IN

    hub.run(work)


def test_who_signs_out_at_one_replica_is_signed_out_at_all(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        await hub.sign_in(here)
        await (await there.broker("ada")).token("prod")
        await (await here.broker("ada")).sign_out("prod")
        with pytest.raises(SignInRequiredError):
            await (await there.broker("ada")).token("prod")

    hub.run(work)


def test_an_expired_token_costs_one_refresh_whichever_replicas_are_asked(hub: HubBench) -> None:
    async def work() -> None:
        replicas = [await hub.replica() for _ in range(3)]
        await hub.sign_in(replicas[0])
        for people in replicas:
            await (await people.broker("ada")).token("prod")
        before = hub.refreshes()
        hub.clock.advance(301)
        brokers = [await people.broker("ada") for people in replicas]
        got = await asyncio.gather(*(each.token("prod") for each in brokers for _ in range(4)))
        assert len({token.fingerprint for token in got}) == 1
        assert hub.refreshes() == before + 1

    hub.run(work)


def test_nobody_gets_what_is_anothers(hub: HubBench) -> None:
    async def work() -> None:
        here = await hub.replica()
        await hub.sign_in(here, "ada")
        with pytest.raises(SignInRequiredError):
            await (await here.broker("bob")).token("prod")

    hub.run(work)
