"""One refresh: under the store's lock, and safe before anybody sees what it brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InvalidGrantError, PlatformAuthError, SignInRequiredError, TransportError
from ..oauth.flows import get_flow
from .realm import realm_of
from .record import authority_of, new_record
from .stores import assure, is_inherited, rest

if TYPE_CHECKING:
    from ..oauth.context import FlowContext
    from .clock import Clock
    from .contexts import Contexts
    from .record import Record
    from .session import Session
    from .stores import Store


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a refresh brought.

    Parameters
    ----------
    record
        The session's new record; None where it was signed out by another process.
    overtaken
        Whether another process was quicker, so that the provider was not asked.

    """

    record: Record | None
    overtaken: bool = False


class Renewal:
    """Renews what sessions have.

    Parameters
    ----------
    store, clock
        The broker's.
    contexts
        Find a session's authorization server.

    """

    def __init__(self, store: Store, clock: Clock, contexts: Contexts) -> None:
        self._store, self._clock, self._contexts = store, clock, contexts

    async def run(self, session: Session, before: Record | None) -> Renewed:
        """Renew a session's record; the new one is at rest when this returns.

        Parameters
        ----------
        session
            It is not changed here.
        before
            What it had when this was decided; None for a service's first token.

        Raises
        ------
        InvalidGrantError, SignInRequiredError
            Only a person can go on; what the store had is deleted.
        PlatformAuthError
            It failed otherwise, and nothing is lost.

        """
        name = session.profile.name
        async with self._store.lock(name) as held:
            newer = await self._newer(session, before)
            if newer is not None:
                return Renewed(newer, overtaken=True)
            if before is not None and self._is_gone(session):
                return Renewed(None, overtaken=True)
            try:
                record = await self._asked(session, before, held)
            except (InvalidGrantError, SignInRequiredError) as error:
                # Once more: where a lock does not reach another machine, that one was quicker.
                newer = await self._newer(session, before)
                if newer is None:
                    await self._store.delete(name)
                    if isinstance(error, InvalidGrantError) and is_inherited(held):
                        raise _interrupted(error) from None
                    raise
                return Renewed(newer, overtaken=True)
            # Nobody may see a rotated token before it is safe.
            await rest(self._store, record)
            return Renewed(record)

    async def forget(self, session: Session, before: Record) -> Record | None:
        """Delete a record that nothing can prolong, or return the newer one that is there."""
        async with self._store.lock(session.profile.name):
            newer = await self._newer(session, before)
            if newer is None:
                await self._store.delete(session.profile.name)
            return newer

    async def _newer(self, session: Session, before: Record | None) -> Record | None:
        stored = await self._store.load(session.profile.name)
        # Under the same name there may be tokens for what the profile is elsewhere.
        if stored is None or stored.realm != realm_of(session.profile.config):
            return None
        return stored if before is None or stored.generation > before.generation else None

    def _is_gone(self, session: Session) -> bool:
        """Tell whether another process has signed the session out since it was looked at."""
        return session.stamp is not None and self._store.stamp(session.profile.name) is None

    async def _asked(self, session: Session, before: Record | None, held: object) -> Record:
        flow = get_flow(before.flow if before else session.profile.config.flow)
        context = await self._contexts.of(session)
        _refuse_other_authority(context, before)
        steps = flow.refresh(context, before.tokens) if before else flow.sign_in(context)
        assure(held)
        try:
            tokens = await session.driver.drive(steps)
        except PlatformAuthError as error:
            if not isinstance(error, TransportError):
                self._contexts.forget(session)
            raise
        return new_record(session.profile, flow.name, tokens, self._clock, context, before=before)


def _interrupted(error: InvalidGrantError) -> InvalidGrantError:
    """Return a refusal that follows from a death: it is not the person whom somebody signed out."""
    why = "The service was stopped in the middle of renewing it, and what it was sent is lost."
    return InvalidGrantError(error.what, why=why, fix=error.fix)


def _refuse_other_authority(context: FlowContext, before: Record | None) -> None:
    if before is None or before.tokens.refresh_token is None or not before.authority:
        return
    if before.authority != authority_of(context):
        raise InvalidGrantError(
            "The sign-in has ended.",
            why="The platform names another identity provider than the one that you signed in at.",
        )
