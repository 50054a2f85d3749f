"""What happens to a person's sign-ins, as it is counted and put on record.

A result is ``ok``, ``cancelled``, ``overtaken`` (another process was quicker) or an error's code: a
small, fixed set of words.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..secret import Secret
    from .session import Session


class Kind(enum.StrEnum):
    """What can happen."""

    SIGN_IN = "sign_in"
    """A sign-in has ended, one way or the other."""

    CALLBACK_REFUSED = "callback_refused"
    """A browser came back with what is no answer to a sign-in of its own."""

    REFRESH = "refresh"
    """A refresh has ended, one way or the other."""

    EXPIRED = "expired"
    """A token that could not be prolonged has come to its end."""

    TOKEN = "token"  # noqa: S105 - a word
    """A kernel, or another program with a handle, has got a session's token for the first time."""

    SIGN_OUT = "sign_out"
    """The tokens are forgotten here."""

    REVOKE = "revoke"
    """The provider was asked to revoke a token."""

    POLICY_REFUSED = "policy_refused"
    """The administrator's policy refused something."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that has happened.

    Parameters
    ----------
    kind
        What.
    profile
        Where; empty where it belongs to none.
    result
        How it ended.
    reason
        Why it failed, one sentence for people.
    platform
        The host that the profile leads to.
    who
        The person's name at the provider, where it is known.
    token
        The token it is about.
    caller
        Who asked for it, where that is known: ``kernel 0b2c…``, ``browser of ada``.
    seconds
        How long it took.
    notices
        What the provider granted otherwise than asked for.
    user
        Whose broker it has happened in, where there are many persons' in one program.

    """

    kind: Kind
    profile: str = ""
    result: str = "ok"
    reason: str = ""
    platform: str = ""
    who: str | None = None
    token: Secret | None = None
    caller: str = ""
    seconds: float | None = None
    notices: tuple[str, ...] = ()
    user: str = ""


def event_of(
    session: Session, kind: Kind, error: BaseException | None = None, *, result: str = ""
) -> Event:
    """Return the event of something that has happened to a session, as it is now.

    Parameters
    ----------
    session, kind
        To what, and what.
    error
        What it ended in.
    result
        In place of ``ok`` or the error's code.

    """
    record = session.record
    result = result or ("ok" if error is None else str(getattr(error, "code", "error")))
    if kind is Kind.SIGN_IN and result != "ok":
        record = None  # what is there is of an earlier one
    return Event(
        kind,
        session.profile.name,
        result,
        reason_of(error),
        session.profile.config.host,
        session.identity.label if session.identity else None,
        record.tokens.access_token if record else None,
        notices=session.notices if error is None else (),
    )


def reason_of(error: BaseException | None) -> str:
    """Return what an error of ours says, without the way out of it; nothing of other errors."""
    what, why = getattr(error, "what", ""), getattr(error, "why", "")
    return f"{what} {why}".strip()
