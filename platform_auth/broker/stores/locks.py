"""Locks that one process at a time can have, and that go when it ends, however it ends."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import AsyncFileLock, FileLock, Timeout

from ...errors import BrokerUnavailableError, StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LOCK_SECONDS: Final = 35.0
"""Seconds to wait for a lock: a refresh under it may take 30."""

_LOCK: Final[dict[str, Any]] = {
    "mode": 0o600,
    # The default would silently take a lock that two machines can both hold.
    "fallback_to_soft": False,
    "preserve_lock_file": True,
}
_MOUNTS, _HELD = Path("/proc/self/mountinfo"), Path("/proc/locks")
_OWN_LOCKS = {"nolock", "local_lock=all", "local_lock=flock"}


def try_locks(directory: Path) -> None:
    """Take a lock in a directory and give it back.

    Raises
    ------
    OSError, NotImplementedError
        The file system has no locks, or none that work.

    """
    with FileLock(directory / "try.lock", timeout=LOCK_SECONDS, **_LOCK):
        pass


@contextlib.asynccontextmanager
async def hold(path: Path, profile: str, *, wait: bool = True) -> AsyncIterator[None]:
    """Hold a lock.

    Parameters
    ----------
    path
        The lock's file, made when it is needed.
    profile
        Whose session it protects, for what people are told.
    wait
        Whether to wait `LOCK_SECONDS` for it.

    Raises
    ------
    BrokerUnavailableError
        Somebody else holds it.
    StoreError
        Its file cannot be used.

    """
    lock = AsyncFileLock(path, timeout=LOCK_SECONDS if wait else 0, **_LOCK)
    try:
        await lock.acquire()
    except Timeout:
        raise _held(path, profile) from None
    except OSError as error:
        what = f"The session {profile} cannot be locked, so its refresh token is not used."
        fix = f"Make room in {path.parent}, or make it writable."
        raise StoreError(what, why=str(error.strerror or error), fix=fix, retryable=True) from None
    try:
        yield
    finally:
        await lock.release()


def reach_of_locks(directory: Path, mounts: Path = _MOUNTS) -> str:
    """Return a warning where locks in a directory keep out no other machine, else nothing.

    Some network file systems are told, or not able, to lock on the machine they are used on only.

    Parameters
    ----------
    directory
        A real path.
    mounts
        What is mounted, in the form of Linux (proc(5), ``/proc/pid/mountinfo``).

    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        kind, options = _mounted(directory, mounts.read_text(encoding="utf-8", errors="replace"))
        if (kind.startswith("nfs") and options & _OWN_LOCKS) or kind == "fuse.sshfs":
            return f"locks on this {kind} reach this machine only: do not use it from two at a time"
    return ""


def _mounted(directory: Path, mounts: str) -> tuple[str, set[str]]:
    """Return the kind and the options of the file system that a directory is on."""
    found = ("", set[str]())
    longest = -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode().decode("unicode_escape")  # a blank is \040
        if directory.is_relative_to(point) and len(point) >= longest:  # the last one covers
            kind, _, options = after.split(" ")
            found, longest = (kind, set(options.split(","))), len(point)
    return found


def _held(path: Path, profile: str) -> BrokerUnavailableError:
    holder = _holder(path)
    who = f"process {holder} on this machine" if holder else "another process"
    return BrokerUnavailableError(
        f"The session {profile} is locked by {who}.",
        why=f"It has been for more than {LOCK_SECONDS:g} seconds: stopped, or waiting itself.",
        fix="Try again in a moment, or end that process.",
    )


def _holder(path: Path) -> int | None:
    """Return which process holds a lock, where Linux knows (proc(5), ``/proc/locks``)."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        inode = str(path.stat().st_ino)
        for line in _HELD.read_text(encoding="ascii").splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5].rpartition(":")[2] == inode:
                return int(words[4]) if int(words[4]) > 0 else None
    return None
