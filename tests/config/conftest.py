"""A home of its own for every test, and a current directory full of files nobody may read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TRAPS = {
    "flytekit.config": "[platform]\nurl = stolen.example.com\n",
    "config.yaml": "admin:\n  endpoint: stolen.example.com\n",
    ".flyte/config": "[platform]\nurl = stolen.example.com\n",
    ".flyte/config.yaml": "admin:\n  endpoint: stolen.example.com\n",
    ".flyte/config-stolen.yaml": "admin:\n  endpoint: stolen.example.com\n",
    "profiles.yaml": "profiles:\n  stolen:\n    admin: {endpoint: stolen.example.com}\n",
    "platform-auth/profiles.yaml": "profiles:\n  stolen:\n    admin: {endpoint: stolen.example.com}\n",
    "secret.txt": "stolen",
}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Return an empty home, with the traps in the current directory and no variable set."""
    for name in list(os.environ):
        if name.startswith(("FLYTE", "_FLYTE", "PLATFORM_AUTH", "JUPYTER")):
            monkeypatch.delenv(name)
    for name, text in TRAPS.items():
        write(tmp_path / "notebooks" / name, text)
    monkeypatch.chdir(tmp_path / "notebooks")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def flyte_file(home):
    """Return a function that writes a file into ``~/.flyte``."""
    return lambda text, name="config.yaml": write(home / ".flyte" / name, text)


@pytest.fixture
def user_file(home):
    """Return a function that writes the user's profiles."""
    return lambda text: write(home / ".jupyter" / "platform-auth" / "profiles.yaml", text)
