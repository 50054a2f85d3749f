"""What all stores that outlive a process have in common.

The work is done in threads; one process at a time has a profile's lock; where nothing can be kept
the records stay in memory, and where one cannot be written it is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...errors import BrokerError, PlatformAuthError
from ..clock import Clock
from ..record import Record, record_from_dict, record_to_dict
from .locks import hold, reach_of_locks, try_locks
from .memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable

log = logging.getLogger("platform_auth")

RETRY_SECONDS: Final = 60.0
"""Seconds after which a record that could not be written is tried again, once it is asked for."""


class Vault(Protocol):
    """Where records are kept, as plain JSON objects; all of it may wait for disks and people."""

    @property
    def key_source(self) -> str | None:
        """Where the key is that protects them; None before it is needed."""

    def prepare(self) -> None:
        """Get ready, or raise what is in the way."""

    def path(self, profile: str, suffix: str) -> str:
        """Return where a file of a profile's can be."""

    def read(self, profile: str) -> dict[str, Any] | None:
        """Return what is kept of a profile, or None."""

    def put_aside(self, profile: str, why: str) -> None:
        """Take what is damaged out of the way."""

    def write(self, profile: str, kept: dict[str, Any]) -> None:
        """Keep something of a profile."""

    def remove(self, profile: str) -> None:
        """Forget a profile."""

    def stamp(self, profile: str) -> Hashable:
        """Return what tells one version from the next, None where nothing is kept; quick."""

    def describe(self) -> str:
        """Return, for people, where records are and what protects them."""


@dataclass(slots=True)
class _Unsaved:
    """A record that could not be written."""

    record: Record
    why: str
    stamp: Hashable  # of what stayed there instead
    retry_at: float
    tries: int


class StoreAtRest:
    """A store that outlives its process.

    Where its directory cannot be made or trusted, or its file system has no working locks, nothing
    is put there: the records stay in memory, the log warns, and `describe` says why.

    Parameters
    ----------
    vault
        Where the records go.
    directory
        For the locks.
    clock
        Replaced in tests.

    """

    def __init__(self, vault: Vault, directory: Path, *, clock: Clock | None = None) -> None:
        self._vault, self._directory, self._clock = vault, Path(directory), clock or Clock()
        self._checked = False
        self._instead: MemoryStore | None = None
        self._problem = self._reach = ""
        self._unsaved: dict[str, _Unsaved] = {}
        self._writing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def key_source(self) -> str | None:
        """Where the key is: ``environment``, ``keyring``, ``file``; ``memory`` if none is kept."""
        return "memory" if self._instead is not None else self._vault.key_source

    async def load(self, profile: str) -> Record | None:
        """Return the record of a profile, or None; a damaged one is put aside, never deleted."""
        if other := await self._other():
            return await other.load(profile)
        if waiting := self._waiting(profile):
            await self._try_again(profile, waiting)
            return waiting.record
        return await asyncio.to_thread(self._load, profile)

    async def save(self, record: Record) -> None:
        """Keep a record; it is safe when this returns.

        Raises
        ------
        StoreError
            It could not be written; the old record is intact. It is tried again in a while, and
            served from memory until then.

        """
        if other := await self._other():
            return await other.save(record)
        async with self._writing[record.profile]:
            return await self._write(record)

    async def _write(self, record: Record) -> None:
        name = record.profile
        try:
            await asyncio.to_thread(self._vault.write, name, record_to_dict(record))
        except PlatformAuthError as error:
            again, tries = self._clock.monotonic() + RETRY_SECONDS, self._tries(name) + 1
            why, stamp = error.why or error.what, self._vault.stamp(name)
            self._unsaved[name] = _Unsaved(record, why, stamp, again, tries)
            raise
        self._unsaved.pop(name, None)

    def _tries(self, name: str) -> int:
        waiting = self._unsaved.get(name)
        return waiting.tries if waiting else 0

    async def delete(self, profile: str) -> None:
        """Forget a profile; unknown ones are fine.

        Raises
        ------
        StoreError
            It is still there.

        """
        if other := await self._other():
            return await other.delete(profile)
        self._unsaved.pop(profile, None)
        return await asyncio.to_thread(self._vault.remove, profile)

    @contextlib.asynccontextmanager
    async def lock(self, profile: str) -> AsyncIterator[None]:
        """Hold the profile's lock, which one process on any machine that shares the disk can have.

        Raises
        ------
        BrokerUnavailableError
            Another process has held it for too long.
        StoreError
            It cannot be had.

        """
        if other := await self._other():
            async with other.lock(profile):
                yield
            return
        async with hold(self._lock_file(profile), profile):
            yield

    def _lock_file(self, profile: str) -> Path:
        return Path(self._vault.path(profile, ".lock"))

    def stamp(self, profile: str) -> Hashable:
        """Return what tells one version of a record from the next."""
        if self._instead is not None:
            return self._instead.stamp(profile)
        waiting = self._unsaved.get(profile)
        if waiting is not None and self._clock.monotonic() >= waiting.retry_at:
            return "to be tried again", waiting.tries
        return self._vault.stamp(profile)

    def describe(self) -> str:
        """Return where records rest, what protects them, and what is not as it should be."""
        if self._instead is not None:
            return f"{self._instead.describe()}: {self._problem}"
        lost = [f"{name} is not saved ({each.why})" for name, each in self._unsaved.items()]
        return "; ".join(part for part in (self._vault.describe(), self._reach, *lost) if part)

    def notice(self, profile: str) -> str | None:
        """Return what people must know about a profile's record: that a restart will end it."""
        if self._instead is not None:
            return f"The sign-in is not saved and ends with this process: {self._problem}"
        waiting = self._unsaved.get(profile)
        return f"The sign-in is not saved: {waiting.why}." if waiting else None

    async def _other(self) -> MemoryStore | None:
        """Return the store to use instead, None where the directory serves; asked once."""
        if not self._checked:
            problem = await asyncio.to_thread(self._find_problem)
            if problem and not self._checked:
                self._problem, self._instead = problem, MemoryStore()
                log.warning("sign-ins are not saved and end with this process: %s", problem)
            self._checked = True
        return self._instead

    def _find_problem(self) -> str:
        try:
            self._vault.prepare()
            try_locks(self._directory)
            self._reach = reach_of_locks(self._directory.resolve())
        except BrokerError as error:
            return f"{error.what} {error.why} {error.fix}"
        except (OSError, NotImplementedError) as error:
            return f"{self._directory} cannot be used ({error})"
        if self._reach:
            log.warning("%s: %s", self._directory, self._reach)
        return ""

    def _load(self, profile: str) -> Record | None:
        kept = self._vault.read(profile)
        try:
            return None if kept is None else record_from_dict(kept, self._clock)
        except (AttributeError, KeyError, TypeError, ValueError):
            self._vault.put_aside(profile, "it lacks something")
            return None

    def _waiting(self, profile: str) -> _Unsaved | None:
        """Return the record that is to be written, unless another process has been there since."""
        waiting = self._unsaved.get(profile)
        if waiting is not None and self._vault.stamp(profile) != waiting.stamp:
            del self._unsaved[profile]
            return None
        return waiting

    async def _try_again(self, profile: str, waiting: _Unsaved) -> None:
        if self._clock.monotonic() < waiting.retry_at:
            return
        try:
            async with (
                hold(self._lock_file(profile), profile, wait=False),
                self._writing[profile],
            ):
                if self._waiting(profile) is waiting:
                    await self._write(waiting.record)
        except PlatformAuthError as error:
            waiting.retry_at = self._clock.monotonic() + RETRY_SECONDS
            log.warning("%s: still not saved: %s", profile, error.why or error.what)
