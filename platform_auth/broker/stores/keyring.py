"""Sessions in the operating system's keyring, whole: nothing of them is in a file.

For machines whose keyring is unlocked with the screen, and whose disk is not trusted. A keyring has
no locks and tells nobody of a change: files without a secret in the store's directory do.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from ...errors import StoreError
from .at_rest import StoreAtRest
from .os_keyring import KeyringError, ask
from .private_file import private_directory, read_private, write_private
from .session_files import too_new

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from ..clock import Clock
    from .os_keyring import Keyring

log = logging.getLogger("platform_auth")

SERVICE: Final = "platform-auth session"
"""What the entries are called in the keyring."""

WINDOWS_LIMIT: Final = 2560
"""Bytes of UTF-16 in an entry of the Windows Credential Manager (wincred.h)."""

_VERSION = 1
_FIX = "Unlock the keyring, or use the store `file`."
T = TypeVar("T")


class KeyringStore(StoreAtRest):
    """Keeps records in the operating system's keyring, each as one entry.

    Where there is no keyring, or it is locked, the records stay in memory; see `StoreAtRest`.

    Parameters
    ----------
    directory
        For the locks, and for what tells other processes of a change. Two directories have entries
        of their own.
    clock
        Replaced in tests.

    """

    def __init__(self, directory: Path, *, clock: Clock | None = None) -> None:
        super().__init__(KeyringEntries(directory), directory, clock=clock)


class KeyringEntries:
    """The entries of a keyring, in the way of `at_rest.Vault`.

    Parameters
    ----------
    directory
        Where each has a file that changes when it does.

    """

    key_source: str | None = "keyring"

    def __init__(self, directory: Path) -> None:
        self._directory, self._backend = Path(directory), ""
        self._damaged: set[str] = set()

    def prepare(self) -> None:
        """Make the directory, and see whether the keyring answers."""
        private_directory(self._directory)
        self._backend = _asked(_greet, "The sessions cannot be kept in the keyring.")

    def path(self, profile: str, suffix: str) -> str:
        """Return where a file of a profile's can be."""
        name = hashlib.sha256(profile.encode()).hexdigest()[:32]
        return str(self._directory / (name + suffix))

    def read(self, profile: str) -> dict[str, Any] | None:
        """Return what the keyring has of a profile."""
        entry = self._entry(profile)
        what = f"The keyring does not give the session {profile}."
        text = _asked(lambda keyring: keyring.get_password(SERVICE, entry), what)
        if text is None:
            return None
        kept = _kept(text)
        if kept is None or kept.get("profile") != profile:
            self.put_aside(profile, "it was changed, or is another's")
            return None
        if kept["version"] > _VERSION:
            raise too_new(profile)
        return kept

    def put_aside(self, profile: str, why: str) -> None:
        """Give a damaged entry another name; the last one stays."""
        log.warning("%s: its entry in the keyring is put aside: %s", profile, why)
        entry = self._entry(profile)

        def move(keyring: Keyring) -> None:
            text = keyring.get_password(SERVICE, entry)
            if text is not None:
                keyring.set_password(SERVICE, f"{entry} damaged", text)
                keyring.delete_password(SERVICE, entry)

        _asked(move, f"The session {profile} is damaged, and stays in the keyring.")
        self._damaged.add(profile)
        self._mark(profile).unlink(missing_ok=True)

    def write(self, profile: str, kept: dict[str, Any]) -> None:
        """Keep something, and see that all of it is there."""
        entry, text = self._entry(profile), json.dumps({"version": _VERSION, **kept})
        what = f"The keyring does not take the session {profile} ({len(text)} bytes)."
        if "Windows" in self._backend and len(text.encode("utf-16-le")) > WINDOWS_LIMIT:
            why = f"Windows keeps {WINDOWS_LIMIT // 2} characters in an entry, and no more."
            raise StoreError(what, why=why, fix="Use the store `file`.")

        def keep(keyring: Keyring) -> Literal["kept", "newer", "cut off"]:
            before = _kept(keyring.get_password(SERVICE, entry) or "")
            if before and before["version"] > _VERSION:
                return "newer"
            keyring.set_password(SERVICE, entry, text)
            return "kept" if keyring.get_password(SERVICE, entry) == text else "cut off"

        outcome = _asked(keep, what)
        if outcome == "newer":
            raise too_new(profile)
        if outcome == "cut off":
            raise StoreError(what, why="It kept a part of it.", fix="Use the store `file`.")
        self._damaged.discard(profile)
        self._tell(profile)

    def remove(self, profile: str) -> None:
        """Forget a profile."""
        entry = self._entry(profile)

        def remove(keyring: Keyring) -> None:
            if keyring.get_password(SERVICE, entry) is not None:
                keyring.delete_password(SERVICE, entry)

        _asked(remove, f"The keyring does not forget the session {profile}.")
        self._damaged.discard(profile)
        self._mark(profile).unlink(missing_ok=True)

    def stamp(self, profile: str) -> Hashable:
        """Return what tells one version from the next; the keyring itself is too slow for that."""
        try:
            mark = read_private(self._mark(profile))
        except OSError as error:
            return type(error).__name__
        return "put aside" if mark is None and profile in self._damaged else mark

    def describe(self) -> str:
        """Return which keyring it is."""
        return f"in the system's keyring ({self._backend or 'not asked yet'})"

    def _mark(self, profile: str) -> Path:
        return Path(self.path(profile, ".entry"))

    def _tell(self, profile: str) -> None:
        try:
            write_private(self._mark(profile), os.urandom(16))
        except OSError as error:
            log.warning("%s: other processes do not hear of its new tokens (%s)", profile, error)

    def _entry(self, profile: str) -> str:
        """Return an entry's name: where the locks are others, so is it."""
        place = hashlib.sha256(os.fsencode(self._directory)).hexdigest()[:8]
        return f"{profile} ({place})"


def _greet(keyring: Keyring) -> str:
    keyring.get_password(SERVICE, "whether it is unlocked")
    return keyring.name


def _asked(question: Callable[[Keyring], T], what: str) -> T:
    try:
        return ask(question)
    except KeyringError as error:
        raise StoreError(what, why=f"{error}.", fix=_FIX, retryable=True) from None


def _kept(text: str) -> dict[str, Any] | None:
    try:
        kept = json.loads(text)
    except ValueError:
        return None
    sound = isinstance(kept, dict) and type(kept.get("version")) is int
    return kept if sound else None
