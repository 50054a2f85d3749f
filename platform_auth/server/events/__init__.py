"""The Jupyter events of the extension; their schemas lie beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from ...broker.session import Session

SESSION_SCHEMA_ID: Final = "https://events.platform-auth.dev/session/v1"


def register(logger: EventLogger) -> None:
    """Make the events known to a server."""
    logger.register_event_schema(Path(__file__).parent / "session.yaml")


def emit_session(logger: EventLogger, session: Session) -> None:
    """Tell that a session has changed; who is signed in is nobody's business here."""
    data = {
        "profile": session.profile.name,
        "state": session.state.value,
        "revision": session.revision,
    }
    logger.emit(schema_id=SESSION_SCHEMA_ID, data=data)
