"""What a sign-out asks of the provider, once the tokens are gone here."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..errors import BrokerError, PlatformAuthError
from ..oauth.grants import revoke
from ..oauth.logout import logout_url
from ..oauth.metadata import ServerMetadata, with_settings
from .event import Event, Kind, reason_of
from .observer import Observers
from .record import authority_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..oauth.context import FlowContext
    from ..oauth.identity import Identity
    from ..oauth.tokens import TokenSet
    from ..secret import Secret
    from .observer import Observer
    from .record import Record
    from .session import Session
    from .stores import Store

log = logging.getLogger("platform_auth")

REVOKE_SECONDS: Final = 10.0
"""Seconds that a sign-out waits for the provider."""


@dataclass(frozen=True, slots=True)
class SignedOut:
    """What came of a sign-out.

    Parameters
    ----------
    session
        The session, which is signed out.
    logout_url
        Where the person can sign out at the provider, too; None where that is not possible.

    """

    session: Session
    logout_url: str | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """A session as it was before its sign-out.

    Parameters
    ----------
    session
        The session itself, which forgets.
    identity
        Who was signed in.
    by_person
        Whether a person signed in: a service has no session with a provider's pages.
    authority
        Who issued its tokens, see `authority_of`: to nobody else are they shown.
    observer
        Told of what is revoked.
    caller
        Who has asked for it, for the record.

    """

    session: Session
    identity: Identity | None
    by_person: bool
    authority: str = ""
    observer: Observer = field(default_factory=Observers)
    caller: str = ""

    @classmethod
    def of(cls, session: Session, observer: Observer, caller: str = "") -> Leaving:
        """Note what is about to be forgotten."""
        record = session.record
        known = record is not None or session.identity is not None
        authority = record.authority if record else ""
        by_person = known and session.interactive
        return cls(session, session.identity, by_person, authority, observer, caller)

    def event(
        self, kind: Kind, token: Secret | None = None, error: PlatformAuthError | None = None
    ) -> Event:
        """Return the event of something that happens at a sign-out."""
        profile, identity = self.session.profile, self.identity
        return Event(
            kind,
            profile.name,
            error.code if error else "ok",
            reason_of(error),
            profile.config.host,
            identity.label if identity else None,
            token,
            self.caller,
        )

    def tell(self, tokens: TokenSet | None) -> None:
        """Put on record that what a session had is forgotten, if it had anything."""
        if tokens is not None or self.identity is not None:
            token = tokens.access_token if tokens else None
            self.observer.happened(self.event(Kind.SIGN_OUT, token))

    async def at_provider(
        self, tokens: TokenSet | None, find: Callable[[Session], Awaitable[FlowContext]]
    ) -> str | None:
        """Revoke the tokens, and return where the person signs out at the provider, too.

        A provider that does not answer, or says no, changes nothing: they are gone here.

        Parameters
        ----------
        tokens
            What the session had, if anything.
        find
            Finds its authorization server.

        """
        if tokens is None and not self.by_person:
            return None
        config = self.session.profile.config
        metadata = with_settings(ServerMetadata(), config.oauth)
        try:
            async with asyncio.timeout(REVOKE_SECONDS):
                context = await find(self.session)
                config, metadata = context.config, context.metadata
                if tokens is not None and self.authority in {"", authority_of(context)}:
                    await self._revoke(context, tokens)
        except (PlatformAuthError, TimeoutError) as error:
            self._note(error)
        return logout_url(config, metadata, self.identity) if self.by_person else None

    async def _revoke(self, context: FlowContext, tokens: TokenSet) -> None:
        """Revoke the refresh token, then the access token: RFC 7009 §2.1 lets one outlive it."""
        for token, hint in (
            (tokens.refresh_token, "refresh_token"),
            (tokens.access_token, "access_token"),
        ):
            if token is None:
                continue
            failed = None
            try:
                await self.session.driver.drive(revoke(context, token, hint))
            except PlatformAuthError as error:
                failed = error
                self._note(error)
            if context.metadata.revocation_endpoint:
                self.observer.happened(self.event(Kind.REVOKE, token, failed))

    def _note(self, error: Exception) -> None:
        name = self.session.profile.name
        log.info(
            "%s: signed out here, but not revoked (%s)", name, str(error) or "no answer in time"
        )


async def erase(session: Session, store: Store) -> Record | None:
    """Make a session that has forgotten its tokens signed out for good.

    Returns
    -------
    The record that came late, from a refresh under way or another process, if one did.

    """
    name = session.profile.name
    await store.delete(name)
    if session.refreshing is not None:
        await asyncio.wait({session.refreshing})  # what it brings must go as well
    try:
        async with store.lock(name):  # and what another process brings
            late = await store.load(name)
            if session.record is None:
                await store.delete(name)
    except BrokerError:
        late = None  # nobody can be at it who would keep to the lock
    return late
