"""INI files of flytekit's, read as flytekit reads them, within bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .entries import ENTRIES
from .file import exposed_secret_warnings, read_bytes
from .section import Named, Section
from .setting import Setting
from .yaml_file import SHARED_LIMIT

if TYPE_CHECKING:
    import configparser
    from collections.abc import Iterator
    from pathlib import Path

    from .entries import Entry

_MOST_LINES = 2000
# configparser takes time by the square of a row of blanks within a line.
_MANY_BLANKS = re.compile(r"\S[^\S\n]{200}")
_DEEPEST, _LONGEST = 10, 64 * 1024
_REFERENCE = re.compile(r"%(?:(?P<percent>%)|\((?P<name>[^)]+)\)s)?")


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

    @classmethod
    def read(cls, path: Path) -> IniSource:
        """Read it.

        Raises
        ------
        ConfigError
            It cannot be read; the error names the line of what is wrong.

        """
        return cls(path, _parse(path, _text(path)))

    def find(self, entry: Entry) -> Setting | None:
        """Return the value of the entry's option."""
        if not self.parser.has_option(entry.section, entry.option):
            return None
        name = f"[{entry.section}] {entry.option}"
        document = Named(str(self.path), self.path.parent)
        value = _Interpolation(self.parser, entry.section).of(entry.option)
        return Setting(name, value, document.place(()), document.directory)

    def warnings(self) -> Iterator[str]:
        """Yield unknown options of our two sections, and a secret that is exposed."""
        for name in ("platform", "credentials"):
            known = [entry.option for entry in ENTRIES if entry.section == name]
            if self.parser.has_section(name):
                data = dict.fromkeys(set(self.parser.options(name)) - set(self.parser.defaults()))
                section = Section(data, Named(str(self.path)), (f"[{name}]",))
                for error in section.unknown(known):
                    yield f"{error.what} {error.why} {error.fix}"
        if self.parser.has_option("credentials", "client_secret"):
            instead = "name another file that holds it in [credentials] client_secret_location"
            yield from exposed_secret_warnings(self.path, instead)


def _text(path: Path) -> str:
    try:
        text = read_bytes(path, SHARED_LIMIT).decode("utf-8-sig")
    except UnicodeDecodeError:
        what = f"{path} is not UTF-8 text."
        raise ConfigError(what, fix="Save the file as UTF-8.") from None
    if text.count("\n") > _MOST_LINES:
        what = f"{path} has more than {_MOST_LINES} lines."
        raise ConfigError(what, fix="A configuration is a few lines; is this the right file?")
    if blanks := _MANY_BLANKS.search(text):
        raise _broken(path, text.count("\n", 0, blanks.start()) + 1, "a long row of blanks")
    return text


def _parse(path: Path, text: str) -> configparser.RawConfigParser:
    import configparser  # most machines have no INI file

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text, str(path))
    except configparser.Error as error:
        # Not chained: the error quotes the line, and the line may hold a secret.
        raise _explained(path, error) from None
    if parser.has_section("internal"):
        what = f"{path} has a section [internal], which is reserved."
        raise ConfigError(what, fix="Remove that section.")
    return parser


def _explained(path: Path, error: configparser.Error) -> ConfigError:
    problems = {
        "MissingSectionHeaderError": "a setting stands before the first [section]",
        "DuplicateSectionError": "this section stands here a second time",
        "DuplicateOptionError": "this setting stands here a second time",
    }
    errors = getattr(error, "errors", None)
    line = errors[0][0] if errors else getattr(error, "lineno", 1)
    usual = "this is neither a [section] nor a name = value"
    return _broken(path, line, problems.get(type(error).__name__, usual))


def _broken(path: Path, line: int, problem: str) -> ConfigError:
    what = f"{path}, line {line}, column 1: {problem}."
    why = "The file is not valid, so nothing of it was used."
    return ConfigError(what, why=why, fix="Correct the file at that line.")


class _Interpolation:
    """Puts values in the place of ``%(name)s``, as configparser does, but not without end.

    ``%%`` is a percent sign. A value in which anything else follows one is taken as it stands:
    flytekit drops a secret that holds one.
    """

    def __init__(self, parser: configparser.RawConfigParser, section: str) -> None:
        self._parser, self._section = parser, section
        self._left = _LONGEST

    def of(self, option: str) -> str:
        """Return an option's value."""
        raw = self._parser.get(self._section, option)
        try:
            return self._put_in(raw, _DEEPEST)
        except ValueError:
            return raw

    def _put_in(self, text: str, depth: int) -> str:
        return _REFERENCE.sub(lambda found: self._value(found, depth), text)

    def _value(self, found: re.Match[str], depth: int) -> str:
        name = found["name"]
        if name is None:
            if not found["percent"]:
                raise ValueError
            return "%"
        if depth == 0 or not self._parser.has_option(self._section, name):
            raise ValueError
        raw = self._parser.get(self._section, name)
        self._left -= 1 + len(raw)
        if self._left < 0:
            raise ValueError
        return self._put_in(raw, depth - 1)
