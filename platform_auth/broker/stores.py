"""Where a broker rests its sessions.

A store keeps one `Record` per profile and offers a lock per profile, held while a refresh token is
used. Others come from the entry point group ``platform_auth.stores``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ..oauth.tokens import TokenSet
    from .clock import Clock

log = logging.getLogger("platform_auth")


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of one signed-in session.

    Parameters
    ----------
    profile
        Its name.
    flow
        How it was signed in, and so how it is refreshed.
    tokens
        The last token response.
    issued_at
        Seconds since the epoch.
    deadline
        When the access token expires, by the monotonic clock of the process that keeps it.
    generation
        Counts the responses: whoever finds a higher one than his own was overtaken.

    """

    profile: str
    flow: str
    tokens: TokenSet
    issued_at: float
    deadline: float
    generation: int = 1

    @property
    def expires_at(self) -> float:
        """When the access token expires, in seconds since the epoch."""
        return self.issued_at + self.tokens.expires_in


def new_record(profile: str, flow: str, tokens: TokenSet, clock: Clock, generation: int) -> Record:
    """Return the record of a token response that has just arrived."""
    return Record(
        profile=profile,
        flow=flow,
        tokens=tokens,
        issued_at=clock.time(),
        deadline=clock.monotonic() + tokens.expires_in,
        generation=generation,
    )


async def rest(store: Store, record: Record) -> None:
    """Put a record into a store.

    Where that fails it is logged and no more: the tokens are good until this process ends, and the
    refresh token they came from may be used up.
    """
    try:
        await store.save(record)
    except Exception:
        log.exception("%s: signed in, but not saved: a restart will end it", record.profile)


class Store(Protocol):
    """What a broker needs of a store."""

    async def load(self, profile: str) -> Record | None:
        """Return the record of a profile, or None."""

    async def save(self, record: Record) -> None:
        """Keep a record; when this returns it would survive whatever the store promises to."""

    async def delete(self, profile: str) -> None:
        """Forget a profile; unknown ones are fine."""

    def lock(self, profile: str) -> AbstractAsyncContextManager[object]:
        """Return a lock that one holder in the store's whole reach can have."""


class MemoryStore:
    """Keeps records for as long as the process lives."""

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
