"""Turns what happens in the broker into the server's events and metrics."""

from __future__ import annotations

import logging
from math import nan
from typing import TYPE_CHECKING
from weakref import WeakSet

from ..broker.event import Kind
from . import events, metrics

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from ..broker.event import Event
    from ..broker.session import Session

log = logging.getLogger("platform_auth")


class ServerObserver:
    """Watches the broker of a Jupyter server.

    Parameters
    ----------
    logger
        The server's event logger.

    """

    def __init__(self, logger: EventLogger) -> None:
        self._logger = logger
        self._sessions: WeakSet[Session] = WeakSet()
        events.register(logger)
        metrics.EXPIRY_SECONDS.set_function(self._expiry)

    def session_changed(self, session: Session) -> None:
        """Emit the event."""
        self._sessions.add(session)
        try:
            events.emit_session(self._logger, session)
        except Exception:  # what other people's listeners raise must not stop a sign-in
            log.exception("the event of a changed session was not emitted")

    def happened(self, event: Event) -> None:
        """Count and time sign-ins and refreshes."""
        if event.kind is Kind.SIGN_IN:
            metrics.SIGN_INS.labels(event.result).inc()
        elif event.kind is Kind.REFRESH:
            metrics.REFRESHES.labels(event.result).inc()
            metrics.REFRESH_SECONDS.observe(event.seconds or 0.0)

    def token_requested(self, result: str) -> None:
        """Count it."""
        metrics.TOKEN_REQUESTS.labels(result).inc()

    def close(self) -> None:
        """Show no expiry any more."""
        self._sessions.clear()

    def _expiry(self) -> float:
        in_use = [each for each in tuple(self._sessions) if each.record and each.in_use]
        return min((each.remaining for each in in_use), default=nan)
