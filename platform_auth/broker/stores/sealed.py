"""What a saved session looks like on the disk: encrypted, and bound to its place.

``PA1``, the identifier of its key (8 bytes), a nonce (12 bytes), and AES-256-GCM of what is kept.
The associated data bind it to its format, owner and profile, so that what is copied to another
name, or comes from another person, does not open.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Callable

MARK_LENGTH: Final = 23
"""How many bytes at the beginning differ from every other sealing."""

_MAGIC, _KEY_ID, _NONCE = b"PA1", 8, 12
_NEWEST = b"PA9"


class DamagedError(Exception):
    """It is nothing that was sealed here; the message says why."""


class ForeignKeyError(Exception):
    """It was sealed with a key that is not known here."""


class NewerError(Exception):
    """A newer version of this program sealed it."""


def seal(plain: bytes, identifier: bytes, key: bytes, name: str, owner: str | None = None) -> bytes:
    """Return the sealed form.

    Parameters
    ----------
    plain
        What is kept.
    identifier, key
        8 and 32 bytes.
    name
        What it is: it opens under no other.
    owner
        Whose it is, likewise; whoever runs this process when omitted.

    """
    nonce = os.urandom(_NONCE)
    return _MAGIC + identifier + nonce + AESGCM(key).encrypt(nonce, plain, _bound(name, owner))


def unseal(
    content: bytes,
    find: Callable[[bytes], bytes | None],
    name: str,
    owner: str | None = None,
) -> bytes:
    """Return what was sealed.

    Parameters
    ----------
    content
        The sealed form.
    find
        Returns the key of an identifier.
    name, owner
        As they were given to `seal`.

    Raises
    ------
    DamagedError, ForeignKeyError, NewerError
        It does not open.

    """
    check_head(content)
    key = find(content[len(_MAGIC) : len(_MAGIC) + _KEY_ID])
    if key is None:
        raise ForeignKeyError
    nonce, sealed = content[MARK_LENGTH - _NONCE : MARK_LENGTH], content[MARK_LENGTH:]
    try:
        return AESGCM(key).decrypt(nonce, sealed, _bound(name, owner))
    except (InvalidTag, ValueError):
        raise DamagedError("it was changed, or is another's") from None


def check_head(content: bytes) -> bytes:
    """Return the identifier of the key, from the first `MARK_LENGTH` bytes.

    Raises
    ------
    DamagedError, NewerError
        There is none.

    """
    magic = content[: len(_MAGIC)]
    if _MAGIC < magic <= _NEWEST:
        raise NewerError
    if magic != _MAGIC or len(content) < MARK_LENGTH:
        raise DamagedError("it is cut off or no saved session")
    return content[len(_MAGIC) : len(_MAGIC) + _KEY_ID]


def _bound(name: str, owner: str | None) -> bytes:
    whose = _owner() if owner is None else owner
    return b"\0".join((_MAGIC, whose.encode(), name.encode()))


def _owner() -> str:
    if os.name == "posix":
        return str(os.geteuid())
    import getpass

    return getpass.getuser()
