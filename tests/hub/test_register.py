"""What administrators see of all sessions, and what they end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from fakes.bench import CALLBACK, HERE, PROFILES
from platform_auth.config import Profiles
from platform_auth.errors import SignInRequiredError
from platform_auth.hub.register import Register

if TYPE_CHECKING:
    from fakes.hub import HubBench


def test_all_who_are_signed_in_are_listed_a_page_at_a_time(hub: HubBench) -> None:
    async def work() -> None:
        people = await hub.replica()
        for user in ("bob", "ada", "a_b"):
            await hub.sign_in(people, user)
        register = Register(hub.databases[0], people)
        entries = await register.entries("", offset=0, limit=10)
        assert {each.person for each in entries} == {"a_b", "ada", "bob"}
        assert await register.count("") == len(entries)
        assert await register.entries("", offset=1, limit=1) == entries[1:2]
        assert [each.person for each in await register.entries("a_", offset=0, limit=9)] == ["a_b"]
        assert await register.count("a") == 2
        (bob,) = await register.entries("bob", offset=0, limit=9)
        assert (bob.profile, bob.flow, bob.problem) == ("prod", "pkce", None)
        assert bob.expires_at is not None
        assert bob.expires_at > hub.clock.time()

    hub.run(work)


def test_who_is_revoked_is_signed_out_at_all_replicas_and_nobody_else(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        for user in ("ada", "bob"):
            await hub.sign_in(here, user)
        register = Register(hub.databases[1], there)
        assert await register.revoke("ada", "dev") == 0
        assert await register.revoke("ada", None) == 1
        assert await register.count("") == 1
        with pytest.raises(SignInRequiredError):
            await (await here.broker("ada")).token("prod")
        assert (await (await here.broker("bob")).token("prod")).value

    hub.run(work)


def test_a_profile_that_has_been_taken_away_can_still_be_revoked(hub: HubBench) -> None:
    async def work() -> None:
        await hub.sign_in(await hub.replica())
        left = {name: shape for name, shape in PROFILES.items() if name != "prod"}
        people = await hub.replica(profiles=Profiles(admin=left, user_file=None, flyte=False))
        register = Register(hub.databases[1], people)
        assert await register.revoke("ada", "prod") == 1
        assert await register.count("") == 0

    hub.run(work)


def test_a_new_user_of_an_old_name_inherits_nothing_at_any_replica(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        register = Register(hub.databases[0], here)
        await register.belong_to("ada", 1_000.0)
        await hub.sign_in(here)
        await hub.sign_in(here, "bob")
        waiting = await (await here.broker("ada")).begin("dev", CALLBACK, HERE)
        state = parse_qs(urlsplit(waiting).query)["state"][0]
        await (await there.broker("ada")).token("prod")
        await register.belong_to("ada", 1_000.4)  # the same one, as another database rounds it
        assert await register.count("ada") == 1
        assert await there.find(state) == "ada"

        await register.belong_to("ada", 5_000.0)
        for people in (here, there):
            with pytest.raises(SignInRequiredError):
                await (await people.broker("ada")).token("prod")
            await (await people.broker("bob")).token("prod")
        assert await there.find(state) is None
        assert hub.provider.sent_to("revoke")

        await hub.sign_in(here)
        await register.belong_to("ada", 5_000.0)
        assert await register.count("ada") == 1

    hub.run(work)
