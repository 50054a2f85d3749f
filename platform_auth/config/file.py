"""Reading one configuration file, whole and bounded, and noticing that it changed."""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SETTLED_NS = 2_000_000_000
_OWNER_ONLY = 0o600


def read_bytes(path: Path, limit: int) -> bytes:
    """Return the contents of a regular file of at most `limit` bytes.

    Raises
    ------
    ConfigError
        It is missing, not readable, not a regular file, or longer.

    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and str(path) != os.devnull:
            what = f"{path} is not a file."
            raise ConfigError(what, fix="Name a regular file.")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is not valid"
        what = f"{path} cannot be read: {reason}."
        raise ConfigError(what, fix="Check the path and its permissions.") from None
    if len(data) > limit:
        what = f"{path} is longer than {limit // 1024} KiB."
        raise ConfigError(what, fix="A configuration is a few lines; is this the right file?")
    return data


def replace_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Replace a file, or make it, so that a reader sees all of the old or all of the new.

    Parameters
    ----------
    path
        The file; where it is a link, what that leads to is replaced. A new one is its owner's
        alone, another keeps its mode.
    data
        Safe on the disk when this returns.
    private
        Whether nobody but its owner may read it from now on.

    Raises
    ------
    ConfigError
        It cannot be written; the old content is intact.

    """
    path = path.resolve()
    unfinished = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else _OWNER_ONLY
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        unfinished.touch(mode=_OWNER_ONLY, exist_ok=False)
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(mode & _OWNER_ONLY if private else mode)
        unfinished.replace(path)
    except OSError as error:
        why = f"{error.strerror or type(error).__name__}."
        fix = "Make room for it, or make it writable."
        raise ConfigError(f"{path} cannot be written.", why=why, fix=fix) from None
    finally:
        unfinished.unlink(missing_ok=True)


def exists(path: Path) -> bool:
    """Whether there is anything at the path; a path we may not look at counts as there."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return True
    return True


def is_shared(path: Path) -> bool:
    """Whether others than its owner may read the file; False where there are no such bits."""
    if os.name == "nt":
        return False
    try:
        return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False


def work_tree(path: Path) -> Path | None:
    """Return the git work tree in which a file lies, wherever links lead; None if in none."""
    # A submodule and a further work tree have a file of that name, not a directory.
    return next((each for each in path.resolve().parents if exists(each / ".git")), None)


def exposed_secret_warnings(
    path: Path, instead: str, *, what: str = "a client secret"
) -> Iterator[str]:
    """Yield warnings when others can read a file that holds a secret, or will once it is pushed."""
    if is_shared(path):
        yield (
            f"{path} holds {what}, and other users of this machine can read the file. "
            f"Run: chmod 600 '{path}', or {instead}."
        )
    tree = work_tree(path)
    if tree is not None:
        yield (
            f"{path} holds {what}, and is in the git work tree {tree}: a commit would publish it. "
            f"Take it out of the file: {instead}. If it was committed, have it replaced."
        )


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one state of a file from the next, without reading it.

    Parameters
    ----------
    path
        The file.
    mtime_ns, size, inode, mode
        As the file system has them; all 0 where there is no file.

    """

    path: Path
    mtime_ns: int = 0
    size: int = 0
    inode: int = 0
    mode: int = 0

    @classmethod
    def of(cls, path: Path) -> Version:
        """Return the version of what is there now."""
        try:
            found = path.stat()
        except (OSError, ValueError):
            return cls(path)
        return cls(path, found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)

    @property
    def is_settled(self) -> bool:
        """Whether the next change cannot but show.

        A file changed within the last two seconds may change again under the same time stamp: the
        coarsest file systems count in steps of two seconds.
        """
        return time.time_ns() - self.mtime_ns > _SETTLED_NS
