"""Columns of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .terminal import plain

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table; columns are as wide as what is in them.

    Examples
    --------
    >>> table(["NAME", "STATE"], [["prod", "Signed out"]])
    ['NAME  STATE', 'prod  Signed out']

    """
    lines = [list(titles), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return [line.rstrip() for line in padded]
