"""The sentences of the login display; the lab extension's ``words.ts`` has the same ones."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

INVITATION: Final = (
    "Sign in once on the page that opens; every notebook on this server can then use this platform."
)
INVITATION_ALONE: Final = "Sign in on the page that opens, then come back here."
NO_PAGE: Final = "No page opens for this: the server signs in with its own credentials."
PASTE: Final = (
    "Sign in on the page that opens. Its last step leads to an address that cannot be reached: "
    "copy that whole address and paste it here."
)
SIGN_IN: Final = "Sign in"
SIGN_IN_AGAIN: Final = "Sign in again"
SIGN_OUT: Final = "Sign out"
CANCEL: Final = "Cancel"
NO_PROFILES: Final = (
    "No platform is set up yet. Add one to profiles.yaml, or ask your administrator."
)
GO_ON: Final = "Sign in again to go on."


def sign_in_to(platform: str) -> str:
    """Name the control that starts a sign-in."""
    return f"Sign in to {platform}"


def sign_in_at(url: str) -> str:
    """Name the link to a provider's page."""
    return f"Sign in at {host_of(url)}"


def enter_code(url: str) -> str:
    """Say where a code goes."""
    return f"Enter this code at {host_of(url)}:"


def host_of(url: str) -> str:
    """Return what a person recognises of an address."""
    return urlsplit(url).netloc.rpartition("@")[2] or url


def ready(view: dict[str, Any], name: str, kind: str) -> str:
    """Say, in one line, who is signed in where and what is ready for use.

    Parameters
    ----------
    view
        The session.
    name
        The variable that holds the client.
    kind
        The client's kind.

    Examples
    --------
    >>> ready({"platform": "flyte.example.com", "signed_in_as": "ada"}, "client", "http")
    'Signed in to flyte.example.com as ada · client is ready'

    """
    who = f" as {view['signed_in_as']}" if view["signed_in_as"] else ""
    return f"Signed in to {view['platform']}{who} · {client_is_ready(name, kind)}"


def client_is_ready(name: str, kind: str) -> str:
    """Say that a client is there."""
    return f"{name} is ready" if kind == "http" else f"{name} ({kind}) is ready"
