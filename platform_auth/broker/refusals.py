"""What the administrator's policy refuses, put on record once and not at every try."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from .event import Event, Kind, reason_of

if TYPE_CHECKING:
    from ..errors import PolicyError
    from .clock import Clock
    from .observer import Observer

PAUSE: Final = 3600.0
"""Seconds in which the same refusal is not told again: front ends ask for ever."""

_KNOWN: Final = 256


class Refusals:
    """Tells of refusals.

    Parameters
    ----------
    clock, observer
        The broker's.

    """

    def __init__(self, clock: Clock, observer: Observer) -> None:
        self._clock, self._observer = clock, observer
        self._told: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def note(self, profile: str, error: PolicyError, caller: str) -> None:
        """Tell of a refusal, unless it has been told lately.

        Parameters
        ----------
        profile, caller
            What was asked for, and by whom.
        error
            What they were told.

        """
        which, now = (profile, error.what, caller), self._clock.monotonic()
        if now - self._told.get(which, -PAUSE) < PAUSE:
            return
        self._told[which] = now
        self._told.move_to_end(which)
        while len(self._told) > _KNOWN:
            self._told.popitem(last=False)
        self._observer.happened(
            Event(Kind.POLICY_REFUSED, profile[:64], error.code, reason_of(error), caller=caller)
        )
