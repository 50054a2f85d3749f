"""The file of an audit log: lines are added to it, by any number of processes, and never changed.

Each line is written at once and to the end of the file (``O_APPEND``), so that lines of several
processes do not mix. A file that has grown too large becomes ``audit.jsonl.1``, that one
``audit.jsonl.2``, and the oldest goes.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from ...errors import UnsafeFileError
from ..stores.private_file import private_directory

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 5 * 1024 * 1024
"""Bytes at which a file is put aside."""

FILES: Final = 5
"""How many of those are kept."""

_LOCK_SECONDS: Final = 5.0
_APPEND = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


class AuditFile:
    """A file with one entry in each line; what it does may block.

    Parameters
    ----------
    path
        In a directory that is its owner's alone; made with modes 0600 and 0700.
    max_bytes
        Bytes at which it is put aside.
    files
        How many of those are kept; 0 for none.

    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, files: int = FILES) -> None:
        self.path, self._max_bytes, self._files = path, max_bytes, files
        self._torn = False

    def append(self, line: bytes) -> None:
        """Add a line; it is on the disk when this returns.

        Parameters
        ----------
        line
            Without its end.

        Raises
        ------
        UnsafeFileError
            The file or its directory is not its owner's alone.
        OSError
            It cannot be written.

        """
        private_directory(self.path.parent)
        content = (b"\n" if self._torn else b"") + line + b"\n"
        descriptor = self._open()
        try:
            if self._is_full(os.fstat(descriptor), len(content)):
                os.close(descriptor)
                descriptor = -1
                self._turn_over(len(content))
                descriptor = self._open()
            self._torn = True
            if os.write(descriptor, content) == len(content):
                self._torn = False
                os.fsync(descriptor)
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        if self._torn:
            msg = "only a part of the line could be written"
            raise OSError(msg)

    def _open(self) -> int:
        descriptor = os.open(self.path, _APPEND, 0o600)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise UnsafeFileError(f"{self.path} is not used.", why="It is no plain file.")
        if os.name == "posix" and found.st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        return descriptor

    def _is_full(self, found: os.stat_result, more: int) -> bool:
        return found.st_size > 0 and found.st_size + more > self._max_bytes

    def _turn_over(self, more: int) -> None:
        """Put the file aside, unless another process has done so meanwhile."""
        from filelock import FileLock  # late: it is needed once in five megabytes

        lock = self.path.with_name(f".{self.path.name}.lock")
        with FileLock(lock, timeout=_LOCK_SECONDS, mode=0o600, preserve_lock_file=True):
            try:
                found = self.path.lstat()
            except FileNotFoundError:
                return
            if not self._is_full(found, more):
                return
            for number in range(self._files, 0, -1):
                newer = self._aside(number - 1)
                if newer.exists():
                    newer.replace(self._aside(number))
            if self._files == 0:
                self.path.unlink()

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path
