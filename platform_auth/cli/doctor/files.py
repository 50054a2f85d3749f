"""Which configuration files there are, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...config.flyte_files import default_file, named_files
from ...config.profiles import user_file
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
    for problem in answer.get("problems", ()):
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


def _profiles(answer: dict[str, Any]) -> Iterator[Finding]:
    views = answer["profiles"]
    for view in views:
        yield from _profile(view)
    names = ", ".join(view["profile"] for view in views)
    if not views:
        fix = "Write one into the file above; README.md shows how."
        yield Finding(Level.WARN, "no platform is configured", fix=fix)
    elif answer["default"] is None:
        fix = "Write `default: NAME` into your profiles, or always name one."
        yield Finding(Level.WARN, f"none of the profiles is the default: {names}", fix=fix)
    else:
        yield Finding(Level.OK, f"profiles: {names} (default: {answer['default']})")


def _profile(view: dict[str, Any]) -> Iterator[Finding]:
    for warning in view["warnings"]:
        yield Finding(Level.WARN, f"{view['profile']}: {warning}")
    # A session's own failure is for `status`; one without a platform is the configuration's.
    if view["error"] is not None and not view["platform"]:
        yield Finding.of(PlatformAuthError.from_dict(view["error"]), view["profile"])
