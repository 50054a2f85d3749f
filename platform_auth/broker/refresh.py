"""When a token is refreshed, and by whom: one request per expiry, however many are waiting."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..errors import (
    BrokerError,
    InvalidGrantError,
    PlatformAuthError,
    SignInRequiredError,
    TransportError,
)
from ..oauth.responses import LOST
from .access_token import fingerprint
from .event import Kind, event_of
from .trouble import Trouble
from .windows import hard_window, stale_window

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .clock import Clock
    from .observer import Observer
    from .record import Record
    from .renewal import Renewal
    from .session import Session

log = logging.getLogger("platform_auth")

FIRST_BACKOFF: Final = 5.0
"""Seconds at most before a failed refresh is tried again, and half of that at least; doubled each
time."""

MAX_BACKOFF: Final = 60.0

JUMP: Final = 60.0
"""Seconds that the wall clock may gain on the one that only grows before a token is doubted."""

NEGATIVE: Final = 60.0
"""Seconds for which a service whose credentials are refused is told the same without asking."""

REFUSED_AGAIN: Final = 60.0
"""Seconds that a token which replaced a refused one is handed out again when it is refused, too; a
quarter of its life at most. A platform that refuses every token so costs the provider one request
in that time, and its answer reaches whoever called."""

_ENOUGH_DOUBLINGS: Final = 16  # an outage may last longer than any number can grow

_CANNOT_BE_PROLONGED: Final = InvalidGrantError(
    "The sign-in has ended.",
    why="The identity provider gave no refresh token, so it cannot be prolonged.",
)


class Refresher:
    """Keeps sessions fresh.

    Parameters
    ----------
    renewal
        Does it.
    clock, observer
        The broker's.
    margin
        Seconds before expiry from which a token is renewed in the background; None leaves it to the
        token's life: half of it, 20 minutes at most. See `windows` for what is added to it.

    """

    def __init__(
        self, renewal: Renewal, clock: Clock, observer: Observer, margin: float | None = None
    ) -> None:
        self._renewal, self._clock = renewal, clock
        self._observer, self._margin = observer, margin

    async def ensure(self, session: Session, *, min_ttl: float, stale: str | None) -> None:
        """Make a session's token good for ``min_ttl`` seconds, or as long as a token lives at all.

        Parameters
        ----------
        session
            Signed in, unless that takes no person.
        min_ttl
            Seconds.
        stale
            The fingerprint of a token that the platform refused; refreshed if it is still ours, but
            for `REFUSED_AGAIN`.

        Raises
        ------
        SignInRequiredError
            Only a person can go on.
        PlatformAuthError
            The refresh failed and the old token is dead or refused.

        """
        record, refused, needed = session.record, False, 0.0
        if record is not None:
            refused = stale is not None and self._is_refused(session, record, stale)
            needed = hard_window(record.tokens.expires_in, min_ttl)
        if record is None or refused or session.remaining <= needed:
            await self._renew(session, refused=refused)
        elif self.is_stale(session):
            self.start(session)

    def is_stale(self, session: Session) -> bool:
        """Tell whether a session's token should be renewed by now.

        So it should once after the wall clock has jumped ahead: a virtual machine may have stood
        still, with all its clocks, while the token died.
        """
        return session.remaining <= self._window(session) or self._has_jumped(session)

    def _has_jumped(self, session: Session) -> bool:
        record = session.record
        expected = record.expires_at - session.remaining if record else self._clock.time()
        return self._clock.time() - expected > JUMP

    def next_refresh(self, session: Session) -> float | None:
        """Return when a session that is in use will be renewed, in seconds since the epoch."""
        record = session.record
        if record is None or not session.renewable:
            return None
        return record.expires_at - self._window(session)

    def wait(self, session: Session) -> float:
        """Return the seconds until a signed-in session needs looking after, 0 for at once."""
        if not session.renewable:
            return max(session.remaining, 0.0)
        pause = session.retry_at - self._clock.monotonic()
        return max(session.remaining - self._window(session), pause, 0.0)

    def _window(self, session: Session) -> float:
        lifetime = session.record.tokens.expires_in if session.record else 0.0
        return stale_window(lifetime, session.spread, self._margin)

    def _is_refused(self, session: Session, record: Record, stale: str) -> bool:
        """Tell whether a refusal is of the present token, and another one may help."""
        if stale != fingerprint(record.tokens.access_token):
            return False
        lifetime = record.tokens.expires_in
        age = lifetime - session.remaining
        # One that cannot be replaced is not given up at the first refusal either.
        tried = record is session.replacement or not session.renewable
        return not (tried and age < min(REFUSED_AGAIN, lifetime / 4))

    async def _renew(self, session: Session, *, refused: bool) -> None:
        before, task = session.record, self.start(session)
        if task is not None:
            await asyncio.wait({task})
        if refused and session.record is not before:
            session.replacement = session.record
        alive = session.remaining > 0
        if before is not None and session.record is before and not session.renewable:
            if refused or not alive:
                await asyncio.wait({self.end(session)})
                alive = session.remaining > 0  # another process has signed in
            refused = False
        if alive and not (refused and session.record is before):
            return
        error = session.trouble.error if session.trouble else session.error
        # Raised again and again, an error would collect all their frames.
        raise (error or sign_in_required(session)).with_traceback(None)

    def start(self, session: Session) -> asyncio.Task[None] | None:
        """Return the refresh under way, or start one unless the last one failed just now."""
        if not session.renewable:
            return None  # nobody waits for the refresh of one that was signed out
        if session.refreshing is not None:
            return session.refreshing
        if self._clock.monotonic() < session.retry_at:
            return None
        return _begun(session, self._refresh(session, session.record))

    def end(self, session: Session) -> asyncio.Task[None]:
        """End a session that cannot be prolonged, unless another process did what is needed."""
        return session.refreshing or _begun(session, self._give_up(session, session.record))

    async def _give_up(self, session: Session, before: Record | None) -> None:
        newer = None
        try:
            if before is not None and session.record is before:
                newer = await self._renewal.forget(session, before)
        except Exception:
            log.exception("%s: a session that has ended is still saved", session.profile.name)
        if session.record is before and newer is not None:
            session.adopt(newer)
        elif session.record is before:
            self._observer.happened(event_of(session, Kind.EXPIRED, _CANNOT_BE_PROLONGED))
            session.expire(sign_in_required(session, _CANNOT_BE_PROLONGED))

    async def _refresh(self, session: Session, before: Record | None) -> None:
        if session.record is not before:
            return  # signed out, or in again, before this task had its turn
        began, error, result = self._clock.monotonic(), None, "ok"
        try:
            renewed = await self._renewal.run(session, before)
            result = "overtaken" if renewed.overtaken else "ok"
            if session.record is before:
                session.forget() if renewed.record is None else session.adopt(renewed.record)
        except PlatformAuthError as caught:
            error = caught
        except Exception:
            log.exception("%s: refresh failed", session.profile.name)
            error = BrokerError("The broker failed; its log says why.")
        seconds = self._clock.monotonic() - began
        event = event_of(session, Kind.REFRESH, error, result="" if error else result)
        self._observer.happened(replace(event, seconds=seconds))
        if error is not None and session.record is before:
            self._failed(session, error)

    def _failed(self, session: Session, error: PlatformAuthError) -> None:
        if not isinstance(error, InvalidGrantError | SignInRequiredError):
            return self._back_off(session, error)
        if LOST not in error.why and _may_have_lost(session, error):
            error = InvalidGrantError(error.what, why=f"{error.why} {LOST}".strip())
        log.warning("%s: the sign-in has ended (%s)", session.profile.name, error.code)
        session.expire(sign_in_required(session, error))
        session.retry_at = self._clock.monotonic() + NEGATIVE
        return None

    def _back_off(self, session: Session, error: PlatformAuthError) -> None:
        longest = min(FIRST_BACKOFF * 2 ** min(session.failures, _ENOUGH_DOUBLINGS), MAX_BACKOFF)
        wait = longest * random.uniform(0.5, 1)  # noqa: S311 - spreads load, hides nothing
        if error.retry_after is not None:
            wait = max(wait, error.retry_after)
        session.failures += 1
        session.retry_at = self._clock.monotonic() + wait
        error = error.with_traceback(None)
        if session.record is None:
            session.error = error
        else:
            session.trouble = Trouble(error, self._clock.time())
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


def _may_have_lost(session: Session, error: PlatformAuthError) -> bool:
    before = session.trouble.error if session.trouble else None
    return isinstance(error, InvalidGrantError) and isinstance(before, TransportError)


def _begun(session: Session, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    task = session.refreshing = asyncio.create_task(work)
    task.add_done_callback(lambda _task: _done(session))
    return task


def _done(session: Session) -> None:
    session.refreshing = None
