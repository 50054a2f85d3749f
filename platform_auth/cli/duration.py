"""How long a sign-in lasts."""

from __future__ import annotations

import time
from typing import Any

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def for_how_long(view: dict[str, Any]) -> str:
    """Return how long a sign-in lasts, for people; empty where there is none.

    What is renewed has no end: then it is when that will be, if the sign-in is in use.
    """
    if view["state"] != "signed_in" or view["expires_at"] is None:
        return ""
    renewed, now = view["next_refresh"], time.time()
    if renewed is not None:
        return "renewed by itself" + (f" in {span(renewed - now)}" if renewed > now else "")
    return f"for {span(view['expires_at'] - now)}"


def span(seconds: float) -> str:
    """Return a time that is left, in the unit that fits.

    Examples
    --------
    >>> span(7300)
    '2 h'

    """
    left = max(seconds, 0)
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if left >= 2 * unit:
            return f"{left // unit:.0f} {name}"
    return f"{left:.0f} s"
