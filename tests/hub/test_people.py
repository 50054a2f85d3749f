from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, text

from fakes.bench import CALLBACK, HERE, PROFILES, until
from fakes.provider import form, reply
from platform_auth.broker.attempt import Binding
from platform_auth.broker.broker import Broker
from platform_auth.broker.session import State
from platform_auth.errors import (
    AccessDeniedError,
    BrokerUnavailableError,
    CallbackError,
    SignInRequiredError,
    StoreError,
    TransportError,
)
from platform_auth.hub import tables
from platform_auth.hub.leases import Lease

if TYPE_CHECKING:
    from fakes.hub import HubBench
    from platform_auth.broker.session import Session
    from platform_auth.hub.people import People


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


async def seen_at(people: People, name: str = "prod", user: str = "ada") -> Session:
    return await (await people.broker(user)).session(name)


def test_a_challenge_is_shown_at_all_replicas_with_the_same_revision(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        untouched = [(await seen_at(each)).revision for each in (here, there)]
        assert untouched[0] == untouched[1]
        asked = await (await here.broker("ada")).sign_in("prod")
        other = await seen_at(there)
        assert asked.challenge is not None
        assert other.challenge == asked.challenge
        assert other.revision == asked.revision != untouched[0]
        await (await there.broker("ada")).cancel("prod")
        one, other = await seen_at(here), await seen_at(there)
        assert one.challenge is other.challenge is None
        assert one.revision == other.revision

    hub.run(work)


def test_a_browser_may_come_back_to_any_replica_and_a_state_serves_once(hub: HubBench) -> None:
    async def work() -> None:
        replicas = [await hub.replica() for _ in range(3)]
        url = await (await replicas[0].broker("ada")).begin("prod", CALLBACK, HERE)
        back = hub.provider.authorize(url)
        state = parse_qs(urlsplit(back).query)["state"][0]
        assert [await each.find(state) for each in replicas] == ["ada"] * 3
        assert await replicas[0].find("another") is None
        brokers = [await each.broker("ada") for each in replicas]
        sessions = await asyncio.gather(*(each.complete(back, HERE) for each in brokers))
        assert [each.state for each in sessions] == [State.SIGNED_IN] * 3
        assert hub.refreshes() == 1  # one code, exchanged once
        with pytest.raises(CallbackError):
            await brokers[1].complete(back, Binding("another browser", "ada"))
        with pytest.raises(CallbackError):
            await (await replicas[1].broker("bob")).complete(back, HERE)

    hub.run(work)


def test_who_comes_with_anothers_browser_does_not_use_the_state_up(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        url = await (await here.broker("ada")).begin("prod", CALLBACK, HERE)
        back = hub.provider.authorize(url)
        with pytest.raises(CallbackError):
            await (await there.broker("ada")).complete(back, Binding("another browser", "ada"))
        assert hub.refreshes() == 0
        await (await there.broker("ada")).complete(back, HERE)
        assert (await seen_at(here)).state is State.SIGNED_IN

    hub.run(work)


def test_a_sign_in_that_fails_has_failed_everywhere(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        url = await (await here.broker("ada")).begin("prod", CALLBACK, HERE)
        back = hub.provider.authorize(url, code=None, error="access_denied")
        with pytest.raises(AccessDeniedError):
            await (await there.broker("ada")).complete(back, HERE)
        with pytest.raises(AccessDeniedError):
            await (await here.broker("ada")).complete(back, HERE)
        one, other = await seen_at(here), await seen_at(there)
        assert one.state is other.state is State.FAILED
        assert str(one.error) == str(other.error)
        assert one.revision == other.revision

    hub.run(work)


def test_a_session_that_has_ended_has_ended_everywhere(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        await hub.sign_in(here)
        await (await there.broker("ada")).token("prod")
        hub.clock.advance(301)
        hub.provider.next["token"].append(reply({"error": "invalid_grant"}, 400))
        with pytest.raises(SignInRequiredError, match="has ended"):
            await (await here.broker("ada")).token("prod")
        other = await seen_at(there)
        assert other.state is State.EXPIRED
        assert other.identity is not None
        assert other.revision == (await seen_at(here)).revision

    hub.run(work)


def test_a_provider_that_is_away_is_the_same_trouble_at_all_replicas(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        await hub.sign_in(here)
        await (await there.broker("ada")).token("prod")
        hub.clock.advance(250)
        hub.provider.next["token"].append(TransportError("It does not answer."))
        await (await here.broker("ada")).token("prod")
        session = await seen_at(here)
        if session.refreshing is not None:
            await asyncio.wait({session.refreshing})
        assert session.trouble is not None
        await (await here.broker("ada")).cancel("prod")  # all is written down when it returns
        other = await seen_at(there)
        assert other.trouble is not None
        assert other.trouble.to_dict() == session.trouble.to_dict()

    hub.run(work)


def test_the_code_of_a_replica_that_has_ended_is_asked_for_by_another(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        hub.paused.clear()
        asked = await (await here.broker("ada")).sign_in("prod", flow="device")
        assert asked.challenge is not None
        challenge = dict(asked.challenge)
        await here.close()
        taken_over = await seen_at(there)
        assert taken_over.challenge == challenge
        hub.paused.set()
        await until(lambda: taken_over.record is not None)
        assert len([form(each) for each in hub.provider.sent_to("device")]) == 1
        assert (await seen_at(there)).state is State.SIGNED_IN

    hub.run(work)


def test_one_replica_at_a_time_asks_the_provider_for_a_codes_tokens(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        hub.paused.clear()
        await (await here.broker("ada")).sign_in("prod", flow="device")
        assert not (await seen_at(there)).attempts
        hub.paused.set()
        session = await seen_at(here)
        await until(lambda: session.record is not None)
        assert hub.refreshes() == 1
        # What is shown follows what is saved by one statement; the others poll, so they see it.
        while (seen := await seen_at(there)).state is State.SIGNING_IN:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert seen.state is State.SIGNED_IN

    hub.run(work)


def test_a_replica_that_ends_begins_nothing_for_anybody(hub: HubBench) -> None:
    """A refresh that is sent when nobody waits for answers any more would be lost."""

    async def work() -> None:
        here = await hub.replica()
        await here.close()
        with pytest.raises(BrokerUnavailableError, match="ends") as caught:
            await here.broker("ada")
        assert caught.value.retryable

    hub.run(work)


def test_a_profile_made_by_code_is_there_at_all_replicas(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        await (await here.broker("ada")).put("mine", PROFILES["service"])
        broker = await there.broker("ada")
        assert "mine" in broker.names()
        assert (await broker.session("mine")).profile.to_mapping()["oauth"]["client_secret"]
        assert "mine" not in (await there.broker("bob")).names()

    hub.run(work)


def test_who_waits_at_one_replica_sees_what_happens_at_another(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        waiting = await seen_at(there)
        wait = asyncio.create_task(waiting.changed(waiting.revision, 30))
        await hub.sign_in(here)
        await wait
        await until(lambda: waiting.state is State.SIGNED_IN)

    hub.run(work)


def test_a_rows_record_opens_as_its_own_persons_alone(hub: HubBench) -> None:
    async def work() -> None:
        here = await hub.replica()
        await hub.sign_in(here, "ada")
        await hub.sign_in(here, "eve", binding=HERE)
        stolen = text(
            "UPDATE platform_auth_sessions SET serial = serial + 1, record = (SELECT record FROM"
            " platform_auth_sessions WHERE person = 'ada') WHERE person = 'eve'"
        )
        await hub.databases[0].run(stolen)
        with pytest.raises(StoreError, match="does not open"):
            await (await (await hub.replica()).broker("eve")).token("prod")

    hub.run(work)


def test_nothing_secret_is_in_the_database_in_clear(hub: HubBench) -> None:
    async def work() -> None:
        here = await hub.replica()
        await hub.sign_in(here)
        await (await here.broker("ada")).begin("dev", CALLBACK, HERE)
        found = [
            str(value) + (bytes(value).decode("latin-1") if isinstance(value, bytes) else "")
            for table in (tables.sessions, tables.sign_ins)
            for row in await hub.databases[0].run(select(table))
            for value in row
        ]
        assert hub.provider.secrets
        for secret in (*hub.provider.secrets, "CANARY", HERE.browser):
            assert not any(secret in each for each in found)

    hub.run(work)


def test_whoever_has_gone_leaves_nothing_in_memory(hub: HubBench) -> None:
    async def work() -> None:
        here = await hub.replica(idle_seconds=0.0)
        await hub.sign_in(here)
        session = await seen_at(here)
        await here._sweep()
        assert "ada" not in here._people or session.in_use
        hub.clock.advance(10_000)
        await here._sweep()
        assert not here._people
        assert (await (await here.broker("ada")).token("prod")).value

    hub.run(work)


def test_what_was_sent_when_a_replica_ends_is_saved(
    hub: HubBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_auth.broker.broker.REVOKE_SECONDS", 0.0)
    monkeypatch.setattr(Broker.close, "__defaults__", (0.0,))

    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        await hub.sign_in(here)
        broker, before = await here.broker("ada"), hub.refreshes()
        hub.clock.advance(301)
        hub.provider.gate.clear()
        waiting = asyncio.create_task(broker.token("prod"))
        await until(lambda: hub.refreshes() > before)
        ending = asyncio.create_task(here.close())
        await until(lambda: not here._people)
        hub.provider.gate.set()
        await ending
        token = await waiting
        assert (await (await there.broker("ada")).token("prod")).fingerprint == token.fingerprint
        assert hub.refreshes() == before + 1

    hub.run(work)


def test_nothing_is_sent_once_a_replica_ends(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        await hub.sign_in(here)
        broker, before = await here.broker("ada"), hub.refreshes()
        other = Lease(hub.databases[0], "ada", "prod")
        await other.take()  # so that the refresh waits and is not sent
        hub.clock.advance(301)
        waiting = asyncio.create_task(broker.token("prod"))
        await until(lambda: here._people["ada"].store._taking)
        await here.close()
        await other.give_back()
        with pytest.raises(BrokerUnavailableError, match="not refreshed here"):
            await waiting
        assert hub.refreshes() == before
        assert (await (await there.broker("ada")).token("prod")).value

    hub.run(work)
