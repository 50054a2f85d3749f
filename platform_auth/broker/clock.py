"""The clocks, as one thing to be handed around and replaced in tests."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


# Where `time.monotonic` stands still while the machine sleeps: expiry does not.
_SLEEPLESS = {
    "linux": getattr(time, "CLOCK_BOOTTIME", None),
    "darwin": getattr(time, "CLOCK_MONOTONIC", None),
}.get(sys.platform)


def monotonic() -> float:
    """Seconds that only grow, also while the machine sleeps: for every decision about expiry."""
    return time.monotonic() if _SLEEPLESS is None else time.clock_gettime(_SLEEPLESS)


class Timer(Protocol):
    """What a clock has been asked to do later."""

    def cancel(self) -> None:
        """Leave it."""


class Clock:
    """The clocks of this machine."""

    def time(self) -> float:
        """Seconds since the epoch; may jump. For people, and for what others put into tokens."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only grow, see the function."""
        return monotonic()

    def call_later(self, seconds: float, deed: Callable[[], object]) -> Timer:
        """Have the running event loop do something later; not while the machine sleeps."""
        return asyncio.get_running_loop().call_later(seconds, deed)
