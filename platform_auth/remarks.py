"""What else there is to say of a session, the same in a notebook and in a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KEYS: Final = {
    "environment": "Saved sign-ins are encrypted; the key is in PLATFORM_AUTH_STORE_KEY.",
    "keyring": "Saved sign-ins are encrypted; the key is in the system's keyring.",
    "file": "Saved sign-ins are encrypted; the key is a file beside them.",
    "memory": "Sign-ins are in memory only, and end with the process that keeps them.",
}
_MINUTE: Final = 60.0


def remarks(view: dict[str, Any]) -> Iterator[str]:
    """Yield sentences about a session (see `platform_auth.broker.view`) besides its state.

    What was granted otherwise than asked for, and what went wrong in the background. A broker that
    was started before an update may not know of them.

    Examples
    --------
    >>> list(remarks({"notices": ["The scope admin was not granted."]}))
    ['The scope admin was not granted.']

    """
    yield from view.get("notices") or ()
    trouble = view.get("last_error")
    if trouble is None:
        return
    why = " ".join(trouble[part] for part in ("what", "why") if trouble[part])
    alive = (view["expires_at"] or 0) > time.time()
    serves = "the present token still serves" if alive else "there is no live token until then"
    yield f"The last refresh failed {_ago(trouble['at'])}: {why} It is tried again; {serves}."


def key_remark(views: Iterable[dict[str, Any]]) -> str | None:
    """Return where the key of saved sign-ins is; None where nobody is signed in."""
    sources = {view.get("key_source") for view in views if view["state"] == "signed_in"}
    return next((text for source, text in _KEYS.items() if source in sources), None)


def _ago(at: float) -> str:
    passed = time.time() - at
    if passed < _MINUTE:
        return "just now"
    return f"{passed / _MINUTE:.0f} min ago"
