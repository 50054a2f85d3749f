"""The clocks, as one thing to be handed around and replaced in tests."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from .monotonic import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable


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
