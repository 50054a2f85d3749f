"""The cookie by which a browser proves that it began the sign-in it has come back from."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from .page import Page


def new_value(profile: str = "") -> str:
    """Return a fresh random value, 256 bits, with what is to be signed in to behind it."""
    value = secrets.token_urlsafe(32)
    return f"{value}.{quote(profile, safe='')}" if profile else value


def profile_of(value: str) -> str:
    """Return what the browser with a value wanted to sign in to; empty where it does not say."""
    return unquote(value.partition(".")[2])


def put(page: Page, state: str, value: str, *, secure: bool, max_age: int) -> None:
    """Give a browser the cookie of one sign-in.

    Parameters
    ----------
    page
        Answers the browser.
    state
        The sign-in's own: two tabs do not get into each other's way.
    value
        From `new_value`.
    secure
        Whether it is for https only.
    max_age
        Seconds it lives.

    """
    page.set_cookie(
        _name(state),
        value,
        path=page.cookie_path,
        httponly=True,
        # Strict would be lost on the way back from another site.
        samesite="Lax",
        secure=secure,
        max_age=max_age,
    )


def get(page: Page, state: str) -> str:
    """Return the value that the browser has for a sign-in; empty if it began none such."""
    return page.get_cookie(_name(state)) or ""


def _name(state: str) -> str:
    return f"platform-auth-{hashlib.sha256(state.encode()).hexdigest()[:8]}"
