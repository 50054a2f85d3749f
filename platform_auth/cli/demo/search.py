"""Looking for tokens where none may be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ...secret import Secret

# Any JSON Web Token (RFC 7519 §3): what is not known by its value is known by its look.
_TOKEN: Final = re.compile(rb"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}")


class Search:
    """Finds secrets in files.

    Parameters
    ----------
    secrets
        The values to look for, besides whatever looks like a token.

    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._needles = [secret.reveal().encode() for secret in secrets]

    def finds_in(self, place: Path) -> bool:
        """Tell whether a file, or any file below a directory, holds a secret."""
        return any(self._is_in(path.read_bytes()) for path in _files(place))

    def _is_in(self, data: bytes) -> bool:
        return _TOKEN.search(data) is not None or any(needle in data for needle in self._needles)


def _files(place: Path) -> Iterator[Path]:
    candidates = place.rglob("*") if place.is_dir() else [place]
    return (path for path in candidates if path.is_file())
