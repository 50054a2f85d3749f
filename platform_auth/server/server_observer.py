"""Turns what happens in the broker into the server's events and metrics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from . import events, metrics

if TYPE_CHECKING:
    from jupyter_events import EventLogger

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
        events.register(logger)

    def session_changed(self, session: Session) -> None:
        """Emit the event."""
        try:
            events.emit_session(self._logger, session)
        except Exception:  # what other people's listeners raise must not stop a sign-in
            log.exception("the event of a changed session was not emitted")

    def sign_in_ended(self, result: str) -> None:
        """Count it."""
        metrics.SIGN_INS.labels(result).inc()

    def refresh_ended(self, result: str, seconds: float) -> None:
        """Count and time it."""
        metrics.REFRESHES.labels(result).inc()
        metrics.REFRESH_SECONDS.observe(seconds)

    def token_requested(self, result: str) -> None:
        """Count it."""
        metrics.TOKEN_REQUESTS.labels(result).inc()
