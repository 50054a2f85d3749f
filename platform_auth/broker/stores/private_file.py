"""Files that only their owner can read: made, read and replaced without a gap."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from typing import TYPE_CHECKING, Final

from ...errors import BrokerError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1024 * 1024
"""Bytes that are read of a file."""

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_OWNER_ONLY, _DIRECTORY = 0o600, 0o700


class UnsafeFileError(BrokerError):
    """A file or directory is not what only its owner could have made it."""

    code = "unsafe_file"


def private_directory(path: Path) -> Path:
    """Make a directory of mode 0700, or check the one that is there.

    Raises
    ------
    UnsafeFileError
        It is a link, somebody else's, or open to others.

    """
    path.mkdir(mode=_DIRECTORY, parents=True, exist_ok=True)
    _check(path, path.lstat(), directory=True)
    return path


def read_private(path: Path) -> bytes | None:
    """Return a file's bytes, or None where there is none.

    Raises
    ------
    UnsafeFileError
        It is a link, no plain file, somebody else's, or open to others.
    OSError
        It cannot be read.

    """
    try:
        # O_NONBLOCK: opening a FIFO that somebody put there must not wait for ever.
        descriptor = os.open(path, os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_symlink():
            raise _unsafe(path, "it is a link") from error
        raise
    try:
        _check(path, os.fstat(descriptor), directory=False)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES)
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file so that a reader sees all of the old content or all of the new.

    Parameters
    ----------
    path
        In a private directory.
    content
        Safe on the disk when this returns.
    replace
        Whether one that is there already gives way; otherwise it stays and nothing is written.

    Raises
    ------
    OSError
        It could not be written; the old content is intact.

    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        if replace:
            temporary.replace(path)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        _sync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(path: Path, found: os.stat_result, *, directory: bool) -> None:
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


def _unsafe(path: Path, why: str, fix: str = "") -> UnsafeFileError:
    return UnsafeFileError(
        f"{path} is not used.", why=f"Of a private place: {why}.", fix=fix or "Remove it."
    )
