"""Reading one configuration file, whole, bounded, and again only when it changed."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
# A file changed within the last two seconds may change again without a new time stamp (the coarsest
# file systems count in steps of two seconds), so what was read from it is not kept.
_SETTLED_NS = 2_000_000_000


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


@dataclass(frozen=True, slots=True)
class _Version:
    mtime_ns: int
    size: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> _Version | None:
        try:
            found = path.stat()
        except (OSError, ValueError):
            return None
        return cls(found.st_mtime_ns, found.st_size, found.st_ino)

    @property
    def is_settled(self) -> bool:
        return time.time_ns() - self.mtime_ns > _SETTLED_NS


class FileCache(Generic[T]):
    """What was parsed from files, for as long as they stay as they are.

    Parameters
    ----------
    parse
        Reads and parses one file; what it raises is raised to the caller and not kept.

    """

    def __init__(self, parse: Callable[[Path], T]) -> None:
        self._parse = parse
        self._kept: dict[Path, tuple[_Version, T]] = {}

    def read(self, path: Path) -> T:
        """Return the parsed file, parsing it when it is new or changed."""
        version = _Version.of(path)
        kept = self._kept.get(path)
        if kept is not None and kept[0] == version:
            return kept[1]
        parsed = self._parse(path)
        # The version was taken before reading: a change in between shows at the next look.
        if version is not None and version.is_settled:
            self._kept[path] = (version, parsed)
        return parsed
