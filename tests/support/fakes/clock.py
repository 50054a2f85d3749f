"""A clock that tests put forward."""

from __future__ import annotations

from platform_auth.broker.clock import Clock

from .provider import NOW


class FakeClock(Clock):
    """Both clocks in one, standing still."""

    def __init__(self) -> None:
        self.passed = 0.0

    def time(self) -> float:
        """Seconds since the epoch."""
        return NOW + self.passed

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return 1000.0 + self.passed

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.passed += seconds
