"""What the processes of one person tell each other of a session, besides its record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..errors import PlatformAuthError
from ..oauth.identity import Identity
from .trouble import Trouble

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True, slots=True)
class News:
    """The state of a session, as JSON.

    Parameters
    ----------
    challenge
        What its person is asked.
    failure
        Why nobody is signed in: ``error``, whether the session has ``expired``, and the
        ``identity`` it was of.
    trouble
        What went wrong in the background.

    """

    challenge: dict[str, Any] | None = None
    failure: dict[str, Any] | None = None
    trouble: dict[str, Any] | None = None

    @classmethod
    def of(cls, session: Session) -> News:
        """Return a session's."""
        failure = None
        if session.error is not None:
            identity = asdict(session.identity) if session.identity else None
            failure = {
                "error": session.error.to_dict(),
                "expired": session.has_expired,
                "identity": identity,
            }
        trouble = session.trouble.to_dict() if session.trouble else None
        return cls(session.challenge, failure, trouble)

    @property
    def error(self) -> PlatformAuthError | None:
        """Why nobody is signed in."""
        return PlatformAuthError.from_dict(self.failure["error"]) if self.failure else None

    @property
    def has_expired(self) -> bool:
        """Whether there was a session that has ended."""
        return bool(self.failure and self.failure["expired"])

    @property
    def identity(self) -> Identity | None:
        """Whose session has ended."""
        found = self.failure and self.failure["identity"]
        return Identity(**found) if found else None

    @property
    def background(self) -> Trouble | None:
        """What went wrong in the background."""
        if self.trouble is None:
            return None
        return Trouble(PlatformAuthError.from_dict(self.trouble), float(self.trouble["at"]))
