"""The card as HTML: no script, and with the structure and class names of the extension's own."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ..qr_code import qr_code
from .style import style_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .card import Card, Code, Glyph, Line, Link

_GLYPHS: Final[dict[Glyph, tuple[str, ...]]] = {
    "lock": ("M6.5 11h11v8.5h-11z", "M9 11V8a3 3 0 0 1 6 0v3"),
    "wait": ("M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20", "M12 2a10 10 0 0 1 10 10"),
    "check": ("M5 12.5l4.5 4.5L19 7.5",),
    "alert": ("M12 6v7.5", "M12 17.5v.1"),
}


def to_html(card: Card) -> str:
    """Return a card as HTML with the style it needs; all text in it is escaped."""
    html = body_html(card)
    return f"<style>{style_for(html)}</style>{html}"


def body_html(card: Card, *, live: bool = False) -> str:
    """Return a card as HTML without its style sheet.

    Parameters
    ----------
    card
        What to show.
    live
        Whether it is kept up to date, in a frame of somebody else's: only then a ring may turn, as
        what is saved must not pretend to be alive.

    """
    state, platform = escape(card.state), escape(card.platform)
    profile = (
        f'<span class="pa-login-profile">{escape(card.profile)}</span>' if card.profile else ""
    )
    kind = "pa-login pa-static pa-mod-live" if live else "pa-login pa-static"
    glyph = "lock" if card.glyph == "wait" and not live else card.glyph
    return (
        f'<div class="{kind}" data-state="{state}" role="group" aria-label="{platform}">'
        f'<div class="pa-login-glyph">{_svg(glyph)}</div><div class="pa-login-body">'
        f'<div class="pa-login-head"><span class="pa-login-platform">{platform}</span>{profile}'
        f'</div><div class="pa-login-status" role="status">{escape(card.status)}</div>'
        f"{''.join(_parts(card))}</div></div>"
    )


def _parts(card: Card) -> Iterator[str]:
    yield from map(_warning, card.warnings)
    if said := "".join(map(_line, card.lines)):
        yield f'<div class="pa-login-lines">{said}</div>'
    if card.code is not None:
        yield _code(card.code)
    if card.link is not None:
        anchor = _anchor(card.link, "pa-button pa-mod-primary")
        yield f'<div class="pa-login-actions">{anchor}</div>'
    if card.aside is not None:
        yield f'<div class="pa-login-aside">{_anchor(card.aside, "pa-login-link")}</div>'


def _line(line: Line) -> str:
    return f'<p class="pa-login-{"note" if line.quiet else "line"}">{escape(line.text)}</p>'


def _warning(text: str) -> str:
    return f'<p class="pa-login-warning">{escape(text)}</p>'


def _code(code: Code) -> str:
    scan, note = qr_code(code.scan), ""
    if code.note:
        note = f'<p class="pa-login-note">{escape(code.note)}</p>'
    return (
        '<div class="pa-login-challenge pa-login-device"><div class="pa-login-codebox">'
        f'<output class="pa-login-code" aria-label="Code {escape(code.code)}">{escape(code.code)}'
        f"</output>{note}</div>{scan.svg() if scan else ''}</div>"
    )


def _anchor(link: Link, kind: str) -> str:
    named = f' aria-label="{escape(link.name)}"' if link.name != link.label else ""
    return (
        f'<a class="{kind}" href="{escape(link.href)}" target="_blank" '
        f'rel="noopener"{named}>{escape(link.label)}</a>'
    )


def _svg(glyph: Glyph) -> str:
    paths = "".join(f'<path d="{path}"/>' for path in _GLYPHS[glyph])
    return f'<svg viewBox="0 0 24 24" aria-hidden="true">{paths}</svg>'
