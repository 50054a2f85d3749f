"""Sessions on the disk: encrypted, one file each, shared by every process of their owner."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .at_rest import StoreAtRest
from .session_files import SessionFiles

if TYPE_CHECKING:
    from pathlib import Path

    from ..clock import Clock

log = logging.getLogger("platform_auth")


class FileStore(StoreAtRest):
    """Keeps records as encrypted files.

    Where the directory cannot be used, see `StoreAtRest`; a file that is open to others is an
    `UnsafeFileError`.

    Parameters
    ----------
    directory
        Made with mode 0700; must be its owner's alone.
    clock
        Replaced in tests.
    keyring
        Whether the operating system's keyring may be asked for the key.

    """

    def __init__(
        self, directory: Path, *, clock: Clock | None = None, keyring: bool = True
    ) -> None:
        files = SessionFiles(directory, keyring=keyring, warn=_warn)
        super().__init__(files, directory, clock=clock)


def _warn(profile: str, problem: str) -> None:
    log.warning("%s: its saved session is not used: %s", profile, problem)
