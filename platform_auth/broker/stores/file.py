"""Sessions on the disk: encrypted, one file each, shared by every process of their owner.

A file is ``PA1``, the identifier of its key (8 bytes), a nonce (12 bytes), and AES-256-GCM of the
record's JSON. The associated data bind it to its format, owner and profile, so that a record copied
to another name, or from another person, does not open.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import hashlib
import json
import logging
import os
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from filelock import AsyncFileLock, FileLock, Timeout

from ...errors import BrokerError, BrokerUnavailableError
from ..clock import Clock
from ..record import Record, record_from_dict, record_to_dict
from .keys import VARIABLE, find_keys
from .memory import MemoryStore
from .private_file import UnsafeFileError, private_directory, read_private, write_private

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable
    from pathlib import Path

    from .keys import StoreKeys

log = logging.getLogger("platform_auth")

LOCK_SECONDS: Final = 35.0
"""Seconds to wait for a lock: a refresh under it may take 30."""

_MAGIC, _KEY_ID, _NONCE = b"PA1", 8, 12
_KEPT_CORRUPT = 3

_LOCK: Final[dict[str, Any]] = {
    "mode": 0o600,
    # The default would silently take a lock that two machines can both hold.
    "fallback_to_soft": False,
    "preserve_lock_file": True,
}


class StoreError(BrokerError):
    """What is on the disk cannot be used, or nothing can be put there."""

    code = "store_failed"


class _CorruptError(Exception):
    """A file holds no record of ours; the message says why."""


class FileStore:
    """Keeps records as encrypted files.

    Where the directory cannot be made or trusted, or its file system has no working locks, nothing
    is put there: the records stay in memory, the log warns, and `describe` says why. A file that is
    open to others is an `UnsafeFileError`.

    Parameters
    ----------
    directory
        Made with mode 0700; must be its owner's alone.
    clock
        Replaced in tests.
    keyring
        Whether the operating system's keyring may be asked for the key.

    """

    def __init__(
        self, directory: Path, *, clock: Clock | None = None, keyring: bool = True
    ) -> None:
        self._directory, self._clock, self._keyring = directory, clock or Clock(), keyring
        self._owner = str(os.geteuid()) if os.name == "posix" else getpass.getuser()
        self._found: StoreKeys | None = None
        self._finding = threading.Lock()
        self._checked = False
        self._instead: MemoryStore | None = None
        self._problem = ""

    @property
    def _keys(self) -> StoreKeys:
        with self._finding:
            if self._found is None:
                self._found = find_keys(self._directory, keyring=self._keyring)
            return self._found

    async def _other(self) -> MemoryStore | None:
        """Return the store to use instead, None where the directory serves; asked once."""
        if not self._checked:
            problem = await asyncio.to_thread(self._find_problem)
            if problem and not self._checked:
                self._problem, self._instead = problem, MemoryStore()
                log.warning("sign-ins are not saved and end with this process: %s", problem)
            self._checked = True
        return self._instead

    def _find_problem(self) -> str:
        try:
            private_directory(self._directory)
            with FileLock(self._directory / "try.lock", timeout=LOCK_SECONDS, **_LOCK):
                return ""
        except UnsafeFileError as error:
            return f"{error.what} {error.why} {error.fix}"
        except (OSError, NotImplementedError) as error:
            return f"{self._directory} cannot be used ({error})"

    async def load(self, profile: str) -> Record | None:
        """Return the record of a profile, or None; a damaged one is put aside, never deleted."""
        if other := await self._other():
            return await other.load(profile)
        return await asyncio.to_thread(self._load, profile)

    async def save(self, record: Record) -> None:
        """Keep a record; it is on the disk when this returns.

        Raises
        ------
        StoreError
            It could not be written; the old record is intact.

        """
        if other := await self._other():
            return await other.save(record)
        return await asyncio.to_thread(self._save, record)

    async def delete(self, profile: str) -> None:
        """Forget a profile; unknown ones are fine."""
        if other := await self._other():
            return await other.delete(profile)
        return await asyncio.to_thread(self._path(profile).unlink, missing_ok=True)

    def stamp(self, profile: str) -> Hashable:
        """Return what tells one version of a record's file from the next."""
        if self._instead is not None:
            return self._instead.stamp(profile)
        try:
            found = self._path(profile).stat(follow_symlinks=False)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def describe(self) -> str:
        """Return where records rest and where their key is."""
        if self._instead is not None:
            return f"{self._instead.describe()}: {self._problem}"
        source = {
            "environment": f"the key is in {VARIABLE}",
            "keyring": "the key is in the system's keyring",
            "file": "the key is a file beside them",
            None: "the key has not been needed yet",
        }[self._found.source if self._found else None]
        return f"encrypted in {self._directory}; {source}"

    @contextlib.asynccontextmanager
    async def lock(self, profile: str) -> AsyncIterator[None]:
        """Hold the profile's lock, which one process on any machine that shares the disk can have.

        Raises
        ------
        BrokerUnavailableError
            Another process has held it for too long.

        """
        if other := await self._other():
            async with other.lock(profile):
                yield
            return
        path = self._path(profile).with_suffix(".lock")
        lock = AsyncFileLock(path, timeout=LOCK_SECONDS, **_LOCK)
        try:
            await lock.acquire()
        except Timeout:
            what = f"Another process is busy with the session {profile}."
            raise BrokerUnavailableError(what, fix="Try again in a moment.") from None
        try:
            yield
        finally:
            await lock.release()

    def _path(self, profile: str) -> Path:
        # A profile's name may hold anything; a file's may not.
        return self._directory / f"{hashlib.sha256(profile.encode()).hexdigest()[:32]}.session"

    def _load(self, profile: str) -> Record | None:
        path = self._path(profile)
        content = read_private(path)
        if content is None:
            return None
        try:
            return self._opened(content, profile)
        except _CorruptError as error:
            log.warning("%s: its saved session is put aside: %s", profile, error)
            self._put_aside(path)
            return None

    def _save(self, record: Record) -> None:
        try:
            write_private(self._path(record.profile), self._sealed(record))
        except OSError as error:
            what = f"The session {record.profile} cannot be saved in {self._directory}."
            fix = "Make room there, or make it writable."
            raise StoreError(what, why=str(error.strerror), fix=fix) from None

    def _sealed(self, record: Record) -> bytes:
        identifier, key = self._keys.newest()
        nonce = secrets.token_bytes(_NONCE)
        plain = json.dumps(record_to_dict(record)).encode()
        sealed = AESGCM(key).encrypt(nonce, plain, self._bound(record.profile))
        return _MAGIC + identifier + nonce + sealed

    def _opened(self, content: bytes, profile: str) -> Record:
        head = len(_MAGIC)
        if content[:2] == _MAGIC[:2] and _MAGIC < content[:head] <= b"PA9":
            what = f"The session {profile} was saved by a newer platform-auth."
            raise StoreError(what, fix="Use that version, or sign out with it first.")
        if content[:head] != _MAGIC or len(content) < head + _KEY_ID + _NONCE:
            raise _CorruptError("it is cut off or no record")
        key = self._keys.find(content[head : head + _KEY_ID])
        if key is None:
            raise _CorruptError("it was encrypted with a key that is gone")
        nonce = content[head + _KEY_ID : head + _KEY_ID + _NONCE]
        try:
            sealed = content[head + _KEY_ID + _NONCE :]
            data: Any = json.loads(AESGCM(key).decrypt(nonce, sealed, self._bound(profile)))
            return record_from_dict(data, self._clock)
        except (InvalidTag, ValueError, KeyError, TypeError):
            raise _CorruptError("it was changed, or is another's") from None

    def _bound(self, profile: str) -> bytes:
        return b"\0".join((_MAGIC, self._owner.encode(), profile.encode()))

    def _put_aside(self, path: Path) -> None:
        path.replace(path.with_suffix(f".corrupt-{time.time_ns()}"))
        for old in sorted(path.parent.glob(f"{path.stem}.corrupt-*"))[:-_KEPT_CORRUPT]:
            old.unlink(missing_ok=True)
