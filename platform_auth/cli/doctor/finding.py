"""What the doctor finds."""

from __future__ import annotations

import enum
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ...errors import PlatformAuthError


class Level(enum.IntEnum):
    """How bad it is."""

    OK = 0
    NOTE = 1
    """Neither good nor bad: there is something to do, or to know."""

    WARN = 2
    FAIL = 3


_MARKS: Final = {Level.OK: "✓", Level.NOTE: "·", Level.WARN: "!", Level.FAIL: "✗"}
_WORDS: Final = {Level.OK: "ok", Level.NOTE: "note", Level.WARN: "warn", Level.FAIL: "FAIL"}


def mark(level: Level) -> str:
    """Return the mark of a level: a sign where the terminal has it, else a word."""
    try:
        "".join(_MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _WORDS[level]
    return _MARKS[level]


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
        """Return an error as a finding, with what it is about before it."""
        what = f"{subject}: {error.what}" if subject else error.what
        return cls(Level.FAIL, what, error.why, error.fix)

    def lines(self) -> list[str]:
        """Return it for the terminal."""
        sign = mark(self.level)
        indent = " " * (len(sign) + 1)
        more = (("Why", self.why), ("Fix", self.fix))
        return [
            f"{sign} {self.what}",
            *(f"{indent}{label}: {text}" for label, text in more if text),
        ]
