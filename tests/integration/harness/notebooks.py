"""Notebook files, made from what their cells say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a Python notebook (format 4.5) with one code cell for each of `cells`."""
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "cells": [_code_cell(f"cell-{index}", source) for index, source in enumerate(cells)],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def _code_cell(cell_id: str, source: str) -> dict[str, Any]:
    return {
        "id": cell_id,
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
    }


def read_notebook(path: Path) -> dict[str, Any]:
    """Return a saved notebook as the JSON it is."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
