"""Who is told what happens in a broker: the server's events and metrics, and the audit log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from .event import Event
    from .session import Session

log = logging.getLogger("platform_auth")


class Observer(Protocol):
    """Watches a broker from its event loop; must not block."""

    def session_changed(self, session: Session) -> None:
        """Learn that a session has a new revision."""

    def happened(self, event: Event) -> None:
        """Learn of an event."""

    def token_requested(self, result: str) -> None:
        """Learn what became of a request for a token; there may be thousands in a second."""

    def close(self) -> None:
        """Finish what is under way: the broker has ended. May block for a moment."""


class Observers:
    """Many observers as one; what one of them raises is logged, and stops nobody.

    Parameters
    ----------
    observers
        Told in this order.

    """

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def session_changed(self, session: Session) -> None:
        """Tell all."""
        self._tell(lambda each: each.session_changed(session))

    def happened(self, event: Event) -> None:
        """Tell all."""
        self._tell(lambda each: each.happened(event))

    def token_requested(self, result: str) -> None:
        """Tell all."""
        self._tell(lambda each: each.token_requested(result))

    def close(self) -> None:
        """Tell all."""
        self._tell(lambda each: each.close())

    def _tell(self, tell: Callable[[Observer], None]) -> None:
        for each in self._observers:
            try:
                tell(each)
            except Exception:
                log.exception("somebody who watches the broker failed")
