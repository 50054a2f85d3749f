"""Long waits in pieces, so that an interrupt ends each of them.

CPython looks for signals between two of its own instructions, and when a signal breaks a wait off.
One that arrives just before a wait begins, and after the last look, does neither: it would be
noticed at the end of that wait.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE: Final = 1.0
"""Seconds that an interrupt may go unnoticed, at most."""


def pieces(seconds: float | None) -> Iterator[float]:
    """Yield how long to wait next, in seconds, until so many (None: no end of them) are over."""
    until = float("inf") if seconds is None else time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        yield min(left, _PIECE)
