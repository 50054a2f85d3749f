"""Looking for secrets where none may be: files, logs, notebooks, process arguments."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Canary:
    """Secret values, each under the name of its kind, and where they turned up.

    Parameters
    ----------
    secrets
        The values by kind, as `OidcProvider.secrets` gives them.

    Raises
    ------
    ValueError
        With nothing to look for: such a search would always find nothing.

    """

    def __init__(self, secrets: Mapping[str, Iterable[str]]) -> None:
        self._needles = {
            form.encode(): kind
            for kind, values in secrets.items()
            for value in values
            for form in _forms(value)
        }
        if not self._needles:
            msg = "a canary needs at least one secret to look for"
            raise ValueError(msg)

    def search_text(self, text: str | bytes) -> list[str]:
        """Return the kinds of the secrets in `text`."""
        haystack = text if isinstance(text, bytes) else text.encode(errors="replace")
        return sorted({kind for needle, kind in self._needles.items() if needle in haystack})

    def search(self, *places: Path) -> dict[Path, list[str]]:
        """Return the files under `places` that hold secrets, with the kinds of those."""
        found = {path: self.search_text(path.read_bytes()) for path in _files(places)}
        return {path: kinds for path, kinds in found.items() if kinds}

    def assert_absent(self, *places: Path | str) -> None:
        """Fail when a secret is in one of `places`: files, directories, or text as a string.

        The failure names the kind of secret, not its value.
        """
        leaks = self.search(*(place for place in places if isinstance(place, Path)))
        texts = [self.search_text(place) for place in places if isinstance(place, str)]
        assert not leaks, f"secrets in files: {leaks}"
        assert not any(texts), f"secrets in the given texts: {texts}"


def _forms(value: str) -> Iterator[str]:
    yield value
    yield quote(value, safe="")
    yield base64.b64encode(value.encode()).decode().rstrip("=")
    # A JSON Web Token with its head cut off, for example by a log's field width, is still one.
    if value.count(".") == 2:
        yield value.rpartition(".")[2]


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        candidates = place.rglob("*") if place.is_dir() else [place]
        yield from (path for path in candidates if path.is_file())
