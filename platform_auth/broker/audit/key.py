"""Names for tokens that give nothing away: keyed, and so different in every installation."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING, Final

from ...errors import UnsafeFileError
from ...secret import Secret
from ..stores.private_file import private_directory, read_private, write_private

if TYPE_CHECKING:
    from pathlib import Path

_BYTES: Final = 32
_LOCK_SECONDS: Final = 5.0


class AuditKey:
    """The key of an installation's fingerprints.

    Parameters
    ----------
    path
        Where it rests, in hexadecimal; made when it is first needed, mode 0600.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._key: Secret | None = None

    def fingerprint(self, token: Secret) -> str:
        """Return 128 bits of a token's HMAC-SHA256 (RFC 2104), in hexadecimal.

        Raises
        ------
        UnsafeFileError
            The key file is not its owner's alone, or holds no key.
        OSError
            It can neither be read nor made.

        """
        if self._key is None:
            self._key = self._found() or self._made()
        key = bytes.fromhex(self._key.reveal())
        return hmac.new(key, token.reveal().encode(), hashlib.sha256).hexdigest()[:32]

    def _found(self) -> Secret | None:
        content = read_private(self.path)
        if content is None:
            return None
        text = content.decode("ascii", errors="replace").strip()
        try:
            right = len(bytes.fromhex(text)) == _BYTES
        except ValueError:
            right = False
        if not right:
            why, fix = "It holds no key.", "Remove it: a new one is made."
            raise UnsafeFileError(f"{self.path} is not used.", why=why, fix=fix)
        return Secret(text)

    def _made(self) -> Secret:
        from filelock import FileLock  # late: it is needed once in the life of an installation

        private_directory(self.path.parent)
        lock = self.path.with_name(f".{self.path.name}.lock")
        # Two that make a key at once would each keep their own, and only one is found later.
        with FileLock(lock, timeout=_LOCK_SECONDS, mode=0o600, preserve_lock_file=True):
            found = self._found()
            if found is None:
                found = Secret(os.urandom(_BYTES).hex())
                write_private(self.path, found.reveal().encode())
            return found
