from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.hub import key
from platform_auth.broker.stores.keys import VARIABLE
from platform_auth.errors import ConfigError, StoreError
from platform_auth.hub.database import Database
from platform_auth.hub.keys import FILE_VARIABLE, FileKeys, open_keys
from platform_auth.hub.sealing_anew import seal_anew

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.hub import HubBench


def test_replicas_must_share_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    database = Database("postgresql://h/x")
    with pytest.raises(ConfigError, match=VARIABLE):
        open_keys(database)
    monkeypatch.setenv(VARIABLE, key(1))
    assert open_keys(database).newest()
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="cannot be used"):
        open_keys(database)


def test_a_small_hubs_key_is_made_beside_its_database(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    assert open_keys(database).newest() == open_keys(database).newest()
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_file_is_read_again_when_it_changes_and_a_broken_one_changes_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys"
    path.write_text(key(1))
    keys = FileKeys(path)
    first = keys.newest()
    path.write_text("not a key at all")
    assert keys.newest() == first
    path.write_text(f"{key(2)},{key(1)}")
    assert keys.newest() != first
    assert keys.find(first[0]) == first[1]


def test_keys_are_changed_while_replicas_run(hub: HubBench) -> None:
    async def work() -> None:
        here, there = await hub.replica(), await hub.replica()
        await hub.sign_in(here)
        await (await here.broker("ada")).sign_in("dev")
        for keys in (f"{key(0)},{key(1)}", f"{key(1)},{key(0)}"):
            hub.key_file.write_text(keys)
            hub.clock.advance(241)
            assert (await (await there.broker("ada")).token("prod")).value
            assert (await (await here.broker("ada")).token("prod")).value
        await here._sweep()  # seals anew what is left
        hub.key_file.write_text(key(1))
        fresh = await (await hub.replica()).broker("ada")
        assert (await fresh.token("prod")).value
        assert (await fresh.session("dev")).challenge is not None
        assert await seal_anew(hub.databases[0], FileKeys(hub.key_file)) == 0

    hub.run(work)


def test_a_key_that_is_missing_loses_nothing(hub: HubBench) -> None:
    async def work() -> None:
        await hub.sign_in(await hub.replica())
        hub.key_file.write_text(key(1))
        broker = await (await hub.replica()).broker("ada")
        with pytest.raises(StoreError, match="a key that this service does not have"):
            await broker.token("prod")
        hub.key_file.write_text(f"{key(1)},{key(0)}")
        assert (await (await (await hub.replica()).broker("ada")).token("prod")).value

    hub.run(work)
