"""Which configuration files there are, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...config.flyte_files import default_file, named_files
from ...config.user_file import user_file
from ...errors import PlatformAuthError
from ..broker import find_broker
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def check() -> Iterator[Finding]:
    """Look for the files, then ask the broker what it makes of them."""
    yield from _own_file()
    yield from _flyte_files()
    try:
        answer = find_broker().profiles()
    except PlatformAuthError as error:
        yield Finding.of(error)
        return
    problems = [*answer.get("problems", ()), *_errors(answer["profiles"])]
    # What is wrong in a file is wrong with each profile in it.
    for problem in {each["what"]: each for each in problems}.values():
        yield Finding.of(PlatformAuthError.from_dict(problem))
    yield from _profiles(answer)


def _own_file() -> Iterator[Finding]:
    try:
        path = user_file()
    except PlatformAuthError as error:
        yield Finding.of(error)
        return
    if path.exists():
        yield Finding(Level.OK, f"your profiles: {path}")
    else:
        yield Finding(Level.OK, f"your profiles: none yet; they would be in {path}")


def _flyte_files() -> Iterator[Finding]:
    try:
        found = [default_file(), *named_files().values()]
    except PlatformAuthError as error:
        yield Finding.of(error)
        return
    for path in found:
        if isinstance(path, Path):
            yield Finding(Level.OK, f"Flyte's settings: {path}")


def _errors(views: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # A session's own failure is for `status`; one without a platform is the configuration's.
    return [view["error"] for view in views if view["error"] and not view["platform"]]


def _profiles(answer: dict[str, Any]) -> Iterator[Finding]:
    for view in answer["profiles"]:
        for warning in view["warnings"]:
            yield Finding(Level.WARN, f"{view['profile']}: {warning}")
    names = ", ".join(view["profile"] for view in answer["profiles"] if view["platform"])
    if not names:
        fix = "Write one into the file above; README.md shows how."
        yield Finding(Level.WARN, "no platform can be used", fix=fix)
    elif answer["default"] is None:
        fix = "Write `default: NAME` into your profiles, or always name one."
        yield Finding(Level.WARN, f"none of the profiles is the default: {names}", fix=fix)
    else:
        yield Finding(Level.OK, f"profiles: {names} (default: {answer['default']})")
