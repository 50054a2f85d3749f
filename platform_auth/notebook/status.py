"""``%platform_status``: who is signed in where."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from ..remarks import key_remark, remarks
from ..words import state_words
from .words import NO_PROFILES, validity

_MARKS: Final = {
    "signed_in": "●",
    "signing_in": "◌",
    "signed_out": "○",
    "expired": "▲",
    "failed": "▲",
}
_COLOURS: Final = {
    "signed_in": "var(--jp-success-color1,#2e7d32)",
    "expired": "var(--jp-warn-color1,#e65100)",
    "failed": "var(--jp-error-color1,#d32f2f)",
}
_TITLES: Final = ("", "Profile", "Platform", "State", "Token")


class StatusTable:
    """All sessions, as text and as HTML: their state, when tokens are renewed, what went wrong.

    Parameters
    ----------
    answer
        What the broker says: ``{"default", "profiles", "problems"}``.

    """

    def __init__(self, answer: dict[str, Any]) -> None:
        self._views: list[dict[str, Any]] = answer["profiles"]
        problems = [view["error"] for view in self._views if view["error"]]
        self._remarks = [_sentence(each) for each in (*problems, *answer.get("problems", ()))]
        for view in self._views:
            said = (*(f"Warning: {each}" for each in view["warnings"]), *remarks(view))
            self._remarks += [f"{view['profile']}: {text}" for text in said]
        kept = key_remark(self._views)
        self._remarks += [kept] if kept else []

    def __repr__(self) -> str:
        if not self._views:
            return "\n".join([NO_PROFILES, *self._remarks])
        rows = [_TITLES, *map(_cells, self._views)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )
        return "\n".join([*lines, *self._remarks])

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{escape(each)}</p>" for each in self._remarks)
        if not self._views:
            return f"<p>{escape(NO_PROFILES)}</p>{said}"
        head = "".join(f'<th style="text-align:left">{title}</th>' for title in _TITLES)
        body = "".join(map(_row, self._views))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{said}"


def _cells(view: dict[str, Any]) -> tuple[str, ...]:
    default = " (default)" if view["default"] else ""
    mark = _MARKS.get(view["state"], "▲")
    token = ", ".join(validity(view)) if view["state"] == "signed_in" else ""
    return mark, view["profile"] + default, view["platform"], state_words(view), token


def _row(view: dict[str, Any]) -> str:
    mark, *cells = _cells(view)
    colour = _COLOURS.get(view["state"], "inherit")
    first = f'<td style="color:{colour}" aria-hidden="true">{mark}</td>'
    rest = "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in cells)
    return f"<tr>{first}{rest}</tr>"


def _sentence(error: dict[str, Any]) -> str:
    return " ".join(error[part] for part in ("what", "why", "fix") if error[part])
