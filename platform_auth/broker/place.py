"""Where a listener's socket and keys are: a private directory that is its process's alone.

A lock tells whether that process is still there: the operating system gives it up with the process,
however it ended. What a process that was killed has left behind is swept by the next that comes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from ..errors import UnsafeFileError
from .stores.private_file import private_directory

log = logging.getLogger("platform_auth")

_PREFIX: Final = "platform-auth-"
_LOCK: Final = "lock"
_SOCKET: Final = "broker.sock"

_MAX_SOCKET_PATH: Final = 100
"""``sun_path`` holds 108 bytes on Linux and 104 on macOS."""

_TRIES: Final = 8
"""New places that are tried; others' sweeping is very unlikely to cost even one."""


class Place:
    """A directory of mode 0700 that one listener has to itself.

    Parameters
    ----------
    parent
        Where it is made: the Jupyter runtime directory.
    identity
        What stays the same when the process is started again. It then gets the same place, so that
        programs that outlived its predecessor find it; without one every place is new.

    Attributes
    ----------
    path
        The directory, once it has been taken.

    """

    def __init__(self, parent: Path, identity: str = "") -> None:
        self._parent, self._identity = parent, identity
        self._lock: FileLock | None = None
        self.path = parent

    def take(self) -> None:
        """Make it, empty, and clear away the places of processes that are gone.

        Raises
        ------
        OSError, UnsafeFileError
            It cannot be made or kept, or others could write to it.

        """
        self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = [_digest(self._identity)[:8]] if self._identity else []
        names += [secrets.token_hex(4) for _ in range(_TRIES)]
        if not any(self._take(name) for name in names):
            # Never the parent itself: it is every server's.
            raise OSError(errno.EBUSY, "others hold every new place's lock", str(self._parent))
        for each in self._parent.glob(f"{_PREFIX}{_host()}-*"):
            if each != self.path:
                _sweep(each)

    def _take(self, name: str) -> bool:
        path = self._parent / f"{_PREFIX}{_host()}-{name}"
        private_directory(path)
        lock = _lock(path)
        try:
            lock.acquire(timeout=0)
        except (Timeout, FileNotFoundError):
            return False  # a server that was started twice, or another one is sweeping just now
        except (OSError, NotImplementedError) as error:
            # It works without, but nobody can ever tell that its owner is gone.
            log.info("%s cannot be locked: %s", path, error)
        else:
            self._lock = lock
        self.path = path
        _empty(path)
        return True

    @property
    def socket(self) -> Path:
        """The socket's path; in a short directory of its own where it would be too long.

        Raises
        ------
        OSError, UnsafeFileError
            There is no such directory to be had.

        """
        path = self.path / _SOCKET
        if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
            return path
        short = _short(self.path)
        private_directory(short)
        return short / _SOCKET

    def leave(self) -> None:
        """Remove it."""
        if self.path == self._parent:
            return
        _remove(self.path)
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        self.path = self._parent


def _sweep(path: Path) -> None:
    """Remove a place if nothing holds its lock; where there is none, nobody can know."""
    if path.is_symlink() or not (path / _LOCK).is_file():
        return
    lock = _lock(path)
    with contextlib.suppress(Timeout, OSError, NotImplementedError), lock.acquire(timeout=0):
        log.info("removing what a process that is gone has left in %s", path)
        _remove(path)


def _lock(path: Path) -> FileLock:
    return FileLock(
        path / _LOCK,
        mode=0o600,
        fallback_to_soft=False,  # a file that a killed process leaves would lock for ever
        preserve_lock_file=True,
        thread_local=False,
    )


def _empty(path: Path) -> None:
    for each in path.iterdir():
        if each.name != _LOCK:
            each.unlink()


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    short = _short(path)
    with contextlib.suppress(OSError, UnsafeFileError):
        if short.exists():
            private_directory(short)  # never anybody else's
            shutil.rmtree(short, ignore_errors=True)


def _short(path: Path) -> Path:
    """Return the short directory that goes with a place: the same for whoever sweeps it."""
    return Path(tempfile.gettempdir()) / f"pa-{_digest(str(path))[:16]}"


def _host() -> str:
    """Return what tells this machine's places from others' in a home that machines share.

    A lock on a network's file system may be this machine's own affair.
    """
    return _digest(socket.gethostname())[:6]


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()
