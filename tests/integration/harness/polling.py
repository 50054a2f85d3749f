"""Waiting for something to become true, with a deadline and a reason when it does not."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

INTERVAL: Final = 0.05
"""Seconds between two looks."""


def wait_until(look: Callable[[], T], what: str, *, within: float = 30.0) -> T:
    """Return the first true answer of `look`.

    Parameters
    ----------
    look
        Asked again and again; called at least once.
    what
        Completes "waited in vain for ..." in the failure.
    within
        Seconds until it fails.

    Raises
    ------
    TimeoutError
        When the deadline passes.

    """
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not (answer := look()):
        if time.monotonic() > deadline:
            msg = f"waited {within:g} s in vain for {what}; last seen: {answer!r}"
            raise TimeoutError(msg)
        pause.wait(INTERVAL)
    return answer
