"""What went wrong in the background while somebody is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..errors import PlatformAuthError


@dataclass(frozen=True, slots=True)
class Trouble:
    """A refresh that failed, where a later one may not.

    Parameters
    ----------
    error
        Why.
    at
        When, in seconds since the epoch.

    """

    error: PlatformAuthError
    at: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, the ``last_error`` of a session."""
        return {**self.error.to_dict(), "at": self.at}
