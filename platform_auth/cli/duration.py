"""How long a sign-in lasts."""

from __future__ import annotations

import time
from typing import Any

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def for_how_long(view: dict[str, Any]) -> str:
    """Return how long a sign-in lasts, for people; empty where there is none."""
    if view["state"] != "signed_in" or view["expires_at"] is None:
        return ""
    if view["next_refresh"] is not None:
        return "renewed by itself"
    left = max(view["expires_at"] - time.time(), 0)
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if left >= 2 * unit:
            return f"for {left // unit:.0f} {name}"
    return f"for {left:.0f} s"
