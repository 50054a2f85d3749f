"""What replicas clear away, and what they never do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from fakes.bench import CALLBACK, HERE
from platform_auth.hub import people as of_people
from platform_auth.hub.retention import SIGNED_OUT_SECONDS, clear_away
from platform_auth.hub.tables import Now, sessions, sign_ins

if TYPE_CHECKING:
    import pytest

    from fakes.hub import HubBench
    from platform_auth.hub.database import Database


def test_what_is_over_goes_in_time_and_who_is_signed_in_stays(hub: HubBench) -> None:
    async def work() -> None:
        here = await hub.replica()
        run = hub.databases[0].run
        for user in ("ada", "bob", "cyd", "dan"):
            await hub.sign_in(here, user)
        for user in ("bob", "cyd", "dan"):
            await (await here.broker(user)).sign_out("prod")
        used = await run(select(sign_ins.c.id))
        await (await here.broker("ada")).begin("dev", CALLBACK, HERE)
        everybody = {row.person for row in await run(select(sessions.c.person))}
        assert everybody == {"ada", "bob", "cyd", "dan"}

        of = sessions.c.person.in_
        # The leases are the database's, and so is the time: these rows are made old instead.
        old = (Now() - SIGNED_OUT_SECONDS - 60) * 1000
        await run(update(sessions).where(of(["ada", "bob", "dan"])).values(version=old))
        await run(
            update(sessions).where(of(["dan"])).values(holder="a replica", held_until=Now() + 45)
        )
        its = sign_ins.c.id.in_([row.id for row in used])
        await run(update(sign_ins).where(its).values(expires_at=Now() - 1))

        await clear_away(hub.databases[0])
        left = {row.person for row in await run(select(sessions.c.person))}
        assert left == {"ada", "cyd", "dan"}
        assert len(await run(select(sign_ins.c.id))) == 1
        assert (await (await here.broker("ada")).token("prod")).value

        await hub.sign_in(here, "bob")
        assert (await (await here.broker("bob")).token("prod")).value

    hub.run(work)


def test_a_replica_does_so_by_itself(hub: HubBench, monkeypatch: pytest.MonkeyPatch) -> None:
    cleared = asyncio.Event()

    async def clear(_database: Database) -> None:
        cleared.set()
        await asyncio.Event().wait()  # the rest of the sweep is not asked about

    monkeypatch.setattr(of_people, "_SWEEP", 0.01)
    monkeypatch.setattr(of_people, "clear_away", clear)

    async def work() -> None:
        await (await hub.replica()).broker("ada")
        await cleared.wait()

    hub.run(work)
