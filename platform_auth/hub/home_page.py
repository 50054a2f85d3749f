"""The page on which a person sees their own sign-ins, and ends them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .moments import moment
from .sheet import button, said, sheet, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATES: Final = {
    "signed_in": "Signed in",
    "signing_in": "Signing in",
    "signed_out": "Signed out",
    "expired": "Expired",
    "failed": "Failed",
}


def home_page(
    views: Sequence[Mapping[str, Any]],
    *,
    person: str,
    hidden: str,
    message: str,
    links: Sequence[tuple[str, str]],
) -> str:
    """Return the page.

    Parameters
    ----------
    views
        The sessions, as the protocol shows them.
    person
        Their name at the Hub.
    hidden
        The field against forms of other sites, HTML.
    message
        What has just been done.
    links
        To other pages.

    """
    rows = [_row(view, hidden) for view in views]
    signed_in = sum(view["state"] == "signed_in" for view in views)
    everywhere = button("Sign out of all", "platforms", {"all": "1"}, hidden, last=True)
    body = [
        said(message),
        "<p>Whoever signs in here is signed in on all of their servers, and out likewise.</p>",
        table("Platforms", ("Platform", "State", "Renewed", "Expires", "Action"), rows),
        f"<p>{everywhere}</p>" if signed_in > 1 else "",
    ]
    return sheet("Your sign-ins", "\n".join(body), person=person, links=links)


def _row(view: Mapping[str, Any], hidden: str) -> list[str]:
    name, state = view["profile"], view["state"]
    who, error = view["signed_in_as"], view["error"] or view["last_error"]
    about = f"of {name}"
    action = button("Sign out", about, {"profile": name}, hidden)
    if state != "signed_in":
        unseen = f'<span class="unseen"> to {escape(name)}</span>'
        action = f'<a class="go" href="login?profile={quote(name, safe="")}">Sign in{unseen}</a>'
    as_whom = f"<small>as {escape(who)}</small>" if who else ""
    problem = f'<small class="bad">{escape(error["what"])}</small>' if error else ""
    return [
        f"{escape(name)}<small>{escape(view['platform'])}</small>",
        f"{STATES.get(state, state)}{as_whom}{problem}",
        moment(view["refreshed_at"]),
        moment(view["expires_at"]),
        action,
    ]
