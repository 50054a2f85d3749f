"""The files of saved sessions: one each, encrypted, replaced whole, put aside when damaged.

All of it waits for the disk; `file` is what an event loop can use. Neither `asyncio` nor `pathlib`:
see `private_file`.
"""
# ruff: noqa: PTH105, PTH108, PTH118, PTH119, PTH208

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, Final

from ...errors import BrokerError, StoreError
from .keys import VARIABLE, StoreKeys
from .private_file import TEMPORARY, private_directory, read_private, write_private
from .sealed import (
    MARK_LENGTH,
    DamagedError,
    ForeignKeyError,
    NewerError,
    check_head,
    seal,
    unseal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from pathlib import Path

UNFINISHED_SECONDS: Final = 3600.0
"""Seconds after which an unfinished file is one whose writer was killed."""

IDLE_SECONDS: Final = 200 * 24 * 3600.0
"""Seconds after which a session that nobody has renewed is forgotten.

No provider that says so keeps an unused refresh token longer (Google: six months), and the profile
it was for may be gone.
"""

NOTE: Final = ".note"
"""How the name of a file ends that notes, sealed, what a profile is; see `saved_token`."""

_SESSION, _ASIDE = ".session", ".corrupt-"
_KEPT_ASIDE = 3
_PUT_ASIDE = "put aside"


class SessionFiles:
    """Reads and writes the files of saved sessions.

    Parameters
    ----------
    directory
        Made with mode 0700; must be its owner's alone.
    keyring
        Whether the operating system's keyring may be asked for the key.
    warn
        Told, in a sentence about a profile, of what could not be used.

    """

    def __init__(
        self,
        directory: Path | str,
        *,
        keyring: bool = True,
        warn: Callable[[str, str], object] | None = None,
    ) -> None:
        self.directory = os.fspath(directory)
        self.keys = StoreKeys(self.directory, keyring=keyring)
        self._warn = warn or (lambda _profile, _problem: None)
        self._damaged: set[str] = set()

    @property
    def key_source(self) -> str | None:
        """Where the key is: ``environment``, ``keyring``, ``file``; None before it is needed."""
        return self.keys.source

    def prepare(self) -> None:
        """Make the directory, or check the one that is there, and clear away what is left over.

        Raises
        ------
        UnsafeFileError, OSError
            It cannot be used.

        """
        private_directory(self.directory)
        now = time.time()
        for name in os.listdir(self.directory):
            oldest = UNFINISHED_SECONDS if name.endswith(TEMPORARY) else IDLE_SECONDS
            if name.endswith((TEMPORARY, _SESSION, NOTE)):
                self._remove_old(os.path.join(self.directory, name), now - oldest)

    def read(self, profile: str) -> dict[str, Any] | None:
        """Return what is kept of a profile, or None.

        What is damaged is put aside; what another key encrypted is left where it is.

        Raises
        ------
        StoreError
            It cannot be read, or a newer version saved it.
        UnsafeFileError
            It is open to others.

        """
        with _explained(f"The saved session {profile} cannot be read."):
            content = read_private(self.path(profile))
            return None if content is None else self._opened(content, profile)

    def put_aside(self, profile: str, why: str) -> None:
        """Take a damaged file out of the way, for whoever wants to look into it."""
        self._warn(profile, f"{why}; it is put aside")
        with contextlib.suppress(FileNotFoundError):  # somebody else was quicker
            os.replace(self.path(profile), self._aside(profile))
        self._damaged.add(profile)
        self._thin_out(profile)

    def write(self, profile: str, kept: dict[str, Any]) -> None:
        """Keep something of a profile; it is on the disk when this returns.

        Raises
        ------
        StoreError
            It could not be written, or a newer version's would be replaced; the old is intact.

        """
        explained = _explained(
            f"The session {profile} cannot be saved in {self.directory}.",
            fix="Make room there, or make it writable.",
        )
        with explained:
            self._spare(profile)
            plain = json.dumps(kept).encode()
            write_private(self.path(profile), seal(plain, *self.keys.newest(), profile))
        self._damaged.discard(profile)

    def remove(self, profile: str) -> None:
        """Forget a profile; unknown ones are fine.

        Raises
        ------
        StoreError
            It is still there.

        """
        path = self.path(profile)
        explained = _explained(
            f"The saved session {profile} cannot be removed.", fix=f"Remove {path} yourself."
        )
        with explained, contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self._damaged.discard(profile)

    def stamp(self, profile: str) -> Hashable:
        """Return what tells one version of a profile's file from the next, None without one.

        It is in the file: two changes in one tick of the file system's clock differ, too.
        """
        try:
            mark = read_private(self.path(profile), MARK_LENGTH)
        except (OSError, BrokerError) as error:
            return type(error).__name__
        # Nobody has signed out: who has the session in memory goes on.
        return _PUT_ASIDE if mark is None and profile in self._damaged else mark

    def describe(self) -> str:
        """Return where the files are and where their key is."""
        source = {
            "environment": f"the key is in {VARIABLE}",
            "keyring": "the key is in the system's keyring",
            "file": "the key is a file beside them",
            None: "the key has not been needed yet",
        }[self.key_source]
        return f"encrypted in {self.directory}; {source}"

    def path(self, profile: str, suffix: str = _SESSION) -> str:
        """Return where a profile's file is: its name may hold anything, a file's may not."""
        name = hashlib.sha256(profile.encode()).hexdigest()[:32]
        return os.path.join(self.directory, name + suffix)

    def _opened(self, content: bytes, profile: str) -> dict[str, Any] | None:
        try:
            kept: dict[str, Any] = json.loads(unseal(content, self.keys.find, profile))
        except NewerError:
            raise too_new(profile) from None
        except ForeignKeyError:
            self._warn(profile, "it was encrypted with a key that is not known here")
        except DamagedError as error:
            self.put_aside(profile, str(error))
        else:
            return kept
        return None

    def _spare(self, profile: str) -> None:
        """Let a new session not destroy what this process cannot read."""
        content = read_private(self.path(profile))
        if content is None:
            return
        try:
            identifier = check_head(content)
        except NewerError:
            raise too_new(profile) from None
        except DamagedError:
            return
        if self.keys.find(identifier) is None:
            self._keep_aside(profile, content)

    def _remove_old(self, path: str, before: float) -> None:
        with contextlib.suppress(OSError):  # somebody else may be at it, too
            if os.lstat(path).st_mtime < before:
                os.unlink(path)

    def _keep_aside(self, profile: str, content: bytes) -> None:
        write_private(self._aside(profile), content)
        self._thin_out(profile)

    def _aside(self, profile: str) -> str:
        return self.path(profile, f"{_ASIDE}{time.time_ns()}")

    def _thin_out(self, profile: str) -> None:
        prefix = os.path.basename(self.path(profile, _ASIDE))
        names = sorted(name for name in os.listdir(self.directory) if name.startswith(prefix))
        for name in names[:-_KEPT_ASIDE]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.directory, name))


@contextlib.contextmanager
def _explained(
    what: str, fix: str = "Make it readable, or remove it and sign in again."
) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(what, why=str(error.strerror or error), fix=fix) from None


def too_new(profile: str) -> StoreError:
    """Return the refusal to touch what a newer version has saved."""
    what = f"The session {profile} was saved by a newer platform-auth."
    return StoreError(what, fix="Use that version, or sign out with it first.")
