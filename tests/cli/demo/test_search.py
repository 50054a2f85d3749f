from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from platform_auth.cli.demo.search import Search
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlIGhlcmU"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nothing here", False),
        ('{"refresh": "opaque-refresh-token"}', True),
        (f"Bearer {TOKEN}", True),
        ("eyJust.a.sentence", False),
    ],
)
def test_in_a_file(tmp_path: Path, text: str, found: bool) -> None:
    path = tmp_path / "notebook.ipynb"
    path.write_text(text)
    assert Search([Secret("opaque-refresh-token")]).finds_in(path) is found


def test_anywhere_below_a_directory(tmp_path: Path) -> None:
    hidden = tmp_path / ".ipynb_checkpoints" / "notebook.ipynb"
    hidden.parent.mkdir()
    hidden.write_bytes(b"\xff\x00" + TOKEN.encode())
    (tmp_path / "clean.txt").write_text("clean")
    assert Search([]).finds_in(tmp_path)
    assert not Search([]).finds_in(tmp_path / "clean.txt")
