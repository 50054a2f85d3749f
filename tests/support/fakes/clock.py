"""A clock that tests put forward."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from platform_auth.broker.clock import Clock

from .provider import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS = count()


@dataclass(order=True)
class FakeTimer:
    """Something to be done later."""

    at: float
    number: int = field(default_factory=lambda: next(_NUMBERS))
    deed: Callable[[], object] | None = field(default=None, compare=False)

    def cancel(self) -> None:
        """Leave it."""
        self.deed = None


class FakeClock(Clock):
    """All clocks in one, standing still."""

    def __init__(self) -> None:
        self.passed, self.jumped = 0.0, 0.0
        self._timers: list[FakeTimer] = []

    def time(self) -> float:
        """Seconds since the epoch."""
        return NOW + self.passed + self.jumped

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return 1000.0 + self.passed

    def call_later(self, seconds: float, deed: Callable[[], object]) -> FakeTimer:
        """Have something done when `ring` finds it due."""
        timer = FakeTimer(self.passed + seconds, deed=deed)
        heapq.heappush(self._timers, timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass and no timer ring, as while the machine sleeps."""
        self.passed += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock, ahead or back, while no time passes."""
        self.jumped += seconds

    def ring(self, until: float) -> bool:
        """Go to the next timer that is due by then, and do what it is for; False where none is."""
        while self._timers and self._timers[0].at <= until:
            timer = heapq.heappop(self._timers)
            if timer.deed is not None:
                self.passed = max(self.passed, timer.at)
                timer.deed()
                return True
        self.passed = max(self.passed, until)
        return False
