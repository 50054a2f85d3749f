"""The contract of a store, as tests that each store must pass.

In the tests of a package that brings one::

    from platform_auth.testing.stores import StoreContract

    class TestVaultStore(StoreContract):
        def open(self, directory):
            return VaultStore(directory)

pytest then runs all of them. A store that other processes share is opened twice in some; one that
only its own process knows says so with ``shared = False``.
"""
# ruff: noqa: D102, S101 - a test's name says what it proves, and assert is how it speaks

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..broker.record import Record
from ..oauth.identity import Identity
from ..oauth.tokens import TokenSet
from ..secret import Secret

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from ..broker.stores import Store

_SECRETS = ("an-access-token", "a-refresh-token", "an-id-token")
_NAMES = ("prod", "Prod", "prod.", "ünï cødé 🎉", "a" * 64, "%2e%2e", "prod:dev", "-rf *")


class StoreContract:
    """What every store does; to be subclassed by tests."""

    shared = True
    """Whether what one process saves is there for the next."""

    def open(self, directory: Path) -> Store:
        """Return the store; asked twice for the same directory, two that share what they keep."""
        raise NotImplementedError

    def test_nothing_is_there_at_first(self, tmp_path: Path) -> None:
        store = self._new(tmp_path)
        assert _run(store.load("prod")) is None
        assert store.stamp("prod") is None

    def test_a_record_comes_back_whole(self, tmp_path: Path) -> None:
        store, record = self._new(tmp_path), _record()
        _run(store.save(record))
        found = _run(self._again(store, tmp_path).load("prod"))
        assert replace(found, deadline=0) == replace(record, deadline=0)
        assert abs(found.deadline - record.deadline) < _CLOCKS

    def test_a_record_without_what_is_optional_comes_back(self, tmp_path: Path) -> None:
        store, record = self._new(tmp_path), _record()
        bare = replace(record, tokens=TokenSet(access_token=Secret("a"), expires_in=1.5))
        _run(store.save(bare))
        assert _run(self._again(store, tmp_path).load("prod")).tokens == bare.tokens

    def test_the_last_record_counts(self, tmp_path: Path) -> None:
        store = self._new(tmp_path)
        for generation in (1, 2, 3):
            _run(store.save(_record(generation=generation)))
        assert _run(self._again(store, tmp_path).load("prod")).generation == _LAST

    def test_profiles_are_kept_apart_whatever_they_are_called(self, tmp_path: Path) -> None:
        store = self._new(tmp_path)
        for number, name in enumerate(_NAMES):
            _run(store.save(_record(name, generation=number)))
        again = self._again(store, tmp_path)
        for number, name in enumerate(_NAMES):
            found = _run(again.load(name))
            assert (found.profile, found.generation) == (name, number)

    def test_what_is_deleted_is_gone_and_may_be_deleted_again(self, tmp_path: Path) -> None:
        store = self._new(tmp_path)
        _run(store.save(_record("prod")))
        _run(store.save(_record("dev")))
        for _ in range(2):
            _run(store.delete("prod"))
        again = self._again(store, tmp_path)
        assert _run(again.load("prod")) is None
        assert again.stamp("prod") is None
        assert _run(again.load("dev")) is not None

    def test_the_stamp_tells_of_every_change_and_of_nothing_else(self, tmp_path: Path) -> None:
        store = self._new(tmp_path)
        _run(store.load("prod"))
        other, seen = self._again(store, tmp_path), [store.stamp("prod")]
        # So many, so fast, that no clock of a file system tells them apart.
        for generation in range(_SO_MANY):
            _run(other.save(_record(generation=generation)))
            _run(store.load("prod"))
            seen.append(store.stamp("prod"))
            assert store.stamp("prod") == seen[-1]
        assert len(set(seen)) == len(seen)
        _run(other.delete("prod"))
        assert store.stamp("prod") is None

    def test_a_lock_keeps_the_next_one_out_until_it_is_given_back(self, tmp_path: Path) -> None:
        store = self._new(tmp_path)

        async def work() -> list[str]:
            done, inside = list[str](), asyncio.Event()

            async def second() -> None:
                await inside.wait()
                async with self._again(store, tmp_path).lock("prod"):
                    done.append("second")

            waiting = asyncio.create_task(second())
            async with store.lock("prod"):
                inside.set()
                async with store.lock("dev"):
                    done.append("another profile")
                await store.save(_record())
                await store.load("prod")
                await store.delete("prod")
                done.append("first")
            await waiting
            return done

        assert _run(work()) == ["another profile", "first", "second"]

    def test_a_lock_is_given_back_after_an_error_too(self, tmp_path: Path) -> None:
        store = self._new(tmp_path)

        async def work() -> str:
            try:
                async with store.lock("prod"):
                    raise RuntimeError  # noqa: TRY301 - what happens under a lock
            except RuntimeError:
                async with store.lock("prod"):
                    return "had again"

        assert _run(work()) == "had again"

    def test_it_says_where_records_rest_and_no_secret(self, tmp_path: Path) -> None:
        store = self._new(tmp_path)
        _run(store.save(_record()))
        said = f"{store.describe()} {store!r} {store.stamp('prod')!r}"
        assert store.describe()
        assert store.notice("prod") is None
        assert store.key_source is None or isinstance(store.key_source, str)
        assert not [secret for secret in _SECRETS if secret in said]

    def test_no_file_of_its_own_shows_a_secret(self, tmp_path: Path) -> None:
        store = self._new(tmp_path)
        _run(store.save(_record()))
        for path in tmp_path.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert not [secret for secret in _SECRETS if secret.encode() in content], path

    def _new(self, directory: Path) -> Store:
        return self.open(directory / "sessions")

    def _again(self, store: Store, directory: Path) -> Store:
        return self._new(directory) if self.shared else store


_CLOCKS = 2.0
_LAST = 3
_SO_MANY = 20


def _record(profile: str = "prod", generation: int = 1) -> Record:
    access, refresh, identifying = map(Secret, _SECRETS)
    tokens = TokenSet(
        access_token=access,
        expires_in=300,
        refresh_token=refresh,
        id_token=identifying,
        scopes=("openid", "api"),
        identity=Identity("https://id.example", "ada", "Ada", "ada@example.com", None),
    )
    now = time.time()
    return Record(
        profile, "realm", "pkce", tokens, now, time.monotonic() + 300, generation, signed_in_at=now
    )


def _run(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what it brings
    return asyncio.run(work)
