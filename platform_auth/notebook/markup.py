"""The card as HTML: no script, and the look of the lab extension's own where that is missing.

Structure and class names are those of the extension's ``card.ts``. The rules here touch only what
bears ``pa-static``, too: never a live card on the same page. Colours are JupyterLab's variables,
with fallbacks that fit light and dark pages of any other program.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .card import Card, Code, Glyph, Line, Link

_GLYPHS: Final[dict[Glyph, tuple[str, ...]]] = {
    "lock": ("M6.5 11h11v8.5h-11z", "M9 11V8a3 3 0 0 1 6 0v3"),
    "wait": ("M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20", "M12 2a10 10 0 0 1 10 10"),
    "check": ("M5 12.5l4.5 4.5L19 7.5",),
    "alert": ("M12 6v7.5", "M12 17.5v.1"),
}

_FADED: Final = "color-mix(in srgb,currentcolor {}%,transparent)"

_RULES: Final = {
    "": (
        f"--pa-line:var(--jp-border-color2,{_FADED.format(25)});"
        f"--pa-soft:var(--jp-ui-font-color2,{_FADED.format(70)});"
        f"--pa-tint:var(--jp-layout-color2,{_FADED.format(8)});"
        "--pa-go:var(--jp-accept-color-normal,var(--jp-brand-color1,#1976d2));"
        "--pa-good:var(--jp-success-color1,#2e7d32);"
        "--pa-warn:var(--jp-warn-color1,#e65100);--pa-bad:var(--jp-error-color1,#d32f2f);"
        "box-sizing:border-box;display:flex;flex-wrap:wrap;gap:12px;max-width:560px;"
        "padding:14px 16px;border:1px solid var(--pa-line);border-radius:6px;"
        "background:var(--jp-layout-color1,transparent);"
        "color:var(--jp-ui-font-color1,inherit);"
        "font-family:var(--jp-ui-font-family,system-ui,sans-serif);"
        "font-size:var(--jp-ui-font-size1,13px);line-height:1.5"
    ),
    " .pa-login-body": "display:flex;flex:1 1 180px;flex-direction:column;min-width:0",
    " .pa-login-head": "display:flex;align-items:baseline;gap:8px;min-width:0",
    " .pa-login-platform": "font-weight:600;overflow-wrap:anywhere",
    " .pa-login-profile": (
        "padding:0 6px;border:1px solid var(--pa-line);border-radius:9px;"
        "color:var(--pa-soft);font-size:var(--jp-ui-font-size0,11px);line-height:16px"
    ),
    " :is(.pa-login-line,.pa-login-note,.pa-login-warning)": (
        "max-width:60ch;margin:2px 0 0;overflow-wrap:anywhere"
    ),
    " .pa-login-note": "color:var(--pa-soft)",
    " .pa-login-warning": "padding-left:8px;border-left:2px solid var(--pa-warn)",
    ":is([data-state=failed],[data-state=expired]) .pa-login-status": "font-weight:600",
    " .pa-login-glyph": (
        "display:flex;flex:none;align-items:center;justify-content:center;width:32px;"
        "height:32px;margin-top:3px;border-radius:50%;background:var(--pa-tint);"
        "color:var(--pa-soft)"
    ),
    ":not(.pa-mod-live) .pa-login-glyph svg": "animation:none",
    ":not(.pa-mod-live) .pa-login-glyph svg path": "stroke:currentcolor",
    " .pa-login-glyph svg": (
        "width:62%;height:62%;fill:none;stroke:currentcolor;stroke-linecap:round;"
        "stroke-linejoin:round;stroke-width:2"
    ),
    "[data-state=signed_in] .pa-login-glyph": (
        "background:var(--pa-good);color:var(--jp-layout-color1,#fff)"
    ),
    "[data-state=expired] .pa-login-glyph": (
        "background:var(--pa-warn);color:var(--jp-layout-color1,#fff)"
    ),
    "[data-state=failed] .pa-login-glyph": (
        "background:var(--pa-bad);color:var(--jp-layout-color1,#fff)"
    ),
    " .pa-login-actions": "display:flex;flex-wrap:wrap;gap:8px;margin-top:12px",
    " .pa-button.pa-mod-primary": (
        "box-sizing:border-box;display:inline-block;max-width:100%;min-height:32px;"
        "padding:5px 14px;border:1px solid var(--pa-go);border-radius:2px;"
        "background:var(--pa-go);color:#fff;font-weight:500;line-height:20px;"
        "text-decoration:none"
    ),
    " .pa-button:focus-visible": "outline:2px solid var(--pa-go);outline-offset:2px",
    " .pa-login-challenge": "margin-top:8px",
    " .pa-login-code": (
        "display:inline-block;margin-top:6px;padding:4px 14px;border-radius:2px;"
        "border:1px dashed var(--pa-line);background:var(--pa-tint);"
        "font-family:var(--jp-code-font-family,monospace);font-size:22px;"
        "letter-spacing:.08em;line-height:32px;user-select:all"
    ),
}


def to_html(card: Card) -> str:
    """Return a card as HTML with the style it needs; all text in it is escaped."""
    html = body_html(card)
    return f"<style>{style_for(html)}</style>{html}"


def style_for(html: str = "") -> str:
    """Return the style sheet of static cards; of that HTML alone, if it is given.

    What a notebook saves should be no longer than it must.
    """
    return "".join(
        f".pa-login.pa-static{selector}{{{rules}}}"
        for selector, rules in _RULES.items()
        if not html or _concerns(selector, html)
    )


def _concerns(selector: str, html: str) -> bool:
    names = re.findall(r"\.([\w-]+)", selector)
    states = re.findall(r"data-state=(\w+)", selector)
    return all(any(each in html for each in group) for group in (names, states) if group)


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
    if said := "".join([*map(_line, card.lines), *map(_warning, card.warnings)]):
        yield f'<div class="pa-login-lines">{said}</div>'
    if card.code is not None:
        yield _code(card.code)
    if card.link is not None:
        yield f'<div class="pa-login-actions">{_anchor(card.link)}</div>'


def _line(line: Line) -> str:
    return f'<p class="pa-login-{"note" if line.quiet else "line"}">{escape(line.text)}</p>'


def _warning(text: str) -> str:
    return f'<p class="pa-login-warning">{escape(text)}</p>'


def _code(code: Code) -> str:
    return (
        f'<div class="pa-login-challenge"><p class="pa-login-line">{escape(code.prompt)}</p>'
        f'<output class="pa-login-code">{escape(code.code)}</output></div>'
    )


def _anchor(link: Link) -> str:
    named = f' aria-label="{escape(link.name)}"' if link.name != link.label else ""
    return (
        f'<a class="pa-button pa-mod-primary" href="{escape(link.href)}" target="_blank" '
        f'rel="noopener"{named}>{escape(link.label)}</a>'
    )


def _svg(glyph: Glyph) -> str:
    paths = "".join(f'<path d="{path}"/>' for path in _GLYPHS[glyph])
    return f'<svg viewBox="0 0 24 24" aria-hidden="true">{paths}</svg>'
