"""The keys of the service's cookies: the same in all replicas, and changed with the store's."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..broker.stores.sealed import DamagedError, ForeignKeyError, NewerError, seal, unseal

if TYPE_CHECKING:
    from .keys import Keys

SECONDS: Final = 600.0
"""Seconds for which a browser may carry what is sealed."""

_OWNER, _WHAT = "hub service", "state of a login"


class SigningKeys(dict[int, bytes]):
    """Tornado's ``cookie_secret``: a key for each version, which is the identifier of the store's.

    Parameters
    ----------
    keys
        The store's.

    """

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys
        self[0] = b""  # Tornado takes an empty one for none; nobody gets to see it

    @property
    def version(self) -> int:
        """Tornado's ``key_version``: of the key to sign with now."""
        return int.from_bytes(self._keys.newest()[0], "big")

    def __getitem__(self, version: int) -> bytes:
        try:
            key = self._keys.find(version.to_bytes(8, "big"))
        except OverflowError:  # a cookie that somebody made up
            key = None
        if key is None:
            raise KeyError(version)
        # RFC 5869: nothing that is signed with it says anything about the store's key.
        return HKDF(SHA256(), 32, None, b"platform-auth cookies").derive(key)


class SealedState:
    """What a browser carries through a login and must not read.

    Parameters
    ----------
    keys
        The store's.

    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def seal(self, said: dict[str, Any]) -> str:
        """Return it as text for URLs."""
        plain = json.dumps([time.time(), said]).encode()
        sealed = seal(plain, *self._keys.newest(), _WHAT, _OWNER)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, text: str) -> dict[str, Any]:
        """Return what was sealed; nothing if it is too old, or was not sealed here."""
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            at, said = json.loads(unseal(sealed, self._keys.find, _WHAT, _OWNER))
        except (DamagedError, ForeignKeyError, NewerError, ValueError):
            return {}
        found: dict[str, Any] = said if 0 <= time.time() - at < SECONDS else {}
        return found
