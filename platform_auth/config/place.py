"""Settings as they were found: each knows its value, its name and where it stands."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

T = TypeVar("T")
Keys = tuple[str, ...]

_TRUE = frozenset({"true", "1", "yes", "on", "y", "t"})
_FALSE = frozenset({"false", "0", "no", "off", "n", "f"})


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
class Setting:
    """One value as it was found.

    Parameters
    ----------
    name
        What it is called there: ``admin.insecure``, ``FLYTE_PLATFORM_INSECURE``.
    value
        What was found; never shown in the ``repr``, as it may be a secret.
    place
        Where, for people.
    directory
        What a relative path is relative to.

    """

    name: str
    value: Any = field(repr=False)
    place: str
    directory: Path | None = None

    def wrong(self, what: str, *, fix: str) -> ConfigError:
        """Return the error that names the setting and its place."""
        return ConfigError(f"{self.name} {what}", why=f"It was found in {self.place}.", fix=fix)

    def checked(self, check: Callable[[Any], T], value: object) -> T:
        """Return what `check` makes of the value; its error learns the name and the place."""
        try:
            return check(value)
        except ConfigError as error:
            why = f"{self.name} was found in {self.place}. {error.why}".strip()
            raise ConfigError(error.what, why=why, fix=error.fix) from None

    def text(self) -> str | None:
        """Return a string without blanks around it; None when nothing is left."""
        if self.value is None:
            return None
        if not isinstance(self.value, str):
            raise self.wrong(f"is {_kind(self.value)}, not a string.", fix="Quote it: '…'.")
        return self.value.strip() or None

    def flag(self) -> bool | None:
        """Return a boolean; None when nothing was said."""
        if self.value is None or isinstance(self.value, bool):
            return self.value
        word = str(self.value).strip().lower()
        if word in _TRUE | _FALSE:
            return word in _TRUE
        if not word:
            return None
        fix = "Use true or false (1/0, yes/no, on/off, y/n and t/f are accepted, in any case)."
        raise self.wrong(f"is {self.value!r}, which is neither true nor false.", fix=fix)

    def items(self, *, separator: str = ",") -> tuple[str, ...]:
        """Return a list of strings; a string is split at commas, as flytekit does."""
        if self.value is None or self.value == "":
            return ()
        if isinstance(self.value, str):
            return tuple(self.value.split(separator)) if separator else (self.value,)
        if not isinstance(self.value, list | tuple):
            raise self.wrong(f"is {_kind(self.value)}, not a list.", fix="Write it as [one, two].")
        for item in self.value:
            if not isinstance(item, str):
                raise self.wrong(f"holds {_kind(item)} among strings.", fix="Quote it: '…'.")
        return tuple(self.value)

    def count(self) -> int | None:
        """Return a whole number."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.wrong(
                f"is {_kind(self.value)}, not a number.", fix="Write a number such as 3."
            )
        return self.value

    def path(self) -> str | None:
        """Return an absolute path; ``~`` is the home, and else it starts where its file is.

        It never starts at the current directory, which for a notebook is somebody's repository.
        """
        text = self.text()
        if text is None:
            return None
        path = os.path.expanduser(text)  # noqa: PTH111 - the other one raises
        if os.path.isabs(path):  # noqa: PTH117
            return path
        if self.directory is None:
            raise self.wrong(
                f"is the relative path {text!r}.", fix="Write an absolute path, or ~/…."
            )
        return str(self.directory / path)


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
            what = f"{name} is {_kind(data)}, not a mapping of keys to values."
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


def _kind(value: object) -> str:
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a mapping",
    }
    return names.get(type(value), f"a {type(value).__name__}")
