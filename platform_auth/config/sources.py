"""Where settings come from: the environment, a YAML file, an INI file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from .entries import ADMIN_KEYS, CONSOLE_KEYS, FLYTECTL_KEYS, Entry
from .ini_file import IniSource
from .section import Section, did_you_mean
from .setting import Setting
from .yaml_file import YamlDocument, load_shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..errors import ConfigError

_BLOCKS = {"admin": (*ADMIN_KEYS, *FLYTECTL_KEYS), "console": CONSOLE_KEYS}
_OURS = {"oauth", "client"}


class Source(Protocol):
    """Something that may hold a setting."""

    def find(self, entry: Entry) -> Setting | None:
        """Return the setting when it is there, even if it is empty."""


@dataclass(frozen=True)
class Environment:
    """Environment variables.

    Parameters
    ----------
    variables
        The process's own when omitted.

    """

    variables: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def find(self, entry: Entry) -> Setting | None:
        """Return the variable; an empty one counts as set and hides what a file says."""
        value = self.variables.get(entry.variable)
        return None if value is None else Setting(entry.variable, value, "the environment")


@dataclass(frozen=True)
class YamlSource:
    """A ``config.yaml`` of Flyte's tools.

    Parameters
    ----------
    document
        The parsed file.

    """

    document: YamlDocument

    def find(self, entry: Entry) -> Setting | None:
        """Return the value under the entry's YAML key."""
        root = Section.of(self.document.data, self.document)
        return root.section(entry.block).setting(entry.key) if entry.key else None

    def warnings(self) -> Iterator[str]:
        """Yield what nobody reads: unknown keys of our two blocks, and keys given twice."""
        path = self.document.path
        for key in self.document.duplicates:
            yield f"{path}: the key {key} stands in its block a second time; the last one counts."
        root = Section.of(self.document.data, self.document)
        for block, known in _BLOCKS.items():
            yield from (_one_line(error) for error in root.section(block).unknown(known))
        for key in root.data:
            if key in _OURS:
                yield f"{path}: {key}: is read in platform-auth's profiles.yaml only."
            elif key not in _BLOCKS and (meant := did_you_mean(str(key), _BLOCKS, cutoff=0.8)):
                yield f"{path}: nothing reads {key}:. {meant.strip()}"


def open_source(path: Path) -> YamlSource | IniSource:
    """Read a file of Flyte's tools: YAML when its name ends so, else INI (as flytekit decides).

    Raises
    ------
    ConfigError
        It cannot be read; the error names line and column of what is wrong.

    """
    if path.name.endswith(("yaml", "yml")):
        return YamlSource(load_shared(path))
    return IniSource.read(path)


def _one_line(error: ConfigError) -> str:
    return f"{error.what} {error.why} {error.fix}"
