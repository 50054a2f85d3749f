"""The keys of the service, and how they are changed while it runs.

All replicas share them. To change them without a break, give all replicas ``old,new`` first, so
that each of them can read what the others will write; then ``new,old``; then, once everything is
sealed anew (`platform_auth.hub.sealing_anew`), ``new`` alone. With a file, which is read again when
it changes, no replica has to be restarted for that.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ..broker.stores.keys import VARIABLE, StoreKeys, decoded, key_id, keys_in
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..secret import Secret
    from .database import Database

FILE_VARIABLE: Final = f"{VARIABLE}_FILE"
"""Names a file with keys, in the form of the other variable; read again when it changes."""


class Keys(Protocol):
    """What seals, and what opens what was sealed."""

    def newest(self) -> tuple[bytes, bytes]:
        """Return the identifier and the key to seal with."""

    def find(self, identifier: bytes) -> bytes | None:
        """Return the key of an identifier, or None."""


class FileKeys:
    """Keys in a file, the newest first.

    Parameters
    ----------
    path
        Where it is.

    Raises
    ------
    ConfigError
        It cannot be read, or holds something else.

    """

    def __init__(self, path: str | Path) -> None:
        self._path, self._seen = Path(path), (0, 0)
        self._keys: dict[bytes, Secret] = {}
        self._read()

    def newest(self) -> tuple[bytes, bytes]:
        """Return the identifier and the key to seal with."""
        self._read()
        identifier, key = next(iter(self._keys.items()))
        return identifier, decoded(key)

    def find(self, identifier: bytes) -> bytes | None:
        """Return the key of an identifier, or None."""
        self._read()
        key = self._keys.get(identifier)
        return decoded(key) if key else None

    def _read(self) -> None:
        """Read the file, if it is another than the last time."""
        try:
            there = self._path.stat()
            if (there.st_mtime_ns, there.st_ino) == self._seen:
                return
            text = self._path.read_text(encoding="ascii")
            keys = {key_id(decoded(key)): key for key in keys_in(text, str(self._path))}
        except (OSError, ValueError, ConfigError) as error:
            if self._keys:
                return  # those that are known serve until it is repaired
            raise self._unusable(error) from None
        if keys:
            self._keys, self._seen = keys, (there.st_mtime_ns, there.st_ino)

    def _unusable(self, error: Exception) -> ConfigError:
        what = f"The keys in {self._path} ({FILE_VARIABLE}) cannot be used."
        why = getattr(error, "strerror", None) or "It holds something that is not a key."
        return ConfigError(what, why=why, fix="Put keys there: 32 random bytes in base64 each.")


def open_keys(database: Database) -> Keys:
    """Return the keys for a database's sessions.

    Raises
    ------
    ConfigError
        None are given, and replicas must share them; or they are malformed.

    """
    path = os.environ.get(FILE_VARIABLE, "").strip()
    if path:
        return FileKeys(path)
    directory = database.directory
    if directory is None and not os.environ.get(VARIABLE, "").strip():
        raise ConfigError(
            f"{VARIABLE} is not set, so the service has no key to encrypt sessions with.",
            why="All replicas of the service on one PostgreSQL need the same key.",
            fix="Make one with: python -c 'import base64, os;"
            f" print(base64.b64encode(os.urandom(32)).decode())', and set {VARIABLE},"
            f" or put it into a file that {FILE_VARIABLE} names.",
        )
    keys = StoreKeys(directory or os.curdir, keyring=False)
    keys.newest()  # what is wrong is said at once
    return keys
