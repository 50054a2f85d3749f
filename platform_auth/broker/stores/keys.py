"""The keys that sessions at rest are encrypted with, and where they come from."""

from __future__ import annotations

import binascii
import hashlib
import os
import threading
from typing import TYPE_CHECKING, Final

from ...errors import ConfigError
from ...secret import Secret
from .private_file import read_private, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

VARIABLE: Final = "PLATFORM_AUTH_STORE_KEY"
"""Keys from an administrator: base64 of 32 bytes each, separated by commas, the newest first."""

_LENGTH = 32
_MAKING_SECONDS = 10.0
_SERVICE, _ACCOUNT = "platform-auth", "store-key"


class StoreKeys:
    """The keys of a store: the administrator's, else the keyring's, else a file's.

    The first there is encrypts. All of them decrypt, so that what was saved before the
    administrator gave keys, or while the keyring was locked, still opens.

    Parameters
    ----------
    directory
        Where the key file is, or is made.
    keyring
        Whether to ask the operating system's keyring at all.

    """

    def __init__(self, directory: Path | str, *, keyring: bool = True) -> None:
        self._file = f"{directory}{os.sep}key"
        self._keyring = keyring
        self._lock = threading.Lock()
        self._first: Secret | None = None
        self.source: str | None = None
        """``environment``, ``keyring`` or ``file``; None while no key has been needed."""

    def newest(self) -> tuple[bytes, bytes]:
        """Return the identifier and the key to encrypt with, which is made if there is none.

        Raises
        ------
        ConfigError
            The administrator's are malformed, or the key file holds none.
        OSError, UnsafeFileError
            The key file cannot be used.

        """
        with self._lock:
            if self._first is None:
                self._first, self.source = next(self._there(), None) or self._new()
        key = decoded(self._first)
        return key_id(key), key

    def find(self, identifier: bytes) -> bytes | None:
        """Return the key of an identifier, or None; makes none, and raises what `newest` does."""
        with self._lock:
            for secret, source in self._there():
                key = decoded(secret)
                if key_id(key) == identifier:
                    self.source = self.source or source
                    return key
        return None

    def _there(self) -> Iterator[tuple[Secret, str]]:
        """Yield the keys there are; whoever is content with the first asks for no other."""
        if self._first is not None and self.source is not None:
            yield self._first, self.source
        yield from ((key, "environment") for key in _given())
        # A key file from an earlier day stays in use, or what it encrypted would be lost.
        if key := _from_file(self._file):
            yield key, "file"
        if key := self._from_keyring(make=False):
            yield key, "keyring"

    def _new(self) -> tuple[Secret, str]:
        # Two that make a key at once would each keep their own, and one would be lost later.
        with _making(self._file):
            if key := _from_file(self._file):  # who waited takes the other's
                return key, "file"
            if key := self._from_keyring(make=True):
                return key, "keyring"
            key = _random()
            write_private(self._file, key.reveal().encode())
            return key, "file"

    def _from_keyring(self, *, make: bool) -> Secret | None:
        """Return the keyring's key, or None: it has none, there is no keyring, or it is stuck.

        One that is stuck is asked once.
        """
        if not self._keyring:
            return None
        from .os_keyring import Keyring, KeyringError, ask

        def question(keyring: Keyring) -> str | None:
            text = keyring.get_password(_SERVICE, _ACCOUNT)
            if text is None and make:
                keyring.set_password(_SERVICE, _ACCOUNT, _random().reveal())
                text = keyring.get_password(_SERVICE, _ACCOUNT)
            return text

        try:
            text = ask(question)
        except KeyringError:
            self._keyring = False
            return None
        return _checked(text, "The keyring") if text else None


def key_id(key: bytes) -> bytes:
    """Return the 8 bytes by which a record names the key it needs."""
    return hashlib.sha256(b"platform-auth key id\0" + key).digest()[:8]


def keys_in(text: str, where: str = VARIABLE) -> list[Secret]:
    """Return the keys that a text lists, the newest first.

    Parameters
    ----------
    text
        Base64 of 32 bytes each, separated by commas.
    where
        Where it stands, for what people are told.

    Raises
    ------
    ConfigError
        It lists something else.

    """
    return [_checked(part, where) for part in text.split(",")] if text.strip() else []


def decoded(key: Secret) -> bytes:
    """Return a key's 32 bytes."""
    return binascii.a2b_base64(key.reveal(), strict_mode=True)


def _given() -> list[Secret]:
    return keys_in(os.environ.get(VARIABLE, ""))


def _from_file(path: str) -> Secret | None:
    text = read_private(path)
    return None if text is None else _checked(text.decode("ascii", errors="replace"), path)


def _making(path: str) -> AbstractContextManager[object]:
    from filelock import FileLock  # most processes find a key, and need not wait for this import

    return FileLock(
        f"{path}.lock",
        timeout=_MAKING_SECONDS,
        mode=0o600,
        fallback_to_soft=False,
        preserve_lock_file=True,
    )


def _checked(text: str, where: str) -> Secret:
    key = Secret(text.strip())
    try:
        length = len(decoded(key))
    except ValueError:
        length = 0
    if length == _LENGTH:
        return key
    fix = f"Remove {where} and sign in again."
    if where == VARIABLE:
        fix = (
            "Make one with: python -c 'import base64, os;"
            " print(base64.b64encode(os.urandom(32)).decode())'"
        )
    why = "A key is 32 random bytes in base64; several are separated by commas."
    raise ConfigError(f"{where} holds something that is not a key.", why=why, fix=fix)


def _random() -> Secret:
    return Secret(binascii.b2a_base64(os.urandom(_LENGTH), newline=False).decode())
