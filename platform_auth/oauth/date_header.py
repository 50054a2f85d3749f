"""What a server's ``Date`` tells about this machine's clock (RFC 9110 §6.6.1); for hints only."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


LEEWAY: Final = 60
"""Seconds by which clocks may differ."""


def clock_offset(headers: Mapping[str, str], sent_at: float, received_at: float) -> float | None:
    """Return the seconds by which this machine's clock is ahead; None where nobody can know.

    Parameters
    ----------
    headers
        Of an answer, names in lower case.
    sent_at, received_at
        When it was asked for and when it came, by this machine's clock.

    Examples
    --------
    >>> clock_offset({"date": "Thu, 01 Jan 1970 00:01:40 GMT"}, sent_at=160, received_at=161)
    59.0

    """
    try:
        theirs = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    # Their clock was read in between, and its second was cut off: that much is no difference.
    earliest, latest = sent_at - theirs - 1, received_at - theirs
    return 0.0 if earliest <= 0 <= latest else min(earliest, latest, key=abs)


def said(offset: float, where: str) -> str:
    """Return an offset as a sentence.

    Examples
    --------
    >>> said(-90.4, "https://id.example.com")
    "This machine's clock is 90 s behind that of https://id.example.com."

    """
    direction = "ahead of" if offset > 0 else "behind"
    return f"This machine's clock is {abs(offset):.0f} s {direction} that of {where}."
