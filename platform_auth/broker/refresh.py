"""When a token is refreshed, and by whom: one request per expiry, however many are waiting."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Final

from ..errors import (
    BrokerError,
    InvalidGrantError,
    PlatformAuthError,
    SignInRequiredError,
)
from ..oauth.flows import get_flow
from .access_token import fingerprint
from .observer import NoObserver, Observer
from .record import new_record
from .stores import rest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..oauth.context import FlowContext
    from .clock import Clock
    from .record import Record
    from .session import Session
    from .stores import Store

log = logging.getLogger("platform_auth")

FIRST_BACKOFF: Final = 5.0
"""Seconds before a failed refresh is tried again; doubled each time, with full jitter."""

MAX_BACKOFF: Final = 60.0

_ENOUGH_DOUBLINGS: Final = 16  # an outage may last longer than any number can grow

_CANNOT_BE_PROLONGED: Final = InvalidGrantError(
    "The sign-in has ended.",
    why="The identity provider gave no refresh token, so it cannot be prolonged.",
)


class Refresher:
    """Keeps sessions fresh.

    Parameters
    ----------
    store, clock
        The broker's.
    context
        Finds a session's authorization server.
    margin
        Seconds before expiry from which a token is renewed in the background; None leaves it to the
        token's life: half of it, 20 minutes at most.
    observer
        Told how refreshes end.

    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        context: Callable[[Session], Awaitable[FlowContext]],
        margin: float | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._observer = observer or NoObserver()
        self._store, self._clock, self._context, self._margin = store, clock, context, margin

    async def ensure(self, session: Session, *, min_ttl: float, stale: str | None) -> None:
        """Make a session's token good for ``min_ttl`` seconds, or as long as a token lives at all.

        Parameters
        ----------
        session
            Signed in, unless that takes no person.
        min_ttl
            Seconds.
        stale
            The fingerprint of a token that the platform refused; refreshed if it is still ours.

        Raises
        ------
        SignInRequiredError
            Only a person can go on.
        PlatformAuthError
            The refresh failed and the old token is dead or refused.

        """
        record, refused, needed = session.record, False, 0.0
        if record is not None:
            refused = stale is not None and stale == fingerprint(record.tokens.access_token)
            # No token lives longer than the provider lets it; the last quarter is left to waiting.
            needed = min(min_ttl, record.tokens.expires_in / 4)
        if record is None or refused or session.remaining <= needed:
            await self._renew(session, refused=refused)
        elif session.remaining <= self._stale_window(record.tokens.expires_in):
            self._start(session)

    def next_refresh(self, session: Session) -> float | None:
        """Return from when on a session will be renewed, in seconds since the epoch, or None."""
        record = session.record
        if record is None or not _is_renewable(session):
            return None
        return record.expires_at - self._stale_window(record.tokens.expires_in)

    def _stale_window(self, lifetime: float) -> float:
        window = min(lifetime / 2, 20 * 60) if self._margin is None else self._margin
        return min(window, lifetime / 2)

    async def _renew(self, session: Session, *, refused: bool) -> None:
        before, task = session.record, self._start(session)
        if task is not None:
            await asyncio.wait({task})
        alive = session.remaining > 0
        if before is not None and not _is_renewable(session) and (refused or not alive):
            await self._end(session, _CANNOT_BE_PROLONGED)
        elif alive and not (refused and session.record is before):
            return
        # Raised again and again, an error would collect all their frames.
        raise (session.error or sign_in_required(session)).with_traceback(None)

    async def _end(self, session: Session, cause: PlatformAuthError) -> None:
        await self._store.delete(session.profile.name)
        session.expire(sign_in_required(session, cause))

    def _start(self, session: Session) -> asyncio.Task[None] | None:
        """Return the refresh under way, or start one unless the last one failed just now."""
        if not _is_renewable(session):
            return None
        if session.refreshing is not None:
            return session.refreshing
        if self._clock.monotonic() < session.retry_at:
            return None
        session.refreshing = asyncio.create_task(self._refresh(session, session.record))
        session.refreshing.add_done_callback(lambda _task: _done(session))
        return session.refreshing

    async def _refresh(self, session: Session, before: Record | None) -> None:
        if session.record is not before:
            return  # signed out, or in again, before this task had its turn
        result, began = "ok", self._clock.monotonic()
        try:
            record = await self._newer(session, before)
            if session.record is before:
                session.adopt(record)
        except (InvalidGrantError, SignInRequiredError) as error:
            result = error.code
            if session.record is before:
                await self._end(session, error)
        except PlatformAuthError as error:
            result = error.code
            self._back_off(session, error)
        except Exception:
            log.exception("%s: refresh failed", session.profile.name)
            result = BrokerError.code
            self._back_off(session, BrokerError("The broker failed; its log says why."))
        self._observer.refresh_ended(result, self._clock.monotonic() - began)

    async def _newer(self, session: Session, before: Record | None) -> Record:
        name = session.profile.name
        async with self._store.lock(name):
            stored = await self._store.load(name)
            if stored is not None and (before is None or stored.generation > before.generation):
                return stored  # another holder of the lock was quicker
            record = await self._renewed(session, before)
            # Nobody may see a rotated token before it is safe.
            await rest(self._store, record)
            return record

    async def _renewed(self, session: Session, before: Record | None) -> Record:
        config = session.profile.config
        flow = get_flow(before.flow if before else config.flow)
        context = await self._context(session)
        steps = flow.refresh(context, before.tokens) if before else flow.sign_in(context)
        tokens = await session.driver.drive(steps)
        generation = before.generation + 1 if before else 1
        return new_record(session.profile, flow.name, tokens, self._clock, generation)

    def _back_off(self, session: Session, error: PlatformAuthError) -> None:
        longest = min(FIRST_BACKOFF * 2 ** min(session.failures, _ENOUGH_DOUBLINGS), MAX_BACKOFF)
        wait = longest * random.uniform(0.5, 1)  # noqa: S311 - spreads load, hides nothing
        if error.retry_after is not None:
            wait = max(wait, error.retry_after)
        session.failures += 1
        session.retry_at = self._clock.monotonic() + wait
        session.error = error.with_traceback(None)
        log.warning(
            "%s: refresh failed (%s), next try in %.0f s", session.profile.name, error.code, wait
        )
        session.change()


def sign_in_required(
    session: Session, cause: PlatformAuthError | None = None
) -> SignInRequiredError:
    """Return the error that sends a person to sign in."""
    name, host = session.profile.name, session.profile.config.host
    what = f"You are not signed in to {host}."
    if cause is not None or session.identity is not None:
        what = f"Your sign-in to {host} has ended."
    why = cause.why if cause is not None else ""
    fix = (
        f"Run %platform_login {name} in a notebook, or `platform-auth login {name}` in a terminal."
    )
    return SignInRequiredError(what, why=why, fix=fix)


def _is_renewable(session: Session) -> bool:
    """Tell whether new tokens can be had without a person."""
    record = session.record
    return not session.interactive or (record is not None and bool(record.tokens.refresh_token))


def _done(session: Session) -> None:
    session.refreshing = None
