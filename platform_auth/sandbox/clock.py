"""The sandbox's clock, which tests can put forward instead of sleeping."""

from __future__ import annotations

import time


class Clock:
    """The wall clock, plus what `advance` has added.

    The provider and the platform share one, so that they never disagree about an expiry.
    """

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Put the clock forward by `seconds`."""
        self._ahead += seconds
