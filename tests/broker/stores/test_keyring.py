"""Sessions in the system's keyring, whole."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from fakes.saved import Ring, make_record
from platform_auth.broker.stores import os_keyring
from platform_auth.broker.stores.keyring import SERVICE, WINDOWS_LIMIT, KeyringStore
from platform_auth.broker.stores.session_files import StoreError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(ring: Ring, tmp_path: Path) -> KeyringStore:
    return KeyringStore(tmp_path / "sessions")


def run(work: Any) -> Any:
    return asyncio.run(work)


def entry(ring: Ring) -> tuple[str, str]:
    [name] = [each for each in ring.kept if "damaged" not in each[1]]
    return name


def test_it_says_which_keyring_it_is(store: KeyringStore, ring: Ring) -> None:
    run(store.save(make_record()))
    assert store.describe() == "in the system's keyring (Ring)"
    assert store.key_source == "keyring"
    assert entry(ring)[0] == SERVICE
    assert entry(ring)[1].startswith("prod (")


def test_two_directories_share_nothing(ring: Ring, tmp_path: Path) -> None:
    run(KeyringStore(tmp_path / "one").save(make_record()))
    assert run(KeyringStore(tmp_path / "two").load("prod")) is None


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"version": "1"}', '{"version": 1}'])
def test_a_damaged_entry_is_put_aside(store: KeyringStore, ring: Ring, damage: str) -> None:
    run(store.save(make_record()))
    service, name = entry(ring)
    ring.kept[service, name] = damage
    assert run(store.load("prod")) is None
    assert ring.kept == {(service, f"{name} damaged"): damage}
    assert store.stamp("prod") == "put aside"  # nobody has signed out
    run(store.save(make_record(generation=2)))
    assert run(store.load("prod")).generation == 2


def test_swapped_entries_do_not_open(store: KeyringStore, ring: Ring) -> None:
    for name in ("prod", "dev"):
        run(store.save(make_record(name)))
    one, other = ring.kept
    ring.kept[one], ring.kept[other] = ring.kept[other], ring.kept[one]
    for name in ("prod", "dev"):
        assert run(store.load(name)) is None


def test_a_newer_versions_entry_is_neither_read_nor_replaced(
    store: KeyringStore, ring: Ring
) -> None:
    run(store.save(make_record()))
    newer = json.dumps({"version": 2, "profile": "prod"})
    ring.kept[entry(ring)] = newer
    for work in (store.load("prod"), store.save(make_record(generation=2))):
        with pytest.raises(StoreError, match="newer platform-auth"):
            run(work)
    assert ring.kept[entry(ring)] == newer


def test_a_keyring_that_cuts_entries_off_is_found_out(store: KeyringStore, ring: Ring) -> None:
    ring.longest = 100
    with pytest.raises(StoreError) as caught:
        run(store.save(make_record()))
    assert caught.value.why == "It kept a part of it."
    assert "store `file`" in caught.value.fix
    assert "prod is not saved" in store.describe()


def test_windows_takes_too_little_and_that_is_said(
    ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ring, "name", "Windows WinVaultKeyring")
    store = KeyringStore(tmp_path / "sessions")
    run(store.save(make_record()))
    long = make_record("p" * WINDOWS_LIMIT)
    with pytest.raises(StoreError) as caught:
        run(store.save(long))
    assert "1280 characters" in caught.value.why
    assert len(ring.kept) == 1


def test_a_keyring_that_is_locked_later_is_an_error_that_passes(
    store: KeyringStore, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store.save(make_record()))
    monkeypatch.setattr(os_keyring, "LIMIT", 0.1)
    ring.unlocked.clear()
    with pytest.raises(StoreError) as caught:
        run(store.load("prod"))
    assert caught.value.retryable
    assert "Unlock the keyring" in caught.value.fix
    ring.unlocked.set()
    assert run(store.load("prod")) is not None
