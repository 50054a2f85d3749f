"""Sessions in memory: for a process that keeps none."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ..record import Record


class MemoryStore:
    """Keeps records for as long as the process lives."""

    key_source: str | None = "memory"

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def load(self, profile: str) -> Record | None:
        """Return the record of a profile, or None."""
        return self._records.get(profile)

    async def save(self, record: Record) -> None:
        """Keep a record."""
        self._records[record.profile] = record

    async def delete(self, profile: str) -> None:
        """Forget a profile."""
        self._records.pop(profile, None)

    def lock(self, profile: str) -> asyncio.Lock:
        """Return the profile's lock."""
        return self._locks[profile]

    def stamp(self, profile: str) -> Hashable:
        """Return the record's generation."""
        record = self._records.get(profile)
        return record.generation if record else None

    def notice(self, _profile: str) -> None:
        """Return nothing: it was asked to save nothing."""

    def describe(self) -> str:
        """Return where records rest."""
        return "in memory, until this process ends"
