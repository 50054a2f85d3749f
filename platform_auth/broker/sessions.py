"""The sessions of a broker: one for each profile, in step with its configuration and the store."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
from typing import TYPE_CHECKING, Any, Final

from ..config import Profile, Profiles, ProfileSource
from ..config.equipment import check_equipment
from ..errors import PlatformAuthError, PolicyError
from .realm import realm_of
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..config import PlatformConfig
    from ..oauth.driver import Driver
    from .clock import Clock
    from .observer import Observer
    from .record import Record
    from .stores import Store


log = logging.getLogger("platform_auth")

UNUSED_SECONDS: Final = 7 * 24 * 3600.0
"""Seconds after its expiry for which a token of another configuration is nobody's business here."""


class Sessions:
    """All sessions; iterating gives those that have been asked for.

    Parameters
    ----------
    profiles
        What there is to sign in to.
    store, clock, observer
        The broker's.
    new_driver
        Makes what runs a profile's flows.
    call_off
        Ends the sign-ins under way of a session whose configuration is outdated.

    """

    def __init__(  # noqa: PLR0913 - what its broker has
        self,
        profiles: Profiles,
        store: Store,
        clock: Clock,
        observer: Observer,
        *,
        new_driver: Callable[[PlatformConfig], Driver],
        call_off: Callable[[Session], None],
    ) -> None:
        self._profiles, self._store, self._clock = profiles, store, clock
        self._new_driver, self._call_off, self._observer = new_driver, call_off, observer
        self._sessions: dict[str, Session] = {}
        self._ad_hoc: dict[str, Profile] = {}
        self._key = secrets.token_bytes(32)  # known to this process only, and for its life

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def names(self) -> list[str]:
        """Return the names of all profiles."""
        return list(dict.fromkeys([*self._profiles.names(), *self._ad_hoc]))

    async def get(self, name: str) -> Session:
        """Return a profile's session, as its configuration is now.

        Raises
        ------
        ProfileNotFoundError, PolicyError, ConfigError
            There is no such profile, or it may not be used.

        """
        profile = self._profile(name)
        session = self._sessions.get(name)
        if session is None or session.profile.config != profile.config:
            outdated = session
            driver = self._new_driver(profile.config)
            session = Session(profile, driver, self._clock, self._observer)
            self._sessions[name] = session  # at once: whoever asks meanwhile must get the same
            session.loading = asyncio.create_task(self._load(session, outdated))
        session.profile = profile
        if session.loading is None and self._store.stamp(name) != session.stamp:
            session.loading = asyncio.create_task(self._load(session, None))
        if session.loading is not None:
            await self._loaded(session, session.loading)
        return session

    async def _loaded(self, session: Session, loading: asyncio.Task[None]) -> None:
        try:
            await asyncio.shield(loading)  # who goes away does not end it for the others
        finally:
            if loading.done() and session.loading is loading:
                session.loading = None

    def _profile(self, name: str) -> Profile:
        ad_hoc = self._ad_hoc.get(name)
        # Code's profiles never stand before configured ones, even if those come later.
        if ad_hoc is None or name in self._profiles.names():
            return self._profiles.get(name)
        return ad_hoc

    async def _load(self, session: Session, outdated: Session | None) -> None:
        """Take over what the store has: of an earlier process, or another one's news."""
        name = session.profile.name
        if outdated is not None:
            self._call_off(outdated)
            outdated.forget()
        stamp = self._store.stamp(name)
        try:
            record = await self._store.load(name)
        except Exception:
            if session.record is None:
                self._sessions.pop(name, None)  # to be tried again
                raise
            log.exception("%s: what is saved cannot be read; what is known still serves", name)
            record = session.record
        session.stamp = stamp
        # Under the same name there may be tokens for what the profile was, or is elsewhere.
        if record is not None and record.realm != realm_of(session.profile.config):
            await self._clear_away(record)
            record = None
        if record is None and stamp is None and session.record is not None:
            session.forget()  # signed out by another process
        elif record is not None and not _is_same(record, session.record):
            session.adopt(record)

    async def _clear_away(self, record: Record) -> None:
        """Delete what a profile's earlier configuration left, once nobody uses it any more.

        Another process may still have that configuration: it would have renewed the tokens.
        """
        if self._clock.time() - record.expires_at < UNUSED_SECONDS:
            return
        name = record.profile
        try:
            async with self._store.lock(name):
                if _is_same(record, await self._store.load(name)):
                    await self._store.delete(name)
                    log.info("%s: the sign-in to what it was before is forgotten", name)
        except PlatformAuthError as error:
            log.info("%s: the sign-in to what it was before is still there: %s", name, error.what)

    async def put(self, name: str, mapping: Mapping[str, Any], *, apart: bool = False) -> Session:
        """Take in a profile made by code, for this process's life.

        Parameters
        ----------
        name
            Of no configured profile.
        mapping
            The shape of ``profiles.yaml``.
        apart
            Whether it gets a name of its own where that one is taken by a profile that differs from
            it in its secrets alone.

        Raises
        ------
        PolicyError, ConfigError
            The administrator's policy refuses it, or it is wrong.

        """
        if name in self._profiles.names():
            what = f"The profile {name} is configured; code cannot change it."
            raise PolicyError(what, fix="Use it as it is, or choose another name.")
        profile = Profile.from_mapping(name, mapping, source=ProfileSource.SESSION)
        if apart and self._differs_in_secrets_from(profile):
            name = f"{name}-{self._mark(profile)}"
            profile = Profile.from_mapping(name, mapping, source=ProfileSource.SESSION)
        self._profiles.policy.check(profile)
        check_equipment(profile.config)
        self._ad_hoc[name] = profile
        return await self.get(name)

    def _differs_in_secrets_from(self, profile: Profile) -> bool:
        """Tell whether there is a profile of that name with other secrets, and with all else."""
        here = self._ad_hoc.get(profile.name)
        if here is None or here.to_mapping() == profile.to_mapping():
            return False
        return here.to_mapping(secrets=False) == profile.to_mapping(secrets=False)

    def _mark(self, profile: Profile) -> str:
        """Return what tells a profile from others by its secrets, and nobody what they are."""
        text = json.dumps(profile.to_mapping(), sort_keys=True)
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()[:8]


def _is_same(one: Record, other: Record | None) -> bool:
    return (
        other is not None
        and one.generation == other.generation
        and one.tokens.access_token == other.tokens.access_token
    )
