"""When a token is refreshed, and by whom: one request per expiry, however many are waiting."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Final

from ..errors import InvalidGrantError, PlatformAuthError, SignInRequiredError, TransportError
from ..oauth.flows import get_flow
from .access_token import fingerprint
from .observer import NoObserver, Observer
from .stores import Record, new_record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..oauth.grants import FlowContext
    from .clock import Clock
    from .session import Session
    from .stores import Store

log = logging.getLogger("platform_auth")

FIRST_BACKOFF: Final = 5.0
"""Seconds before a failed refresh is tried again; doubled each time, with full jitter."""

MAX_BACKOFF: Final = 60.0


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
            Signed in.
        min_ttl
            Seconds.
        stale
            The fingerprint of a token that the platform refused; refreshed if it is still ours.

        Raises
        ------
        SignInRequiredError
            Only a person can go on.
        PlatformAuthError
            The refresh failed and the old token is dead.

        """
        record = session.record
        assert record is not None
        refused = stale is not None and stale == fingerprint(record.tokens.access_token)
        # A token cannot be asked to live longer than the provider lets it.
        needed = min(min_ttl, record.tokens.expires_in / 2)
        if session.remaining > needed and not refused:
            if session.remaining <= self._stale_window(record.tokens.expires_in):
                self._start(session)
            return
        await self._wait_for_refresh(session, usable=not refused)

    def next_refresh(self, session: Session) -> float | None:
        """Return from when on a session will be renewed, in seconds since the epoch, or None."""
        record = session.record
        if record is None or (session.interactive and record.tokens.refresh_token is None):
            return None
        return record.expires_at - self._stale_window(record.tokens.expires_in)

    def _stale_window(self, lifetime: float) -> float:
        window = min(lifetime / 2, 20 * 60) if self._margin is None else self._margin
        return min(window, lifetime / 2)

    async def _wait_for_refresh(self, session: Session, *, usable: bool) -> None:
        task = self._start(session)
        if task is not None:
            await asyncio.wait({task})
        if session.record is None:
            raise session.error or sign_in_required(session)
        if session.error is not None and not (usable and session.remaining > 0):
            raise session.error

    def _start(self, session: Session) -> asyncio.Task[None] | None:
        """Return the refresh under way, or start one unless the last one failed just now."""
        if session.refreshing is not None:
            return session.refreshing
        if self._clock.monotonic() < session.retry_at:
            return None
        session.refreshing = asyncio.create_task(self._refresh(session))
        session.refreshing.add_done_callback(lambda _task: _done(session))
        return session.refreshing

    async def _refresh(self, session: Session) -> None:
        before, result, began = session.record, "ok", self._clock.monotonic()
        assert before is not None
        try:
            async with self._store.lock(session.profile.name):
                stored = await self._store.load(session.profile.name)
                if stored is not None and stored.generation > before.generation:
                    session.adopt(stored)  # another holder of the lock was quicker
                    return
                record = await self._renewed(session, before)
                # Nobody may see a rotated token before it is safe.
                await self._store.save(record)
            if session.record is before:
                session.adopt(record)
        except InvalidGrantError as error:
            result = error.code
            await self._store.delete(session.profile.name)
            session.expire(sign_in_required(session, error))
        except PlatformAuthError as error:
            result = error.code
            self._back_off(session, error)
        self._observer.refresh_ended(result, self._clock.monotonic() - began)

    async def _renewed(self, session: Session, before: Record) -> Record:
        flow = get_flow(before.flow)
        context = await self._context(session)
        tokens = await session.driver.drive(flow.refresh(context, before.tokens))
        return new_record(before.profile, before.flow, tokens, self._clock, before.generation + 1)

    def _back_off(self, session: Session, error: PlatformAuthError) -> None:
        longest = min(FIRST_BACKOFF * 2**session.failures, MAX_BACKOFF)
        wait = longest * random.uniform(0.5, 1)  # noqa: S311 - spreads load, hides nothing
        if isinstance(error, TransportError) and error.retry_after is not None:
            wait = max(wait, error.retry_after)
        session.failures += 1
        session.retry_at = self._clock.monotonic() + wait
        session.error = error
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


def _done(session: Session) -> None:
    session.refreshing = None
