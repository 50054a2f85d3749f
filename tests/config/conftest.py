"""A home of its own for every test, and a current directory full of files nobody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INI = "[platform]\nurl = stolen.example.com\n"
YAML = "admin:\n  endpoint: stolen.example.com\n"
PROFILES = "profiles:\n  stolen:\n    admin: {endpoint: stolen.example.com}\n"
TRAPS = {
    "flytekit.config": INI,
    "config.yaml": YAML,
    ".flyte/config": INI,
    ".flyte/config.yaml": YAML,
    ".flyte/config-stolen.yaml": YAML,
    "profiles.yaml": PROFILES,
    "platform-auth/profiles.yaml": PROFILES,
    "secret.txt": "stolen",
}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home, with the traps in the current directory for every test."""
    for name, text in TRAPS.items():
        write(tmp_path / "notebooks" / name, text)
    monkeypatch.chdir(tmp_path / "notebooks")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def flyte_file(home: Path) -> Callable[..., Path]:
    """Return a function that writes a file into ``~/.flyte``."""
    return lambda text, name="config.yaml": write(home / ".flyte" / name, text)


@pytest.fixture
def user_file(home: Path) -> Callable[..., Path]:
    """Return a function that writes the user's profiles."""
    return lambda text: write(home / ".jupyter" / "platform-auth" / "profiles.yaml", text)
