"""Files that only their owner can read: made, read and replaced without a gap.

Without `pathlib`, which takes longer to import than all of this takes to run: what prints a token
before every call of another tool comes through here.
"""
# ruff: noqa: PTH103, PTH105, PTH108, PTH114, PTH118

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Final

from ...errors import UnsafeFileError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1024 * 1024
"""Bytes that are read of a file."""

TEMPORARY: Final = ".tmp"
"""How the names of unfinished files end."""

# O_NONBLOCK: opening a FIFO that somebody put there must not wait for ever.
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
_OWNER_ONLY, _DIRECTORY = 0o600, 0o700


def private_directory(path: Path | str) -> None:
    """Make a directory of mode 0700, or check the one that is there.

    Raises
    ------
    UnsafeFileError
        It is a link, somebody else's, or open to others.
    OSError
        It cannot be made.

    """
    os.makedirs(path, mode=_DIRECTORY, exist_ok=True)
    check_directory(path)


def check_directory(path: Path | str) -> None:
    """Check a directory that is there.

    Raises
    ------
    UnsafeFileError
        It is a link, somebody else's, or open to others.
    OSError
        There is none.

    """
    _check(path, os.lstat(path), directory=True)


def read_private(path: Path | str, limit: int = MAX_BYTES) -> bytes | None:
    """Return a file's first bytes, or None where there is none.

    Parameters
    ----------
    path
        The file.
    limit
        How many bytes at most.

    Raises
    ------
    UnsafeFileError
        It is a link, no plain file, somebody else's, or open to others.
    OSError
        It cannot be read.

    """
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        if os.path.islink(path):
            raise _unsafe(path, "it is a link") from error
        raise
    try:
        _check(path, os.fstat(descriptor), directory=False)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def write_private(path: Path | str, content: bytes) -> None:
    """Write a file so that a reader sees all of the old content or all of the new.

    Parameters
    ----------
    path
        In a private directory.
    content
        Safe on the disk when this returns.

    Raises
    ------
    OSError
        It could not be written; the old content is intact, or all of the new one is there.

    """
    directory, name = os.path.split(path)
    temporary = os.path.join(directory, f".{name}.{os.urandom(8).hex()}{TEMPORARY}")
    descriptor = os.open(temporary, _CREATE, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(directory)


def _sync_directory(path: str) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(path: Path | str, found: os.stat_result, *, directory: bool) -> None:
    right_kind = stat.S_ISDIR if directory else stat.S_ISREG
    if not right_kind(found.st_mode):
        raise _unsafe(path, f"it is not a plain {'directory' if directory else 'file'}")
    if os.name != "posix":
        return
    if found.st_uid != os.geteuid():
        raise _unsafe(path, "it belongs to somebody else")
    if found.st_mode & 0o077:
        mode = "700" if directory else "600"
        raise _unsafe(path, "others can get at it", fix=f"Run: chmod {mode} {path}")
    if not directory and found.st_nlink > 1:
        raise _unsafe(path, "it has a second name (a hard link)")


def _unsafe(path: Path | str, why: str, fix: str = "") -> UnsafeFileError:
    return UnsafeFileError(
        f"{path} is not used.", why=f"Of a private place: {why}.", fix=fix or "Remove it."
    )
