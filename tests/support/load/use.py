"""Using a platform at a steady pace, and what came of it."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_OK = 200


@dataclass
class Order:
    """What to do.

    Parameters
    ----------
    url
        What to ask the platform for.
    seconds
        For how long.
    pause
        Seconds from one call to the next.
    more
        What the program itself needs to know.

    """

    url: str
    seconds: float
    pause: float
    more: dict[str, Any] = field(default_factory=dict)

    def dumps(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))


@dataclass
class Tally:
    """How it went: calls, those that failed, the longest in seconds, and the first complaint."""

    calls: int = 0
    failed: int = 0
    longest: float = 0.0
    complaint: str = ""

    def dumps(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))


def order() -> Order:
    """Return the order, the first line on the standard input."""
    return Order(**json.loads(sys.stdin.readline()))


def run(given: Order, call: Callable[[str], int]) -> None:
    """Say that all is ready, wait for the time to begin, do as ordered, and print the tally."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    tally = use(given, call, float(sys.stdin.readline()))
    sys.stdout.write(tally.dumps() + "\n")


def use(given: Order, call: Callable[[str], int], begin: float) -> Tally:
    """Call at a steady pace from a time on (seconds since the epoch).

    Each call returns the status of the platform's answer.
    """
    tally, pace, number = Tally(), threading.Event(), 0
    while (due := begin + number * given.pause) < begin + given.seconds:
        pace.wait(max(0.0, due - time.time()))
        number += 1
        began = time.perf_counter()
        try:
            status = call(given.url)
        except Exception as error:  # noqa: BLE001 - whatever a library raises is a failed call
            status = 0
            tally.complaint = tally.complaint or f"{type(error).__name__}: {error}"[:300]
        tally.longest = max(tally.longest, time.perf_counter() - began)
        tally.calls += 1
        tally.failed += status != _OK
    return tally
