"""Who may ask a broker: a key for each kernel, in a file of its own, that ends with the kernel."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

RATE: Final = 200.0
"""Calls a second that one handle may make for long; a kernel keeps its token and needs one."""

BURST: Final = 1000.0
"""Calls that it may make at once: a cluster's workers all begin together."""

_SCHEME: Final = "Bearer "


@dataclass(eq=False, slots=True)
class Handle:
    """What lets a kernel, or the server's terminals, ask the broker.

    Parameters
    ----------
    owner
        Whose it is, for the log: ``kernel 0b2c...``.
    file
        Where its key is, mode 0600.
    profiles
        The only profiles it is good for; None for all.

    """

    owner: str
    file: Path
    profiles: frozenset[str] | None = None
    _calls: float = field(default=BURST, repr=False)
    _at: float = field(default_factory=time.monotonic, repr=False)

    def admits(self, now: float) -> bool:
        """Count a call at a time of the monotonic clock; False when there have been too many."""
        self._calls = min(BURST, self._calls + (now - self._at) * RATE)
        self._at = now
        if self._calls < 1:
            return False
        self._calls -= 1
        return True


class Handles:
    """The handles of a listener.

    Keys are kept as digests: only the file says what a key is.
    """

    def __init__(self) -> None:
        self._by_digest: dict[bytes, Handle] = {}

    def grant(self, owner: str, file: Path, profiles: Iterable[str] | None = None) -> Handle:
        """Make a handle and write its key.

        Raises
        ------
        OSError
            The file cannot be written.

        """
        key = secrets.token_urlsafe(32)
        _write_private(file, key)
        handle = Handle(owner, file, None if profiles is None else frozenset(profiles))
        self._by_digest[_digest(key)] = handle
        return handle

    def revoke(self, handle: Handle) -> None:
        """Forget a handle and remove its file."""
        self._by_digest = {key: each for key, each in self._by_digest.items() if each != handle}
        handle.file.unlink(missing_ok=True)

    def find(self, authorization: str) -> Handle | None:
        """Return the handle that an ``Authorization`` header proves."""
        # Looked up by digest: how long that takes tells nothing of the keys there are.
        key = authorization.removeprefix(_SCHEME)
        return None if key == authorization else self._by_digest.get(_digest(key))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(text)
