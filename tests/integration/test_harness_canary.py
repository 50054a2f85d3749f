"""The search for secrets finds them, or it is worth nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.canary import Canary

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl+/="


@pytest.fixture
def canary() -> Canary:
    return Canary({"access_token": [TOKEN]})


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        "https://example.com/?token=eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl%2B%2F%3D",
        "ZXlKaGJHY2lPaUp1YjI1bEluMC5leUp6ZFdJaU9pSmhaR0VpZlEuYzJsbmJtRjBkWEpsKy89",
        "...ZGEifQ.c2lnbmF0dXJl+/=",
    ],
    ids=["plain", "in a URL", "base64", "its tail"],
)
def test_finds_a_token(canary: Canary, text: str) -> None:
    assert canary.search_text(text) == ["access_token"]
    with pytest.raises(AssertionError) as failure:
        canary.assert_absent(text)
    assert TOKEN not in str(failure.value)


def test_finds_a_token_in_a_file_deep_down(canary: Canary, tmp_path: Path) -> None:
    path = tmp_path / "a" / ".hidden" / "kernel.log"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\x00" + TOKEN.encode())
    assert canary.search(tmp_path) == {path: ["access_token"]}


def test_is_content_with_clean_places(canary: Canary, tmp_path: Path) -> None:
    (tmp_path / "clean").write_text("nothing here", encoding="utf-8")
    canary.assert_absent(tmp_path, "nor here")


def test_refuses_to_look_for_nothing() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        Canary({"access_token": []})
