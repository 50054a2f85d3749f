"""Where sign-ins rest, and whether they can be saved there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...broker.client import SocketChannel, channel_of_environment
from ...broker.stores import VARIABLE
from ...broker.stores.directory import sessions_directory
from ...broker.stores.private_file import private_directory, write_private
from ...errors import PlatformAuthError, UnsafeFileError
from ..broker import find_broker
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_MEMORY = "in memory"
_FIX = "Make the directory writable for you alone, and make room there; then restart Jupyter."


def check() -> Iterator[Finding]:
    """Ask the broker where they rest; where that is in files, write one and remove it."""
    channel = channel_of_environment()
    try:
        rest = find_broker().profiles()["store"]
    except PlatformAuthError:
        return  # the check of Jupyter says why
    keeper = "each command by itself" if channel is None else "the Hub's service"
    if isinstance(channel, SocketChannel):
        keeper = f"the Jupyter server ({channel.address})"
    yield Finding(Level.OK, f"sign-ins are kept by {keeper}")
    if rest.startswith(_IN_MEMORY):
        yield _in_memory(rest, alone=channel is None)
    else:
        yield Finding(Level.OK, f"they rest {rest}")
        directory = Path(sessions_directory())
        if str(directory) in rest:
            yield _written(directory)


def _in_memory(rest: str, *, alone: bool) -> Finding:
    _, _, problem = rest.partition(": ")
    if problem:
        return Finding(Level.FAIL, "sign-ins cannot be saved and end with it", problem, _FIX)
    if alone:
        fix = f"Unset {VARIABLE}, or use the terminal of a Jupyter server."
        return Finding(Level.WARN, f"they rest {rest}: none outlives its command", fix=fix)
    return Finding(Level.OK, f"they rest {rest}")


def _written(directory: Path) -> Finding:
    probe = directory / "try.probe"
    try:
        private_directory(directory)  # as the first save does
        write_private(probe, b"")
        probe.unlink()
    except UnsafeFileError as error:
        return Finding.of(error)
    except OSError as error:
        what = f"sign-ins cannot be saved in {directory}"
        return Finding(Level.FAIL, what, error.strerror or "", _FIX)
    return Finding(Level.OK, "they can be saved there")
