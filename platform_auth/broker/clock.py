"""The two clocks, as one thing to be handed around and replaced in tests."""

from __future__ import annotations

import time


class Clock:
    """The clocks of this machine."""

    def time(self) -> float:
        """Seconds since the epoch; may jump. For people, and for what others put into tokens."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only grow: for every decision about expiry."""
        return time.monotonic()
