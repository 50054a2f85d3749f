"""The state of one profile for one person."""

from __future__ import annotations

import asyncio
import enum
import time
from math import inf
from typing import TYPE_CHECKING, Any

from .observer import Observers
from .windows import idle_after, new_spread

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ..config import Profile
    from ..errors import PlatformAuthError
    from ..oauth.driver import Driver
    from ..oauth.identity import Identity
    from .attempt import Attempt
    from .clock import Clock, Timer
    from .news import News
    from .observer import Observer
    from .record import Record
    from .trouble import Trouble


class State(enum.StrEnum):
    """What a session can be in."""

    SIGNED_OUT = "signed_out"
    SIGNING_IN = "signing_in"
    SIGNED_IN = "signed_in"
    EXPIRED = "expired"
    FAILED = "failed"


class Session:
    """One profile's state, with a revision that grows at every change.

    It belongs to the event loop of its broker, which alone changes it.

    Parameters
    ----------
    profile
        Which one.
    driver
        Runs its flows, through its own transport.
    clock
        For expiry.
    observer
        Told of every change.

    """

    def __init__(
        self, profile: Profile, driver: Driver, clock: Clock, observer: Observer | None = None
    ) -> None:
        self.profile, self.driver, self._clock = profile, driver, clock
        self._observer = observer or Observers()
        self.record: Record | None = None
        self.identity: Identity | None = None
        self.error: PlatformAuthError | None = None
        self.challenge: dict[str, Any] | None = None
        self._expired = False
        self.attempts: list[Attempt] = []
        self.turn = asyncio.Lock()
        self.refreshing: asyncio.Task[None] | None = None
        self.retry_at = 0.0
        self.failures = 0
        self.trouble: Trouble | None = None
        self.spread = 0.0  # of its present token, see `windows`
        self.used_at = -inf
        self.replacement: Record | None = None  # what it has because a token was refused
        self.alarm: Timer | None = None
        self.given_to: set[str] = set()
        self.loading: asyncio.Task[None] | None = None
        self.stamp: Hashable = None  # the store's, of the record that was last looked at
        self._timeout: asyncio.TimerHandle | None = None
        # Not from zero: a front end must not take a restarted server's state for the one it knows.
        self.revision = time.time_ns() // 1_000_000
        self._changed = asyncio.Event()

    @property
    def state(self) -> State:
        """What it is in now."""
        if self.challenge is not None:
            return State.SIGNING_IN
        if self.record is not None:
            return State.SIGNED_IN if self.remaining > 0 or self.renewable else State.EXPIRED
        if self.error is not None:
            return State.EXPIRED if self._expired else State.FAILED
        return State.SIGNED_OUT

    @property
    def has_expired(self) -> bool:
        """Whether nobody is signed in because a session has ended."""
        return self._expired

    @property
    def interactive(self) -> bool:
        """Whether a person takes part in its sign-in."""
        from ..oauth.flows import get_flow

        return get_flow(self.record.flow if self.record else self.profile.config.flow).interactive

    @property
    def renewable(self) -> bool:
        """Whether new tokens can be had without a person."""
        has_refresh_token = self.record is not None and bool(self.record.tokens.refresh_token)
        return has_refresh_token or not self.interactive

    @property
    def remaining(self) -> float:
        """Seconds the access token still lives; 0 where there is none."""
        return self.record.deadline - self._clock.monotonic() if self.record else 0.0

    @property
    def in_use(self) -> bool:
        """Whether somebody has wanted its token lately; see `windows.idle_after`."""
        lifetime = self.record.tokens.expires_in if self.record else 0.0
        return self._clock.monotonic() - self.used_at <= idle_after(lifetime)

    @property
    def notices(self) -> tuple[str, ...]:
        """What the provider granted otherwise than asked for, in plain sentences."""
        return self.record.tokens.notices if self.record else ()

    def change(self) -> None:
        """Tell everybody who waits that something is new."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()
        self._observer.session_changed(self)

    async def changed(self, since: int, wait: float) -> None:
        """Return once the revision differs from ``since``, after ``wait`` seconds at the latest."""
        if self.revision != since:
            return
        try:
            async with asyncio.timeout(wait):
                await self._changed.wait()
        except TimeoutError:
            return

    def adopt(self, record: Record) -> None:
        """Become signed in with a record."""
        if self.record is None or record.signed_in_at != self.record.signed_in_at:
            self.given_to.clear()
        self.record, self.spread = record, new_spread()
        self.identity = record.tokens.identity or self.identity
        self.error, self._expired = None, False
        self._calm()
        self.change()

    def ask(self, challenge: dict[str, Any], timeout: asyncio.TimerHandle) -> None:
        """Wait for a person, until a timer that `settle` stops."""
        self.stop_timeout()
        self.challenge, self.error, self._timeout = challenge, None, timeout
        self.change()

    def settle(self, error: PlatformAuthError | None = None) -> None:
        """Stop waiting for a person: done, called off, or failed with a reason."""
        self.stop_timeout()
        self.challenge, self.error, self._expired = None, error, False
        self.change()

    def stop_timeout(self) -> None:
        """Let a person take any time; `settle` does so, too."""
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    def expire(self, error: PlatformAuthError) -> None:
        """Lose the tokens, but not the memory of whose they were."""
        self.record, self.error, self._expired = None, error, True
        self._calm()
        self.change()

    def forget(self) -> None:
        """Become signed out."""
        self.record = self.identity = self.error = None
        self._calm()
        self.settle()

    def learn(self, news: News, timeout: asyncio.TimerHandle | None) -> None:
        """Take over what another process knows, with the timer of its challenge."""
        self.stop_timeout()
        self.challenge, self._timeout = news.challenge, timeout
        self.error, self._expired, self.trouble = news.error, news.has_expired, news.background
        self.identity = self.identity or news.identity
        self.change()

    def _calm(self) -> None:
        """Forget what went wrong before."""
        self.trouble, self.failures, self.retry_at = None, 0, 0.0
