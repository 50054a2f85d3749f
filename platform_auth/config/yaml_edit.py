"""Changing one value of a YAML file: every other byte of it, comments too, stays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import yaml

    from .section import Keys

_COMMENT: Final = re.compile(r" *#")
_WIDE: Final = 1_000_000  # no line is folded


def edited(text: str, keys: Keys, old: object, new: object) -> str:
    """Return a document in which the value at `keys` has become another.

    Only what differs is written anew: what is the same keeps its spelling and its comments.

    Parameters
    ----------
    text
        A valid document whose root is a mapping, or nothing.
    keys
        The way to the value.
    old
        What is there now; None for nothing.
    new
        What is to be there; None for nothing.

    """
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        for key in dict.fromkeys([*old, *new]):
            text = edited(text, (*keys, key), old.get(key), new.get(key))
        return text
    if type(old) is type(new) and old == new:
        return text
    return without(text, keys) if new is None else _with(text, keys, new)


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a document follows some keys.

    Parameters
    ----------
    mapping
        The last mapping on the way; None where there is none at all.
    depth
        How many of the keys lead to it.
    index
        Which of its entries the next key is; None where it has none of it.

    """

    mapping: yaml.MappingNode | None
    depth: int = 0
    index: int | None = None


def _find(text: str, keys: Keys) -> _Place:
    import yaml

    node = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        return _Place(None)
    for depth, key in enumerate(keys):
        index = next((i for i, (name, _) in enumerate(node.value) if name.value == key), None)
        value = None if index is None else node.value[index][1]
        if not isinstance(value, yaml.MappingNode) or not value.value or depth == len(keys) - 1:
            return _Place(node, depth, index)
        node = value
    return _Place(node, len(keys))


def _with(text: str, keys: Keys, value: object) -> str:
    """Put a value in, or in the place of another."""
    place = _find(text, keys)
    key, rest = keys[place.depth], keys[place.depth + 1 :]
    for each in reversed(rest):
        value = {each: value}
    mapping = place.mapping
    if mapping is None or not mapping.value:
        start = text.rstrip()
        if mapping is not None:  # ``{}``
            start = text[: mapping.start_mark.index].rstrip()
        return f"{start}\n{_block(key, value, 0)}\n".lstrip("\n")
    column = mapping.start_mark.column
    entry = _flow(key, value) if mapping.flow_style else _block(key, value, column)
    if place.index is not None:
        name, before = mapping.value[place.index]
        return text[: name.start_mark.index] + entry + text[_end(text, before) :]
    last = _end(text, mapping.value[-1][1])
    if mapping.flow_style:
        return f"{text[:last]}, {entry}{text[last:]}"
    below = _below(text, last, column)
    above = text[:below] if text[:below].endswith("\n") else f"{text}\n"
    return f"{above}{' ' * column}{entry}\n{text[below:]}"


def without(text: str, keys: Keys) -> str:
    """Return a document without the value at `keys`, and without what holds nothing else."""
    place = _find(text, keys)
    mapping, index = place.mapping, place.index
    if mapping is None or index is None:
        return text
    if len(mapping.value) == 1 and place.depth > 0:
        return without(text, keys[: place.depth])
    name, value = mapping.value[index]
    start, end = name.start_mark.index, _end(text, value)
    if not mapping.flow_style:
        start -= name.start_mark.column
        return text[:start] + text[_below(text, end, name.start_mark.column) :]
    if index + 1 < len(mapping.value):
        end = mapping.value[index + 1][0].start_mark.index
    elif index > 0:
        start = _end(text, mapping.value[index - 1][1])
    return text[:start] + text[end:]


def _end(text: str, node: yaml.Node) -> int:
    """Return where a value ends: PyYAML counts blank lines and comments behind a block to it."""
    import yaml

    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    written = text[node.start_mark.index : node.end_mark.index]
    return node.start_mark.index + len(written.rstrip())


def _end_of_line(text: str, index: int) -> int:
    found = text.find("\n", index)
    return len(text) if found < 0 else found


def _below(text: str, index: int, column: int) -> int:
    """Return where what follows an entry begins: the comments that are deeper belong to it."""
    index = _end_of_line(text, index) + 1
    while (found := _COMMENT.match(text, index)) and found.end() - 1 - index > column:
        index = _end_of_line(text, index) + 1
    return min(index, len(text))


def _block(key: object, value: object, column: int) -> str:
    """Write an entry as lines, lists and small mappings in their brackets."""
    import yaml

    lines = yaml.safe_dump(
        {key: value}, sort_keys=False, width=_WIDE, allow_unicode=True, default_flow_style=None
    )
    if lines.startswith("{"):  # nothing but plain values
        lines = yaml.safe_dump({key: value}, sort_keys=False, width=_WIDE, allow_unicode=True)
    return lines.rstrip("\n").replace("\n", "\n" + " " * column)


def _flow(key: object, value: object) -> str:
    import yaml

    entry = yaml.safe_dump(
        {key: value}, sort_keys=False, width=_WIDE, allow_unicode=True, default_flow_style=True
    )
    return entry.strip()[1:-1]


def check_edited(after: str, expected: Mapping[str, Any], path: object) -> None:
    """Make sure that nothing has changed but what was to change.

    Raises
    ------
    ConfigError
        The file is written in a way that does not allow it.

    """
    import yaml

    try:
        if (yaml.safe_load(after) or {}) == expected:
            return
    except yaml.YAMLError:
        pass
    raise ConfigError(
        f"{path} is written in a way that this cannot be changed alone.",
        fix="Edit the file by hand.",
    )
