"""Handing a sign-in that is under way from one process to another."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ..errors import PlatformAuthError, SignInError
from ..secret import Secret
from .pending import Pending

if TYPE_CHECKING:
    from ..oauth.flows import Flow
    from .attempt import Attempt
    from .pending import PendingSignIns
    from .session import Session


class Relay:
    """Notes what this process has begun, and whether it or another one goes on.

    Parameters
    ----------
    pending
        Where it is noted.

    """

    def __init__(self, pending: PendingSignIns) -> None:
        self.pending = pending

    async def hand_over(
        self, session: Session, flow: Flow, attempt: Attempt, seconds: float
    ) -> None:
        """Let any process go on with a browser's trip, this one too, once the browser is back."""
        try:
            await self.pending.note(_noted(session, flow, attempt, attempt.state), seconds)
        finally:
            attempt.let_go()

    async def keep(self, session: Session, flow: Flow, attempt: Attempt, seconds: float) -> None:
        """Ask the provider on here, and let another process do so when this one has ended."""
        pending = _noted(session, flow, attempt, secrets.token_urlsafe(32))
        await self.pending.note(pending, seconds)
        self.attend(attempt, pending)

    def attend(self, attempt: Attempt, pending: Pending) -> None:
        """Go on with one here, until it ends or another process does."""
        self.pending.attend(pending, attempt.let_go)
        self.watch(attempt, pending)

    def watch(self, attempt: Attempt, pending: Pending) -> None:
        """Note how one ends."""
        attempt.task.add_done_callback(lambda _: self._note_end(attempt, pending))

    def _note_end(self, attempt: Attempt, pending: Pending) -> None:
        error = attempt.failure
        if attempt.task.cancelled():
            self.pending.leave(pending)
        elif error is None or isinstance(error, PlatformAuthError):
            self.pending.ended(pending, error)
        else:
            self.pending.ended(pending, SignInError("The sign-in failed; the log says why."))


def _noted(session: Session, flow: Flow, attempt: Attempt, key: str) -> Pending:
    memory = attempt.memory or Secret("")
    return Pending(
        session.profile.name, flow.name, memory, key, attempt.binding, redirects=flow.redirects
    )
