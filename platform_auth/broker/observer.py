"""Who is told what happens in a broker: the server's events and metrics.

Results are ``ok``, ``cancelled`` or an error's code: a small, fixed set of words, without names of
people or profiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .session import Session


class Observer(Protocol):
    """Watches a broker from its event loop; must neither block nor raise."""

    def session_changed(self, session: Session) -> None:
        """Learn that a session has a new revision."""

    def sign_in_ended(self, result: str) -> None:
        """Learn how a sign-in ended."""

    def refresh_ended(self, result: str, seconds: float) -> None:
        """Learn how a refresh ended and how long it took."""

    def token_requested(self, result: str) -> None:
        """Learn what became of a request for a token."""


class NoObserver:
    """Does not look."""

    def session_changed(self, session: Session) -> None:
        """Do nothing."""

    def sign_in_ended(self, result: str) -> None:
        """Do nothing."""

    def refresh_ended(self, result: str, seconds: float) -> None:
        """Do nothing."""

    def token_requested(self, result: str) -> None:
        """Do nothing."""
