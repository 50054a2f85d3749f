"""The card: what one session shows, before it is text or HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from ..remarks import remarks
from ..words import also_sign_out_at, state_words
from . import words

Glyph = Literal["lock", "wait", "check", "alert"]

GLYPHS: Final[dict[str, Glyph]] = {
    "signed_out": "lock",
    "signing_in": "wait",
    "signed_in": "check",
    "expired": "alert",
    "failed": "alert",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence below the status: one to act on, or a quiet one that only explains."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A real link that starts or continues a sign-in.

    Parameters
    ----------
    label, name
        What is seen, and what a screen reader says.
    href
        Root-relative, or absolute http(s).

    """

    label: str
    href: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A code to be entered on another page (RFC 8628).

    Parameters
    ----------
    code
        The code itself.
    scan
        The page's address, to be scanned with a phone.
    note
        How long it is good for.

    """

    code: str
    scan: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What one session shows; never a token or secret.

    Parameters
    ----------
    state
        The session's, for the style sheet.
    platform, profile
        The host, and the profile's name where it tells more.
    status
        The state in words.
    lines, warnings, code, link
        What else there is to read and do.
    aside
        A link that may be left alone.

    """

    state: str
    platform: str
    profile: str
    status: str
    lines: tuple[Line, ...] = ()
    warnings: tuple[str, ...] = ()
    code: Code | None = None
    link: Link | None = None
    aside: Link | None = None

    @property
    def glyph(self) -> Glyph:
        """The picture of its state."""
        return GLYPHS.get(self.state, "alert")


def card_of(view: dict[str, Any], *lines: Line, row: bool = False) -> Card:
    """Return the card of a session.

    Parameters
    ----------
    view
        As the broker shows it.
    lines
        In place of what the session says about itself.
    row
        Whether it is one of many: then there is less to read.

    """
    link = None if view["state"] == "signed_in" else _sign_in_link(view, row=row)
    brief = row and view["state"] in {"signed_out", "signing_in"}
    said = () if brief else _lines(view)
    return Card(
        state=view["state"],
        platform=view["platform"] or view["profile"],
        profile=_badge(view),
        status=state_words(view),
        lines=lines or _challenge_lines(view, row=row) or said,
        warnings=tuple(view["warnings"]),
        code=_code(view),
        link=_challenge_link(view, row=row) or link,
    )


def outcome_card(
    view: dict[str, Any], state: str, status: str, *lines: Line, aside: Link | None = None
) -> Card:
    """Return the card that stays when a sign-in, or a session, has ended.

    Parameters
    ----------
    view
        The session it was about.
    state
        One of the states, for the style sheet.
    status, lines, aside
        What became of it.

    """
    platform = view["platform"] or view["profile"]
    said = tuple(line for line in lines if line.text)
    warnings = tuple(view["warnings"])
    return Card(state, platform, _badge(view), status, said, warnings, aside=aside)


def logout_link(url: str | None) -> Link | None:
    """Return the link to sign out at the provider, too, where there is such a page."""
    return _link(also_sign_out_at(url), url) if url is not None else None


def error_lines(error: dict[str, Any]) -> tuple[Line, ...]:
    """Return what happened, why, and the way out."""
    said = (Line(error["what"]), Line(error["why"], quiet=True), Line(error["fix"]))
    return tuple(line for line in said if line.text)


def is_address(url: object) -> bool:
    """Tell whether something may become a link: root-relative, or absolute http(s)."""
    if not isinstance(url, str) or not url.isprintable() or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme or parts.netloc:
        return parts.scheme in {"http", "https"} and bool(parts.netloc)
    return url.startswith("/")


def _badge(view: dict[str, Any]) -> str:
    return "" if view["profile"] == view["platform"] else str(view["profile"])


def _lines(view: dict[str, Any]) -> tuple[Line, ...]:
    if view["state"] == "signed_in":
        said = [Line(text) for text in remarks(view)]
        if view["next_refresh"] is not None:
            said.append(Line("Renewed automatically.", quiet=True))
        return tuple(said)
    if view["state"] in {"expired", "failed"}:
        return error_lines(view["error"]) if view["error"] else (Line(words.GO_ON),)
    if not view["interactive"]:
        return (Line(words.NO_PAGE, quiet=True),)
    alone = view["sign_in_url"] is None
    return (Line(words.INVITATION_ALONE if alone else words.INVITATION, quiet=True),)


def _challenge_lines(view: dict[str, Any], *, row: bool) -> tuple[Line, ...]:
    """Return the sentence that says what will happen."""
    if _kind(view) == "device":
        return (Line(words.enter_code(view["challenge"]["verification_uri"])),)
    if _kind(view) != "paste":
        return ()
    if view["sign_in_url"] is not None:
        return (Line(words.PASTE_ON_PAGE, quiet=True),)
    # The address holds a code, so it must not be typed into a widget: its state is saved.
    said = view["challenge"].get("sentence") or words.PASTE
    return (Line(words.paste_with_magic(view["profile"]) if row else said, quiet=True),)


def _kind(view: dict[str, Any]) -> str | None:
    return view["challenge"]["kind"] if view["challenge"] else None


def _challenge_link(view: dict[str, Any], *, row: bool) -> Link | None:
    """Return the link of what is asked of the person now."""
    challenge = view["challenge"]
    if challenge is None:
        return None
    if challenge["kind"] == "open":
        return _to_platform(view, challenge["url"], row=row)
    if challenge["kind"] == "paste" and view["sign_in_url"] is not None:
        return _to_platform(view, view["sign_in_url"], row=row)
    wanted = ("url", "verification_uri_complete", "verification_uri")
    href = next((challenge[key] for key in wanted if challenge.get(key)), "")
    return _link(words.sign_in_at(challenge.get("verification_uri") or href), href)


def _sign_in_link(view: dict[str, Any], *, row: bool) -> Link | None:
    """Return the link that starts a sign-in, where a page of the server does that."""
    if view["sign_in_url"] is None or not view["interactive"]:
        return None
    if not row and view["state"] in {"expired", "failed"}:
        return _link(words.SIGN_IN_AGAIN, view["sign_in_url"])
    return _to_platform(view, view["sign_in_url"], row=row)


def _to_platform(view: dict[str, Any], url: str, *, row: bool) -> Link | None:
    name = words.sign_in_to(view["platform"])
    return _link(words.SIGN_IN if row else name, url, name)


def _link(label: str, href: str, name: str = "") -> Link | None:
    return Link(label, href, name or label) if is_address(href) else None


def _code(view: dict[str, Any]) -> Code | None:
    if _kind(view) != "device":
        return None
    challenge = view["challenge"]
    page = challenge["verification_uri"]
    scan = challenge.get("verification_uri_complete") or page
    note = words.code_is_good(challenge.get("expires_at"))
    return Code(challenge["user_code"], scan, note)
