from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from fakes.bench import until
from platform_auth.broker.session import State
from platform_auth.errors import BrokerUnavailableError, ConfigError
from platform_auth.hub import database as database_module
from platform_auth.hub import store
from platform_auth.hub.database import Database
from platform_auth.hub.schema import VERSION_TABLE, downgrade, upgrade
from platform_auth.hub.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from fakes.hub import HubBench
    from postgres import Postgres


def _on(url: str, work: Any) -> Any:
    async def whole() -> Any:
        database = Database(url)
        async with database._engine.connect() as connection:
            found = await connection.run_sync(work)
        await database.close()
        return found

    return asyncio.run(whole())


def _differences(connection: Connection) -> list[Any]:
    upgrade(connection)
    options = {"compare_server_default": True, "version_table": VERSION_TABLE}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def test_the_migrations_make_what_the_program_expects(url: str) -> None:
    assert _on(url, _differences) == []


def test_the_migrations_have_a_way_back(url: str) -> None:
    def work(connection: Connection) -> list[str]:
        upgrade(connection)
        downgrade(connection, "base")
        left = inspect(connection).get_table_names()
        upgrade(connection)
        return left

    assert _on(url, work) == [VERSION_TABLE]


def test_replicas_that_start_together_make_it_once(postgres_url: str) -> None:
    async def work() -> None:
        databases = [Database(postgres_url) for _ in range(4)]
        await asyncio.gather(*(each.upgrade() for each in databases))
        for each in databases:
            await each.close()

    asyncio.run(work())


@pytest.mark.parametrize("url", ["mysql://u:pw-CANARY@h/x", "nonsense pw-CANARY", "://"])
def test_what_is_no_such_database_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Database(url)
    assert "CANARY" not in str(caught.value)


def test_its_description_has_no_password() -> None:
    described = Database("postgresql://service:pw-CANARY@db.example.com/hub").describe()
    assert "db.example.com" in described
    assert "CANARY" not in described


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    assert stat.S_IMODE((tmp_path / "hub.sqlite").stat().st_mode) == 0o600


def test_one_that_is_away_is_said_to_be_and_shows_no_password() -> None:
    async def work() -> None:
        with pytest.raises(BrokerUnavailableError) as caught:
            await Database("postgresql://service:pw-CANARY@127.0.0.1:1/hub").upgrade()
        assert caught.value.retry_after
        assert "CANARY" not in str(caught.value)

    asyncio.run(work())


@pytest.fixture
def crashing(postgres_url: str, server: Postgres, tmp_path: Path) -> HubBench:
    from fakes.hub import HubBench

    return HubBench(postgres_url, tmp_path)


def test_live_tokens_are_served_while_the_database_is_away(
    crashing: HubBench, server: Postgres
) -> None:
    async def work() -> None:
        people = await crashing.replica()
        await crashing.sign_in(people)
        token = await (await people.broker("ada")).token("prod")
        server.stop()
        try:
            again = await (await people.broker("ada")).token("prod")
            assert again.fingerprint == token.fingerprint
            with pytest.raises(BrokerUnavailableError, match="database"):
                await people.broker("bob")
        finally:
            server.start()
        assert await people.broker("bob")
        assert (await (await people.broker("ada")).session("prod")).state is State.SIGNED_IN

    crashing.run(work)


def test_what_a_refresh_brings_while_the_database_is_away_is_saved_once_it_is_back(
    crashing: HubBench, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SAVE_SECONDS", 0.1)

    async def work() -> None:
        people = await crashing.replica()
        await crashing.sign_in(people)
        broker = await people.broker("ada")
        old = await broker.token("prod")
        crashing.clock.advance(301)
        crashing.provider.gate.clear()
        before = crashing.refreshes()
        waiting = asyncio.create_task(broker.token("prod"))
        await until(lambda: crashing.refreshes() > before)
        server.stop()
        try:
            crashing.provider.gate.set()
            token = await waiting
            assert token.fingerprint != old.fingerprint
            session = await broker.session("prod")
            assert any("not saved yet" in each for each in broker.notices(session))
        finally:
            server.start()
        kept = people._people["ada"].store
        while kept.is_busy:  # noqa: ASYNC110 - until it is saved
            await asyncio.sleep(0.05)
        assert not broker.notices(session)
        there = await crashing.replica()
        other = await (await there.broker("ada")).token("prod")
        assert other.fingerprint == token.fingerprint
        assert crashing.refreshes() == before + 1

    crashing.run(work)


def test_what_is_urgent_does_not_wait_behind_a_crowd_which_is_not_the_databases_fault(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_module, "TURN_SECONDS", 0.1)

    async def work() -> None:
        database = Database(url, connections=1)
        async with database._turns[False]:  # somebody's long statement
            with pytest.raises(BrokerUnavailableError, match="too much to do") as caught:
                await database.run(text("SELECT 1"))
            assert caught.value.retry_after
            assert await database.run(text("SELECT 1"), urgent=True)
        assert await database.run(text("SELECT 1"))
        await database.close()

    asyncio.run(work())
    assert "does not answer" not in caplog.text


def test_a_statement_that_is_called_off_ends_at_once_whenever_that_is(url: str) -> None:
    """A loop whose cancellation is lost goes on for ever, and the replica never ends."""

    async def work() -> None:
        database = Database(url, connections=1)
        await database.run(text("SELECT 1"))
        for turns in range(60):
            task = asyncio.create_task(database.run(text("SELECT 1")))
            for _ in range(turns):
                await asyncio.sleep(0)
            called_off = task.cancel()
            await asyncio.wait({task})
            assert task.cancelled() == called_off, f"after {turns} turns of the loop"
        assert [tuple(row) for row in await database.run(text("SELECT 1"))] == [(1,)]
        await database.close()

    asyncio.run(work())
