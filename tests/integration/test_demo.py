"""``platform-auth demo --check``: from this environment, and from a wheel in an empty one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.environment import isolated
from platform_auth.cli.demo import check, place

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
_PIP_SECONDS = 280
_DEMO_SECONDS = 120


def run(*command: str | Path, timeout: float = _DEMO_SECONDS, **env: str) -> Any:
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )


def assert_all_is_well(found: subprocess.CompletedProcess[str], temporary: Path) -> None:
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stderr == ""
    assert "> %platform_login\n  Sign in to 127.0.0.1:" in found.stdout
    assert "Signed in to 127.0.0.1:" in found.stdout
    assert "ada@example.com" in found.stdout
    assert "Weather nowcast" in found.stdout
    assert "no token in the notebook\nno token in the server's log\nAll is well" in found.stdout
    assert "eyJ" not in found.stdout
    assert list(temporary.iterdir()) == []


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Return the only directory that a demo may write to."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    return directory


def test_the_whole_path_without_a_person(tmp_path: Path, temporary: Path) -> None:
    env = isolated(tmp_path / "home", TMPDIR=str(temporary), PYTHONPATH=str(ROOT))
    command = (sys.executable, "-m", "platform_auth.cli", "demo", "--check")
    assert_all_is_well(run(*command, **env), temporary)


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
        path = tmp_path / "other.ipynb"
        path.write_text(
            json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
        )
        monkeypatch.setattr(place, "quickstart", lambda: path)

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


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel; a lab extension that is built already goes into it as it is."""
    directory = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps")
    built = run(*pip, "--wheel-dir", directory, ROOT, timeout=_PIP_SECONDS, **os.environ)
    assert built.returncode == 0, built.stderr
    (found,) = directory.glob("platform_auth-*.whl")
    return found


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that installs into an empty environment and returns its programs' place."""
    directory = tmp_path_factory.mktemp("empty") / "environment"
    venv.create(directory, with_pip=False)
    programs = directory / ("Scripts" if os.name == "nt" else "bin")

    def installed(*what: str | Path) -> Path:
        pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install")
        options = ("--quiet", "--no-compile")
        done = run(*pip, *options, *what, timeout=_PIP_SECONDS, **os.environ)
        assert done.returncode == 0, done.stderr
        return programs

    return installed


@pytest.mark.timeout(900)
def test_from_a_wheel_in_an_empty_environment(
    wheel: Path, install: Callable[..., Path], tmp_path: Path, temporary: Path
) -> None:
    env = isolated(tmp_path / "home", TMPDIR=str(temporary))
    env.pop("PYTHONPATH", None)

    bare = install(wheel)
    found = run(bare / "platform-auth", "demo", "--check", **env)
    assert found.returncode == 1
    assert 'Run: pip install "platform-auth[demo]"' in found.stderr

    # Of the extra, the check needs no more than a kernel.
    programs = install("ipykernel")
    assert_all_is_well(run(programs / "platform-auth", "demo", "--check", **env), temporary)
    doctor = run(programs / "platform-auth", "doctor", **env)
    assert "ok    the server extension is enabled" in doctor.stdout
    assert "ok    the lab extension is installed" in doctor.stdout
    alias = run(programs / "jupyter", "platform-auth", "--version", **env)
    assert alias.stdout.startswith("platform-auth ")
