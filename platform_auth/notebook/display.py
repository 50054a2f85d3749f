"""The login display of a cell that waits: a MIME bundle, brought up to date when the wait ends."""

# mypy: allow-untyped-calls
# IPython's display functions have no types.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ..clients import kind_for
from ..errors import SignInCancelledError
from ..remarks import remarks
from ..words import state_words
from .card import Card, Line, card_of, logout_link, outcome_card
from .markup import to_html
from .words import client_is_ready, ready, sign_in_to

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

    from ..errors import PlatformAuthError

MIME: Final = "application/vnd.platform-auth.login+json"
"""Rendered live by the lab extension, which asks the server and so needs no kernel."""

Bundle = dict[str, Any]


class LoginDisplay:
    """What a waiting cell shows, and leaves behind.

    What is saved in a notebook never holds a token, nor, once the wait has ended, the address or
    code of the sign-in.

    Parameters
    ----------
    name
        The variable that will hold the client.
    kind
        The client's kind; what fits the session once somebody is signed in, if None.

    """

    def __init__(self, name: str, kind: str | None = None) -> None:
        self._name, self._kind = name, kind
        self._handle: DisplayHandle | None = None
        self._view: dict[str, Any] = {}

    def wait(self, view: dict[str, Any]) -> None:
        """Put a session's challenge before the person."""
        self._view = view
        self._put(waiting_bundle(view))

    def succeed(self, view: dict[str, Any]) -> None:
        """Say who has signed in."""
        kind = self._kind or kind_for(view)
        if self._handle is None:  # nobody was asked
            print(ready(view, self._name, kind))  # noqa: T201
            return
        note = Line(f"{client_is_ready(self._name, kind)}.", quiet=True)
        said = map(Line, remarks(view))  # what was granted otherwise than asked for
        card = outcome_card(view, "signed_in", state_words(view), *said, note)
        self._put(_bundle(card, ready(view, self._name, kind)))

    def fail(self, error: PlatformAuthError) -> None:
        """Say how it ended; the error, which the cell shows next, says why."""
        if self._handle is None:
            return
        off = isinstance(error, SignInCancelledError)
        state, status = (
            ("signed_out", "Sign-in called off") if off else ("failed", "Sign-in failed")
        )
        self._put(_bundle(outcome_card(self._view, state, status), status))

    def _put(self, bundle: Bundle) -> None:
        from IPython.display import DisplayHandle

        if self._handle is None:
            # Noted before it shows: an interrupt may come as soon as it does.
            self._handle = DisplayHandle()
            self._handle.display(bundle, raw=True)
        else:
            self._handle.update(bundle, raw=True)


def waiting_bundle(view: dict[str, Any]) -> Bundle:
    """Return the MIME bundle that asks a person to sign in.

    Parameters
    ----------
    view
        A session with a challenge.

    """
    card = card_of(view)
    bundle = _bundle(card, _asking_text(view, card))
    if view["sign_in_url"] is not None:
        return {MIME: login_data(view), **bundle}
    return bundle


def show_signed_out(view: dict[str, Any]) -> None:
    """Say that a sign-out is done, and where to do so at the provider, too.

    Parameters
    ----------
    view
        The answer to the sign-out.

    """
    text, page = f"Signed out of {view['platform']}", view.get("logout_url")
    aside = logout_link(page)
    if aside is None:
        print(text)  # noqa: T201 - this is how a magic speaks
        return
    from IPython.display import display

    card = outcome_card(view, "signed_out", state_words(view), aside=aside)
    display(_bundle(card, f"{text}\n{aside.label}: {aside.href}"), raw=True)


def login_data(view: dict[str, Any]) -> dict[str, Any]:
    """Return what the lab extension is told: the profile, and where to ask the server about it."""
    face = view["sign_in_url"].partition("/login?")[0]
    return {
        "version": 1,
        "profile": view["profile"],
        "platform": view["platform"],
        "sign_in_path": view["sign_in_url"],
        "session_path": f"{face}/api/v1/profiles/{quote(view['profile'], safe='')}",
    }


def _bundle(card: Card, text: str) -> Bundle:
    return {"text/html": to_html(card), "text/plain": text}


def _asking_text(view: dict[str, Any], card: Card) -> str:
    where = card.link.href if card.link is not None else ""
    text = f"{sign_in_to(view['platform'])}: open {where}"
    if where.startswith("/"):
        text += " on your Jupyter server"
    if card.code is not None:
        text += f" and enter the code {card.code.code}"
    return text
