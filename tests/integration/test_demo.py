"""``platform-auth demo --check``, when all is well and when it is not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.demo import assert_all_is_well, run_check
from harness.environment import isolated
from platform_auth.cli.demo import check, place

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Return the only directory that a demo may write to."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    return directory


def test_the_whole_path_without_a_person(tmp_path: Path, temporary: Path) -> None:
    env = isolated(tmp_path / "home", TMPDIR=str(temporary), PYTHONPATH=str(ROOT))
    env |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    found = run_check([sys.executable, "-m", "platform_auth.cli"], env)
    assert_all_is_well(found)
    assert list(temporary.iterdir()) == []


@pytest.fixture
def notebook(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Return a function that makes another notebook the one to run."""
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def write(*sources: str) -> None:
        cells = [
            {"id": f"cell-{number}", "cell_type": "code", "source": source, "metadata": {},
             "outputs": [], "execution_count": None}
            for number, source in enumerate(sources)
        ]  # fmt: skip
        path = tmp_path / "quickstart.ipynb"
        path.write_text(
            json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
        )
        monkeypatch.setattr(place, "notebooks", lambda: [path])

    return write


def test_a_cell_that_fails_ends_it(
    notebook: Callable[..., None], temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook("%load_ext platform_auth", "%platform_login no-such-profile", "print('not reached')")
    assert check.check() == 1
    out, err = capsys.readouterr()
    assert "There is no profile 'no-such-profile'" in out
    assert "not reached" not in out
    assert "failed: The cell '%platform_login no-such-profile' ended in an error." in err
    assert "failed: No cell asked anybody to sign in." in err
    assert "failed: The identity provider has issued no token." in err
    assert "FAILED" in out
    assert list(temporary.iterdir()) == []


def test_a_token_in_the_notebook_is_found(
    notebook: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    listing = "print(client.get('/api/v1/projects').text)"
    leak = "print(client.connection.access_token())"
    notebook("%load_ext platform_auth", "%platform_login", listing, leak)
    assert check.check() == 1
    assert "failed: The notebook holds a token." in capsys.readouterr().err
