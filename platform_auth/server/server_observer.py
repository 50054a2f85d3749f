"""Turns what happens in the broker into the server's events and metrics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..broker.metrics import Metrics
from . import events

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from ..broker.session import Session

log = logging.getLogger("platform_auth")


class ServerObserver(Metrics):
    """Watches the broker of a Jupyter server.

    Parameters
    ----------
    logger
        The server's event logger.

    """

    def __init__(self, logger: EventLogger) -> None:
        super().__init__()
        self._logger = logger
        events.register(logger)

    def session_changed(self, session: Session) -> None:
        """Emit the event."""
        super().session_changed(session)
        try:
            events.emit_session(self._logger, session)
        except Exception:  # what other people's listeners raise must not stop a sign-in
            log.exception("the event of a changed session was not emitted")
