"""PyYAML's safe loader, stricter; import this late, because it imports PyYAML."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

_DEEPEST = 20
_MOST_ALIASES = 100
_MOST_MERGED = 10_000
_MOST_NODES = 4000  # reading one takes 50 µs
_LONGEST_NUMBER = 100  # reading one takes time by the square of its length


class Loader(yaml.SafeLoader):
    """A safe loader that bounds depth and number, finds duplicate keys and only raises YAML errors.

    Parameters
    ----------
    text
        The document.
    strict
        Whether anchors, aliases and duplicate keys are errors.

    Attributes
    ----------
    duplicates
        Where not strict: the keys given twice, each with its line.

    """

    def __init__(self, text: str, *, strict: bool) -> None:
        self.strict, self.depth, self.aliases, self.nodes = strict, 0, 0, 0
        self.duplicates: list[str] = []
        super().__init__(text)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse what is nested too deep, and, where strict, anchors and aliases."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if self.strict and getattr(event, "anchor", None) is not None:
            problem = "anchors (&) and aliases (*) are not accepted here: write it out"
            raise ComposerError(None, None, problem, event.start_mark)
        self.aliases += isinstance(event, yaml.AliasEvent)
        if self.aliases > _MOST_ALIASES:
            problem = f"more than {_MOST_ALIASES} aliases"
            raise ComposerError(None, None, problem, event.start_mark)
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            problem = f"more than {_MOST_NODES} values; a configuration is a few lines"
            raise ComposerError(None, None, problem, event.start_mark)
        self.depth += 1
        if self.depth > _DEEPEST:
            problem = f"nested more than {_DEEPEST} deep"
            raise ComposerError(None, None, problem, event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        """Look for duplicate keys, of which PyYAML silently takes the last."""
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            identity = (key.tag, str(key.value))
            if identity in seen and self.strict:
                problem = f"the key {key.value!r} stands here a second time"
                raise ConstructorError(None, None, problem, key.start_mark)
            if identity in seen:
                self.duplicates.append(f"{key.value} (line {key.start_mark.line + 1})")
            seen.add(identity)
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge ``<<``, within bounds: merges of merges grow exponentially."""
        super().flatten_mapping(node)
        if len(node.value) > _MOST_MERGED:
            problem = f"more than {_MOST_MERGED} keys after merging"
            raise ConstructorError(None, None, problem, node.start_mark)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:  # noqa: FBT001, FBT002
        """Turn the ValueError, KeyError or AttributeError of a bad scalar into a YAML error."""
        if isinstance(node, yaml.ScalarNode) and len(node.value) > _LONGEST_NUMBER:
            _refuse_number(node)
        try:
            return super().construct_object(node, deep)
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception:  # noqa: BLE001 - PyYAML documents none of them
            problem = f"this is not a valid {node.tag.rpartition(':')[2]}"
            raise ConstructorError(None, None, problem, node.start_mark) from None


def _refuse_number(node: yaml.ScalarNode) -> None:
    kind = node.tag.rpartition(":")[2]
    if kind in {"int", "float", "timestamp"}:
        raise ConstructorError(None, None, f"this is not a valid {kind}", node.start_mark)
