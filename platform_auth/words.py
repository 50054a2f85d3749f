"""Words that are the same wherever people read them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

PASTE_LABEL: Final = "Paste the address of the page your browser ended on"

_STATES: Final = {
    "signed_out": "Signed out",
    "signing_in": "Waiting for you to sign in",
    "signed_in": "Signed in",
    "expired": "Sign-in expired",
    "failed": "Sign-in failed",
}


def state_words(view: dict[str, Any]) -> str:
    """Return the state of a session (see `platform_auth.broker.view`) for people.

    Examples
    --------
    >>> state_words({"state": "signed_in", "signed_in_as": "ada@example.com"})
    'Signed in as ada@example.com'

    """
    state = str(view["state"])
    who = f" as {view['signed_in_as']}" if state == "signed_in" and view["signed_in_as"] else ""
    return _STATES.get(state, state) + who


def host_of(url: str) -> str:
    """Return what a person recognises of an address."""
    return urlsplit(url).netloc.rpartition("@")[2] or url


def also_sign_out_at(url: str) -> str:
    """Name the link to the page where a person ends their session with the provider, too."""
    return f"Also sign out at {host_of(url)}"
