"""From when on a token is renewed, and from when on nobody should begin with it any more.

Both adapt to the token's life, so that one of ten seconds is as usable as one of a day::

    |-------------- fresh --------------|--------- stale ---------|--- hard ---| end
                                        a refresh in the          a caller waits
                                        background                for the refresh
"""

from __future__ import annotations

import random
from typing import Final

LONGEST: Final = 20 * 60.0
"""Seconds before its end, at most, from which a token is stale, but for the spread."""

LEAST_SPREAD: Final = 0.04
"""The part of its life by which every token is renewed earlier than that.

An outage as long as `LONGEST` then still leaves time for the pause between two tries.
"""

MOST_SPREAD: Final = 0.10
"""The same at most: brokers that got their tokens in one second do not come back in one."""

IN_USE: Final = 5 * 60.0
"""Seconds after its last use in which a session still counts as used, if its tokens do not live
longer than that: the pause between two cells of a notebook."""


def new_spread() -> float:
    """Return a token's own share of the spread, to be drawn once when it comes."""
    return random.uniform(LEAST_SPREAD, MOST_SPREAD)  # noqa: S311 - spreads load, hides nothing


def stale_window(lifetime: float, spread: float, margin: float | None = None) -> float:
    """Return how many seconds before its end a token is stale.

    Parameters
    ----------
    lifetime
        Seconds it lives in all.
    spread
        Of `new_spread`.
    margin
        What the administrator wants in place of `LONGEST`.

    Examples
    --------
    >>> stale_window(3600, 0.05) / 60  # minutes: 20, and 3 of spread
    23.0
    >>> stale_window(10, 0.05)
    5.5

    """
    return min(lifetime / 2, LONGEST if margin is None else margin) + spread * lifetime


def hard_window(lifetime: float, min_ttl: float) -> float:
    """Return how many seconds before its end a token no longer serves who wants ``min_ttl``.

    No token lives longer than the provider lets it; the last quarter is left to waiting.
    """
    return min(min_ttl, lifetime / 4)


def idle_after(lifetime: float) -> float:
    """Return the seconds after its last use for which a session is kept fresh.

    One that nobody used for so long is left to rest. A notebook that goes on in the morning then
    waits for one refresh, once; in return, no provider is asked all night long for what nobody
    needs, and no rotating refresh token is used up a hundred times.

    Parameters
    ----------
    lifetime
        Seconds its tokens live.

    """
    return max(lifetime, IN_USE)
