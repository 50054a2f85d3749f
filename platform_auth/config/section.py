"""One mapping of a document, such as ``admin:``, which knows where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ConfigError
from .setting import Setting, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

Keys = tuple[str, ...]


class Document(Protocol):
    """A file or another origin that can tell where a key of it stands."""

    @property
    def directory(self) -> Path | None:
        """What relative paths in it are relative to; None when they are not accepted."""

    def place(self, keys: Keys, *, of_key: bool = False) -> str:
        """Say where the value (or the key itself) stands, for people."""


@dataclass(frozen=True)
class Named:
    """A document without lines: an environment, an INI section, settings from Python.

    Parameters
    ----------
    name
        What people call it.
    directory
        What relative paths in it are relative to.

    """

    name: str
    directory: Path | None = None

    def place(self, keys: Keys, *, of_key: bool = False) -> str:  # noqa: ARG002 - the protocol
        """Return the name."""
        return self.name


@dataclass(frozen=True)
class Section:
    """A mapping of a document, and where in the document it is.

    Parameters
    ----------
    data
        The mapping.
    document
        The document.
    keys
        The way to the mapping from the document's root.
    depth
        How many of `keys` stand before the name people know a setting by.

    """

    data: Mapping[Any, Any] = field(repr=False)
    document: Document
    keys: Keys = ()
    depth: int = 0

    @classmethod
    def of(cls, data: object, document: Document, keys: Keys = (), depth: int = 0) -> Section:
        """Return the section; None is an empty one.

        Raises
        ------
        ConfigError
            It is not a mapping.

        """
        if data is None:
            data = {}
        if not hasattr(data, "keys"):
            where = document.place(keys)
            name = ".".join(keys[depth:] or keys) or "The document"
            what = f"{name} is {kind_of(data)}, not a mapping of keys to values."
            raise ConfigError(what, why=f"It was found in {where}.", fix="Write it as key: value.")
        return cls(data, document, keys, depth)  # type: ignore[arg-type]  # it has keys

    def section(self, key: str, *, depth: int | None = None) -> Section:
        """Return the section under a key."""
        depth = self.depth if depth is None else depth
        return Section.of(self.data.get(key), self.document, (*self.keys, key), depth)

    def setting(self, key: str) -> Setting | None:
        """Return the value under a key."""
        if key not in self.data:
            return None
        keys = (*self.keys, key)
        name, place = ".".join(keys[self.depth :]), self.document.place(keys)
        return Setting(name, self.data[key], place, self.document.directory)

    def unknown(
        self, known: Collection[str], *, besides: Collection[str] = ()
    ) -> Iterator[ConfigError]:
        """Yield one error for each key that is not known, with the one probably meant.

        Parameters
        ----------
        known
            The keys to name in the error.
        besides
            Keys that are accepted but not worth naming.

        """
        for key in self.data:
            if isinstance(key, str) and (key in known or key in besides):
                continue
            keys = (*self.keys, str(key))
            place = self.document.place(keys, of_key=True)
            what = f"{'.'.join(keys[self.depth :])} is not a setting that is known here."
            fix = f"{did_you_mean(str(key), known)}Known: {', '.join(known)}."
            yield ConfigError(what, why=f"It was found in {place}.", fix=fix)


def did_you_mean(word: str, known: Collection[str], *, cutoff: float = 0.7) -> str:
    """Return ``Did you mean 'x'? `` for the nearest word, or nothing; case and ``-_`` are equal."""
    from difflib import get_close_matches  # needed for an error only

    by_plain = {_plain(name): name for name in known}
    near = get_close_matches(_plain(word), by_plain, n=1, cutoff=cutoff)
    return f"Did you mean {by_plain[near[0]]!r}? " if near else ""


def _plain(word: str) -> str:
    return word.replace("_", "").replace("-", "").lower()
