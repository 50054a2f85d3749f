"""The style sheets of the notebook's displays."""

from __future__ import annotations

import functools
import re
from pathlib import Path

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def style_for(html: str) -> str:
    """Return as much of the cards' style sheet as some HTML needs.

    What a notebook saves should be no longer than it must.
    """
    return "".join(
        f"{selector}{{{rules}}}"
        for selector, rules in _RULE.findall(_sheet("card.css"))
        if _concerns(selector, html)
    )


def widget_style() -> str:
    """Return the style sheet of a `LoginWidget`, whatever it will show."""
    return _sheet("card.css") + _sheet("rows.css")


def _concerns(selector: str, html: str) -> bool:
    """Tell whether a selector may match: whether the classes and states it names are there."""
    sure = re.sub(r":(is|not)\([^)]*\)", "", selector)
    return any(
        all(name in html for name in re.findall(r"[.']([\w-]+)", part)) for part in sure.split(",")
    )


@functools.cache
def _sheet(name: str) -> str:
    """Return a style sheet without comments and needless blanks."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" ?([{};]|: |, ) ?", lambda match: match[1].strip() or match[1], text).strip()
