"""The audit log of a replica: all its persons in one, in a file or among what it says."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..broker.audit import AuditFile, AuditLog
from ..broker.stores.private_file import private_directory
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..secret import Secret
    from .keys import Keys
    from .settings import Settings

STANDARD_ERROR: Final = "-"
"""Names no file: where containers are, somebody collects what they say."""


class AuditStream:
    """A stream that somebody else keeps; lines that begin with a brace are the audit log's.

    Parameters
    ----------
    descriptor
        An open file's number; standard error when omitted.

    """

    path = Path("standard error")

    def __init__(self, descriptor: int = 2) -> None:
        self._descriptor = descriptor

    def append(self, line: bytes) -> None:
        """Add a line, in one piece as far as the stream takes it so."""
        left = line + b"\n"
        while left:
            left = left[os.write(self._descriptor, left) :]


class SharedFingerprints:
    """Names for tokens that are the same at all replicas: keyed with what is derived of their key.

    Parameters
    ----------
    keys
        The store's.

    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def fingerprint(self, token: Secret) -> str:
        """Return 128 bits of a token's HMAC-SHA256 (RFC 2104), in hexadecimal."""
        # RFC 5869: nothing that is named with it says anything about the store's key.
        key = HKDF(SHA256(), 32, None, b"platform-auth audit").derive(self._keys.newest()[1])
        return hmac.new(key, token.reveal().encode(), hashlib.sha256).hexdigest()[:32]


def open_audit(settings: Settings, keys: Keys) -> list[AuditLog]:
    """Return a replica's audit log, or nothing where none is wanted.

    Raises
    ------
    ConfigError
        The file cannot be had.
    UnsafeFileError
        Its directory is open to others.

    """
    if settings.audit_file is None:
        return []
    fingerprints = SharedFingerprints(keys)
    if settings.audit_file == STANDARD_ERROR:
        return [AuditLog(AuditStream(), fingerprints)]
    path = Path(settings.audit_file).expanduser().absolute()
    try:
        private_directory(path.parent)
    except OSError as error:
        raise _unusable(path, error.strerror or "") from None
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise _unusable(path, "This user may not write there.")
    return [AuditLog(AuditFile(path, settings.audit_max_bytes, settings.audit_files), fingerprints)]


def _unusable(path: Path, why: str) -> ConfigError:
    what = f"The audit log {path} cannot be written."
    fix = "Correct audit_file: a file in a directory of the service's own, or - for standard error."
    return ConfigError(what, why=why, fix=fix)
