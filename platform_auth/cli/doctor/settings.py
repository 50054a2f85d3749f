"""Where a profile's settings came from, and what they overrode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...config.origin import DEFAULT
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator


def check(view: dict[str, Any], *, thoroughly: bool) -> Iterator[Finding]:
    """Look at each setting that somebody made.

    Parameters
    ----------
    view
        The session, with its ``settings``.
    thoroughly
        Whether each is worth a line, not only those that override another.

    """
    made = [each for each in view["settings"] if each["origin"] != DEFAULT]
    if thoroughly:
        yield from (Finding(Level.OK, _line(each)) for each in made)
    else:
        yield Finding(Level.OK, f"settings: {len(made)}, from {', '.join(_places(made))}")
        yield from (Finding(Level.OK, _line(each)) for each in made if each["overrode"])
    for place in view["hides"]:
        yield Finding(Level.NOTE, f"the profile of this name in {place} is not used")
    for warning in view["warnings"]:
        yield Finding(Level.WARN, warning)


def _line(setting: dict[str, Any]) -> str:
    origin = setting["origin"].removeprefix(f"{setting['setting']} in ")
    overrode = "".join(f"; overrode {place}" for place in setting["overrode"])
    return f"{setting['setting']}: {setting['value']} ({origin}{overrode})"


def _places(settings: list[dict[str, Any]]) -> list[str]:
    """Return the files and other places, each once, without line and column."""
    places = (each["origin"].partition(" in ")[2].partition(", line ")[0] for each in settings)
    return list(dict.fromkeys(places))
