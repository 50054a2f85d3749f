"""Programs of this environment, for users who may not look where it is installed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROJECT: Final = Path(__file__).resolve().parents[3]
_OTHERS_SEARCH: Final = 0o001
_ASIDE: Final = "/mnt"


def for_everybody(argv: Sequence[str]) -> list[str]:
    """Return a command that every user's programs can be started from.

    Where Python or this project lies in a directory that is root's alone (a home, say), the command
    runs in a mount namespace in which that directory holds nothing but them; nothing changes
    outside of it.
    """
    needed = [Path(sys.base_prefix).resolve(), Path(sys.prefix), _PROJECT]
    closed: dict[Path, list[Path]] = {}
    for place in needed:
        if (shut := _closed(place)) is not None:
            closed.setdefault(shut, []).append(place)
    if not closed:
        return list(argv)
    commands = [command for shut, places in closed.items() for command in _opened(shut, places)]
    script = "\n".join(["set -e", *commands, 'exec "$@"'])
    return ["unshare", "--mount", "sh", "-c", script, "sh", *argv]


def _closed(place: Path) -> Path | None:
    """Return the first directory on the way to a place that not everybody may pass."""
    way = [*reversed(place.parents), place]
    return next((each for each in way if not each.stat().st_mode & _OTHERS_SEARCH), None)


def _opened(shut: Path, places: Sequence[Path]) -> list[str]:
    """Return the commands that put a directory with these places alone over a closed one."""
    numbered = [(f"{_ASIDE}/{number}", shlex.quote(str(p))) for number, p in enumerate(places)]
    return [
        f"mount -t tmpfs -o mode=755 tmpfs {_ASIDE}",
        *(f"mkdir {aside}\nmount --bind {place} {aside}" for aside, place in numbered),
        f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(str(shut))}",
        *(f"mkdir -p {place}\nmount --bind {aside} {place}" for aside, place in numbered),
        f"umount --recursive {_ASIDE}",
    ]
