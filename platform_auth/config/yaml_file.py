"""YAML files, with the line and column of every key."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_auth.config.file import read_bytes
from platform_auth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_auth.config.place import Keys

OWN_LIMIT = 64 * 1024
SHARED_LIMIT = 1024 * 1024
_DEEPEST = 20
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


def load_shared(path: Path) -> YamlDocument:
    """Read a file that other tools read, too: what they accept is accepted.

    Raises
    ------
    ConfigError
        It cannot be read or is not YAML; the error names line and column.

    """
    return _load(path, SHARED_LIMIT, strict=False)


def _load(path: Path, limit: int, *, strict: bool) -> YamlDocument:
    import yaml  # 15 ms that a kernel with a broker does not need

    loader = _loader()(_decode(path, read_bytes(path, limit)), strict=strict)
    try:
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
        marks = _Marks(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        # Not chained: the error's text quotes the line, and the line may hold a secret.
        raise _broken(path, position, error.problem or "not valid YAML") from None
    except yaml.reader.ReaderError as error:
        text = loader.text[: error.position]
        raise _broken(path, _position(text), "a character that YAML does not allow") from None
    except RecursionError:
        raise _broken(path, (1, 1), "nested too deep") from None
    finally:
        loader.dispose()
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

    def __init__(self, node: Any) -> None:  # noqa: ANN401  # a yaml.Node; yaml is imported late
        self.keys: dict[Keys, Mark] = {}
        self.values: dict[Keys, Mark] = {}
        self.root = _mark(node) if node is not None else (1, 1)
        self._walk(node, ())

    def _walk(self, node: Any, path: Keys) -> None:  # noqa: ANN401
        for key, value in _pairs(node):
            keys = (*path, str(key.value))
            self.keys[keys], self.values[keys] = _mark(key), _mark(value)
            if len(keys) < _MARKED_DEPTH:
                self._walk(value, keys)


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    if getattr(node, "id", None) == "mapping":
        yield from ((key, value) for key, value in node.value if key.id == "scalar")


def _mark(node: Any) -> Mark:  # noqa: ANN401
    return node.start_mark.line + 1, node.start_mark.column + 1


@functools.cache
def _loader() -> Any:  # noqa: ANN401  # a class that can only be made once yaml is imported
    import yaml

    class Loader(yaml.SafeLoader):
        def __init__(self, text: str, *, strict: bool) -> None:
            self.text, self.strict, self.depth = text, strict, 0
            self.duplicates: list[str] = []
            super().__init__(text)

        def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401
            event = self.peek_event()
            anchored = getattr(event, "anchor", None) is not None
            if self.strict and (anchored or self.check_event(yaml.AliasEvent)):
                problem = "anchors (&) and aliases (*) are not accepted here: write it out"
                raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
            self.depth += 1
            if self.depth > _DEEPEST:
                problem = f"nested more than {_DEEPEST} deep"
                raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def compose_mapping_node(self, anchor: Any) -> Any:  # noqa: ANN401
            node = super().compose_mapping_node(anchor)
            self._refuse_duplicates(node)
            return node

        def _refuse_duplicates(self, node: Any) -> None:  # noqa: ANN401
            seen: set[tuple[str, str]] = set()
            for key, _ in node.value:
                if key.id != "scalar":
                    continue
                identity = (key.tag, key.value)
                if identity in seen and self.strict:
                    problem = f"the key {key.value!r} stands here a second time"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                if identity in seen:
                    self.duplicates.append(f"{key.value} (line {key.start_mark.line + 1})")
                seen.add(identity)

        def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002
            try:
                return super().construct_object(node, deep)
            except (yaml.YAMLError, RecursionError):
                raise
            except Exception:  # noqa: BLE001  # PyYAML lets ValueError, KeyError, … of a bad scalar out
                problem = f"this is not a {node.tag.rpartition(':')[2]}"
                mark = node.start_mark
                raise yaml.constructor.ConstructorError(None, None, problem, mark) from None

    return Loader
