"""Points in time as people read them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

NOWHEN: Final = "\N{EN DASH}"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def moment(at: float | None, *, now: float | None = None) -> str:
    """Return a point in time, HTML: how far it is, and exactly; a dash where there is none."""
    if at is None:
        return NOWHEN
    away = at - (time.time() if now is None else now)
    exact = datetime.fromtimestamp(at, UTC)
    shown = exact.strftime("%Y-%m-%d %H:%M:%S UTC")
    return f'<time datetime="{exact.isoformat()}" title="{shown}">{distance(away)}</time>'


def distance(seconds: float) -> str:
    """Return how far a moment is from now.

    Examples
    --------
    >>> distance(-90), distance(7200), distance(3)
    ('1 min ago', 'in 2 h', 'now')

    """
    size = abs(seconds)
    if size < 10:  # noqa: PLR2004 - nobody reads faster
        return "now"
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s")):
        if size >= unit:
            count = f"{int(size // unit)} {name}"
            break
    return f"in {count}" if seconds > 0 else f"{count} ago"
