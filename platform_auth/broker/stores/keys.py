"""The keys that sessions at rest are encrypted with, and where they come from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from filelock import FileLock

from ...errors import ConfigError
from ...secret import Secret
from .private_file import read_private, write_private

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE: Final = "PLATFORM_AUTH_STORE_KEY"
"""Keys from an administrator: base64 of 32 bytes each, separated by commas, the newest first."""

KEYRING_SECONDS: Final = 3.0
"""Seconds the operating system's keyring may take: a locked one asks somebody who is not there."""

_LENGTH = 32
_SERVICE, _ACCOUNT = "platform-auth", "store-key"


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """The keys of a store.

    Parameters
    ----------
    keys
        32 bytes each, as `Secret` of their base64; the first one encrypts, all of them decrypt.
    source
        Where they are from, for people: ``environment``, ``keyring`` or ``file``.

    """

    keys: tuple[Secret, ...]
    source: str

    def newest(self) -> tuple[bytes, bytes]:
        """Return the identifier and the key to encrypt with."""
        key = _decode(self.keys[0])
        return key_id(key), key

    def find(self, identifier: bytes) -> bytes | None:
        """Return the key of an identifier, or None."""
        return next((k for k in map(_decode, self.keys) if key_id(k) == identifier), None)


def find_keys(directory: Path, *, keyring: bool = True) -> StoreKeys:
    """Return the keys: the administrator's, else the keyring's, else those of a file.

    Parameters
    ----------
    directory
        Where the key file is, or is made.
    keyring
        Whether to ask the operating system's keyring at all.

    Raises
    ------
    ConfigError
        The administrator's are malformed, or the key file cannot be used.

    """
    if given := os.environ.get(VARIABLE, "").strip():
        return StoreKeys(tuple(_checked(part) for part in given.split(",")), "environment")
    key_file = directory / "key"
    # A key file from an earlier day stays in use, or what it encrypted would be lost.
    if keyring and not key_file.exists() and (key := _from_keyring(directory)) is not None:
        return StoreKeys((key,), "keyring")
    return StoreKeys((_from_file(key_file),), "file")


def key_id(key: bytes) -> bytes:
    """Return the 8 bytes by which a record names the key it needs."""
    return hashlib.sha256(b"platform-auth key id\0" + key).digest()[:8]


def _checked(text: str) -> Secret:
    key = Secret(text.strip())
    try:
        length = len(_decode(key))
    except (binascii.Error, ValueError):
        length = 0
    if length != _LENGTH:
        raise ConfigError(
            f"{VARIABLE} holds something that is not a key.",
            why="A key is 32 random bytes in base64; several are separated by commas.",
            fix="Make one with: python -c 'import base64, os;"
            " print(base64.b64encode(os.urandom(32)).decode())'",
        )
    return key


def _decode(key: Secret) -> bytes:
    return base64.b64decode(key.reveal(), validate=True)


def _new() -> Secret:
    return Secret(base64.b64encode(secrets.token_bytes(_LENGTH)).decode())


def _from_keyring(directory: Path) -> Secret | None:
    """Return the keyring's key, made if need be, or None: there is no keyring, or it is stuck."""
    if find_spec("keyring") is None:
        return None
    found: list[Secret] = []
    # A thread of its own: some keyrings block for ever, and nothing can interrupt them.
    thread = threading.Thread(target=_ask_keyring, args=(found,), daemon=True)
    # Two that make a key at once would each keep their own, and later only one would be found.
    with FileLock(directory / "key.lock", mode=0o600, preserve_lock_file=True):
        thread.start()
        thread.join(KEYRING_SECONDS)
    return found[0] if found else None


def _ask_keyring(found: list[Secret]) -> None:
    try:
        import keyring
        from keyring.backends import fail, null

        if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring):
            return
        text = keyring.get_password(_SERVICE, _ACCOUNT)
        if text is None:
            keyring.set_password(_SERVICE, _ACCOUNT, _new().reveal())
            text = keyring.get_password(_SERVICE, _ACCOUNT)
        if text is not None:
            found.append(_checked(text))
    except Exception:  # noqa: BLE001 - backends raise whatever their system does
        return


def _from_file(path: Path) -> Secret:
    text = read_private(path)
    if text is None:
        # Whoever loses the race to make it reads the winner's.
        write_private(path, _new().reveal().encode(), replace=False)
        text = read_private(path)
    if text is None:
        raise ConfigError(f"The key file {path} cannot be made.")
    return _checked(text.decode("ascii", errors="replace"))
