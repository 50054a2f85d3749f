"""Where settings come from: the environment, a YAML file, an INI file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..errors import ConfigError
from .entries import (
    ADMIN_KEYS,
    CONSOLE_KEYS,
    ENTRIES,
    FLYTECTL_KEYS,
    Entry,
)
from .file import is_shared, read_bytes
from .section import Named, Section, did_you_mean
from .setting import Setting
from .yaml_file import SHARED_LIMIT, YamlDocument, load_shared

if TYPE_CHECKING:
    import configparser
    from collections.abc import Iterator, Mapping
    from pathlib import Path

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


@dataclass(frozen=True)
class IniSource:
    """An INI file of flytekit's.

    Parameters
    ----------
    path
        The file.
    parser
        Its contents.

    """

    path: Path
    parser: configparser.RawConfigParser = field(repr=False)

    def find(self, entry: Entry) -> Setting | None:
        """Return the value of the entry's option."""
        if not self.parser.has_option(entry.section, entry.option):
            return None
        name = f"[{entry.section}] {entry.option}"
        document = Named(str(self.path), self.path.parent)
        value = _interpolated(self.parser, entry)
        return Setting(name, value, document.place(()), document.directory)

    def warnings(self) -> Iterator[str]:
        """Yield unknown options of our two sections, and a secret that others can read."""
        for name in ("platform", "credentials"):
            known = [entry.option for entry in ENTRIES if entry.section == name]
            if self.parser.has_section(name):
                data = dict.fromkeys(set(self.parser.options(name)) - set(self.parser.defaults()))
                section = Section(data, Named(str(self.path)), (f"[{name}]",))
                yield from (_one_line(error) for error in section.unknown(known))
        if self.parser.has_option("credentials", "client_secret"):
            yield from shared_secret_warning(self.path, "[credentials] client_secret_location")


def open_source(path: Path) -> YamlSource | IniSource:
    """Read a file of Flyte's tools: YAML when its name ends so, else INI (as flytekit decides).

    Raises
    ------
    ConfigError
        It cannot be read; the error names line and column of what is wrong.

    """
    if path.name.endswith(("yaml", "yml")):
        return YamlSource(load_shared(path))
    return IniSource(path, _parse_ini(path))


def shared_secret_warning(path: Path, instead: str) -> Iterator[str]:
    """Yield a warning when a file that holds a secret can be read by other users."""
    if is_shared(path):
        yield (
            f"{path} holds a client secret, and other users of this machine can read the file. "
            f"Run: chmod 600 '{path}', or name a file that holds the secret in {instead}."
        )


def _one_line(error: ConfigError) -> str:
    return f"{error.what} {error.why} {error.fix}"


def _parse_ini(path: Path) -> configparser.RawConfigParser:
    import configparser  # most machines have no INI file

    parser = configparser.ConfigParser()
    try:
        parser.read_string(read_bytes(path, SHARED_LIMIT).decode("utf-8-sig"), str(path))
    except UnicodeDecodeError:
        what = f"{path} is not UTF-8 text."
        raise ConfigError(what, fix="Save the file as UTF-8.") from None
    except configparser.Error as error:
        # Not chained: the error quotes the line, and the line may hold a secret.
        raise _broken_ini(path, error) from None
    if parser.has_section("internal"):
        what = f"{path} has a section [internal], which is reserved."
        raise ConfigError(what, fix="Remove that section.")
    return parser


def _broken_ini(path: Path, error: configparser.Error) -> ConfigError:
    problems = {
        "MissingSectionHeaderError": "a setting stands before the first [section]",
        "DuplicateSectionError": "this section stands here a second time",
        "DuplicateOptionError": "this setting stands here a second time",
    }
    errors = getattr(error, "errors", None)
    line = errors[0][0] if errors else getattr(error, "lineno", 1)
    problem = problems.get(type(error).__name__, "this is neither a [section] nor a name = value")
    what = f"{path}, line {line}, column 1: {problem}."
    why = "The file is not valid, so nothing of it was used."
    return ConfigError(what, why=why, fix="Correct the file at that line.")


def _interpolated(parser: configparser.RawConfigParser, entry: Entry) -> str:
    import configparser

    try:
        return parser.get(entry.section, entry.option)
    except configparser.InterpolationError:
        # A % that means nothing to configparser is a plain one; flytekit drops such a secret.
        return parser.get(entry.section, entry.option, raw=True)
