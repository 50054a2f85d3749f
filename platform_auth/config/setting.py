"""One setting as it was found: it knows its value, its name and where it stands."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

_TRUE = frozenset({"true", "1", "yes", "on", "y", "t"})
_FALSE = frozenset({"false", "0", "no", "off", "n", "f"})


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

    @property
    def origin(self) -> str:
        """Its name and its place, for people; the value is not in it."""
        return f"{self.name} in {self.place}"

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
            raise self.wrong(f"is {kind_of(self.value)}, not a string.", fix="Quote it: '…'.")
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
            raise self.wrong(
                f"is {kind_of(self.value)}, not a list.", fix="Write it as [one, two]."
            )
        for item in self.value:
            if not isinstance(item, str):
                raise self.wrong(f"holds {kind_of(item)} among strings.", fix="Quote it: '…'.")
        return tuple(self.value)

    def count(self) -> int | None:
        """Return a whole number."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.wrong(
                f"is {kind_of(self.value)}, not a number.", fix="Write a number such as 3."
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


def kind_of(value: object) -> str:
    """Return what a value is, for people: ``a number``, ``a list``."""
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a mapping",
    }
    return names.get(type(value), f"a {type(value).__name__}")
