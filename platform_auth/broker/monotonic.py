"""The clock that only grows, also while the machine sleeps."""

from __future__ import annotations

import sys
import time

# Where `time.monotonic` stands still while the machine sleeps: expiry does not.
_SLEEPLESS = {
    "linux": getattr(time, "CLOCK_BOOTTIME", None),
    "darwin": getattr(time, "CLOCK_MONOTONIC", None),
}.get(sys.platform)


def monotonic() -> float:
    """Seconds that only grow, also while the machine sleeps: for every decision about expiry."""
    return time.monotonic() if _SLEEPLESS is None else time.clock_gettime(_SLEEPLESS)
