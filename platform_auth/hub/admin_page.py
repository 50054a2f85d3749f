"""The page on which administrators of the Hub see who is signed in to what, and end it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from .moments import NOWHEN, moment
from .sheet import button, said, sheet, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .register import Entry

ROWS: Final = 100
"""How many sessions one page shows."""

_HEADS: Final = ("User", "Platform", "Signed in", "Renewed", "Expires", "Last error", "Action")


def admin_page(  # noqa: PLR0913 - what there is to be seen
    entries: Sequence[Entry],
    *,
    total: int,
    wanted: str,
    number: int,
    person: str,
    hidden: str,
    message: str,
    links: Sequence[tuple[str, str]],
) -> str:
    """Return the page.

    Parameters
    ----------
    entries
        The sessions to show.
    total
        How many there are in all.
    wanted
        The beginning of the names that were looked for.
    number
        Which page of them this is, from 0.
    person
        The administrator.
    hidden
        The field against forms of other sites, HTML.
    message
        What has just been done.
    links
        To other pages.

    """
    rows = [_row(each, hidden) for each in entries]
    caption = f"{total} session{'' if total == 1 else 's'}"
    body = [
        said(message),
        _find(wanted),
        table(caption, _HEADS, rows) if rows else "<p>Nobody is signed in to anything.</p>",
        _everything(entries, hidden) if wanted else "",
        _pages(wanted, number, total),
    ]
    return sheet("All users' sign-ins", "\n".join(body), person=person, links=links)


def _row(entry: Entry, hidden: str) -> list[str]:
    who = f"<small>as {escape(entry.who)}</small>" if entry.who else ""
    flow = f"<small>{escape(entry.flow)}</small>" if entry.flow else ""
    about = f"{entry.person} of {entry.profile}"
    fields = {"person": entry.person, "profile": entry.profile}
    return [
        f"{_link(entry.person)}{who}",
        f"{escape(entry.profile)}{flow}",
        moment(entry.signed_in_at),
        moment(entry.refreshed_at),
        moment(entry.expires_at),
        f'<span class="bad">{escape(entry.problem)}</span>' if entry.problem else NOWHEN,
        button("Sign out", about, fields, hidden),
    ]


def _link(person: str) -> str:
    return f'<a href="?{escape(urlencode({"user": person}))}">{escape(person)}</a>'


def _find(wanted: str) -> str:
    everybody = '<a href="admin">Everybody</a>' if wanted else ""
    return (
        '<form class="find" method="get" role="search"><label>User'
        f'<input type="search" name="user" value="{escape(wanted)}" autocomplete="off"></label>'
        f"<button>Find</button>{everybody}</form>"
    )


def _everything(entries: Sequence[Entry], hidden: str) -> str:
    """Return the way to end all that one user has, with a second question before it."""
    people = {each.person for each in entries}
    if len(people) != 1:
        return ""
    person = people.pop()
    text = f"Sign {person} out of everything"
    return (
        f"<details><summary>{escape(text)}…</summary><p>Their servers lose access at once."
        " What they do next asks them to sign in again.</p>"
        f"{button(text, '', {'person': person, 'all': '1'}, hidden, last=True)}</details>"
    )


def _pages(wanted: str, number: int, total: int) -> str:
    links = []
    for other, text in ((number - 1, "Previous page"), (number + 1, "Next page")):
        if other >= 0 and other * ROWS < total:
            query = escape(urlencode({"user": wanted, "page": other}))
            links.append(f'<a href="?{query}">{text}</a>')
    return f'<nav class="pages" aria-label="More sessions">{"".join(links)}</nav>' if links else ""
