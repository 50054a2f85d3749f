"""YAML files, with the line and column of every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from .file import exists, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import yaml

    from .section import Keys

OWN_LIMIT = 64 * 1024
SHARED_LIMIT = 256 * 1024
_MARKED_DEPTH = 4  # profiles.NAME.admin.KEY
Mark = tuple[int, int]


@dataclass(frozen=True)
class YamlDocument:
    """One parsed file.

    Parameters
    ----------
    path
        The file.
    data
        Its root, a mapping; empty for an empty file.
    keys, values
        Line and column, from 1, of each key and value down to the fourth level.
    duplicates
        Keys that were given twice (in a shared file, where the last one counts).

    """

    path: Path
    data: dict[Any, Any] = field(default_factory=dict, repr=False)
    keys: dict[Keys, Mark] = field(default_factory=dict, repr=False)
    values: dict[Keys, Mark] = field(default_factory=dict, repr=False)
    duplicates: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        """The directory of the file."""
        return self.path.parent

    def place(self, keys: Keys, *, of_key: bool = False) -> str:
        """Say where the value (or the key itself) stands, for people."""
        marks = self.keys if of_key else self.values
        while keys and keys not in marks:
            keys = keys[:-1]
        return _place(self.path, *marks[keys]) if keys in marks else str(self.path)


def load_own(path: Path) -> YamlDocument:
    """Read a file of ours: no aliases, no duplicate keys, one document, at most 64 KiB and 20 deep.

    Raises
    ------
    ConfigError
        It cannot be read or breaks one of the rules; the error names line and column.

    """
    return _load(path, OWN_LIMIT, strict=True)


def own_text(path: Path) -> str:
    """Return a file of ours as it is written; nothing where there is none.

    Raises
    ------
    ConfigError
        It cannot be read, or is not UTF-8.

    """
    return _decode(path, read_bytes(path, OWN_LIMIT)) if exists(path) else ""


def load_shared(path: Path) -> YamlDocument:
    """Read a file that other tools read, too: what they accept is accepted.

    Raises
    ------
    ConfigError
        It cannot be read or is not YAML; the error names line and column.

    """
    return _load(path, SHARED_LIMIT, strict=False)


def _load(path: Path, limit: int, *, strict: bool) -> YamlDocument:
    from yaml import MarkedYAMLError
    from yaml.reader import ReaderError

    from .yaml_loader import Loader

    text = _decode(path, read_bytes(path, limit))
    try:
        loader = Loader(text, strict=strict)
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        # Not chained: the error's text quotes the line, and the line may hold a secret.
        raise _broken(path, position, error.problem or "not valid YAML") from None
    except ReaderError as error:
        position = _position(text[: error.position])
        raise _broken(path, position, "a character that YAML does not allow") from None
    marks = _Marks(node)
    if data is None:
        return YamlDocument(path)
    if not isinstance(data, dict):
        raise _broken(path, marks.root, "the file is not a mapping of keys to values")
    return YamlDocument(path, data, marks.keys, marks.values, tuple(loader.duplicates))


def _decode(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        fix = "Save the file as UTF-8."
        raise _broken(path, _position(before), "not UTF-8 text", fix=fix) from None


def _position(before: str) -> Mark:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _place(path: Path, line: int, column: int) -> str:
    return f"{path}, line {line}, column {column}"


def _broken(path: Path, position: Mark, problem: str, *, fix: str = "") -> ConfigError:
    what = f"{_place(path, *position)}: {problem}."
    why = "The file is not valid, so nothing of it was used."
    return ConfigError(what, why=why, fix=fix or "Correct the file at that line.")


class _Marks:
    """Where the keys and values of a document stand."""

    def __init__(self, node: yaml.Node | None) -> None:
        self._seen: set[int] = set()
        self.keys: dict[Keys, Mark] = {}
        self.values: dict[Keys, Mark] = {}
        self.root = _mark(node) if node is not None else (1, 1)
        self._walk(node, ())

    def _walk(self, node: yaml.Node | None, path: Keys) -> None:
        # An aliased node is marked where it stands, or a few lines of aliases would take for ever.
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        for key, value in _pairs(node):
            keys = (*path, str(key.value))
            self.keys[keys], self.values[keys] = _mark(key), _mark(value)
            if len(keys) < _MARKED_DEPTH:
                self._walk(value, keys)


def _pairs(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if node is not None and getattr(node, "id", "") == "mapping":
        yield from ((key, value) for key, value in node.value if key.id == "scalar")


def _mark(node: yaml.Node) -> Mark:
    return node.start_mark.line + 1, node.start_mark.column + 1
