"""What the doctor finds."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...errors import PlatformAuthError


class Level(enum.IntEnum):
    """How bad it is."""

    OK = 0
    WARN = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's.

    Parameters
    ----------
    level
        How bad it is.
    what
        What was found.
    why
        The cause, where it is known.
    fix
        What to do about it.

    """

    level: Level
    what: str
    why: str = ""
    fix: str = ""

    @classmethod
    def of(cls, error: PlatformAuthError, subject: str = "") -> Finding:
        """Return an error as a finding, with whose it is before it."""
        what = f"{subject}: {error.what}" if subject else error.what
        return cls(Level.FAIL, what, error.why, error.fix)

    def lines(self) -> list[str]:
        """Return it for the terminal."""
        more = (("Why", self.why), ("Fix", self.fix))
        return [
            f"{self.level.name.lower():<4}  {self.what}",
            *(f"      {label}: {text}" for label, text in more if text),
        ]
