"""The sentences of the login display; the lab extension's ``words.ts`` has the same ones."""

from __future__ import annotations

import time
from typing import Any, Final

from ..words import host_of

INVITATION: Final = (
    "Sign in once on the page that opens; every notebook on this server can then use this platform."
)
INVITATION_ALONE: Final = "Sign in on the page that opens, then come back here."
NO_PAGE: Final = "No page opens for this: the server signs in with its own credentials."
PASTE: Final = (
    "Sign in on the page that opens. It ends on an address that cannot be reached: "
    "copy that whole address and paste it here."
)
PASTE_ON_PAGE: Final = (
    "The page that opens takes you to sign in, and takes the address that your browser ends on."
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
    """Say where a code goes, and what comes of it."""
    return (
        f"Enter this code at {host_of(url)}, on this or any other device; "
        "then you are signed in here, too."
    )


def code_is_good(until: float | None) -> str:
    """Say how long a code is good for, as seen from now; the reader's clock may be another one."""
    if until is None:
        return ""
    minutes = round((until - time.time()) / 60)
    return f"The code is good for {minutes} min." if minutes > 0 else "The code expires soon."


def paste_with_magic(profile: str) -> str:
    """Say how to sign in where an address must be pasted and no page takes it."""
    return f"Run %platform_login {profile} to sign in: it asks for an address."


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


def validity(view: dict[str, Any]) -> list[str]:
    """Say until when a sign-in is good, as seen from now; nothing where it is not known."""
    until, renewed = view["expires_at"], view["next_refresh"]
    if until is None:
        return []
    if renewed is None:
        return [f"good for {_minutes(until)}"]
    soon = renewed <= time.time()
    return ["renewed automatically" if soon else f"renewed automatically in {_minutes(renewed)}"]


def _minutes(until: float) -> str:
    minutes = max(round((until - time.time()) / 60), 1)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"  # noqa: PLR2004


def client_is_ready(name: str, kind: str) -> str:
    """Say that a client is there."""
    return f"{name} is ready" if kind == "http" else f"{name} ({kind}) is ready"
