from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx2
import pytest

from fakes.bench import PROFILES
from harness.polling import wait_until
from harness.ports import free_port
from platform_auth.cli import main
from platform_auth.errors import ConfigError
from platform_auth.hub.replica import run_replica

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "platform_auth.cli", "hub-service"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "settings.json").write_text(json.dumps({"profiles": PROFILES}))
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "JUPYTERHUB_API_TOKEN": "t",
        "JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/platform-auth/",
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{free_port()}",
        "PLATFORM_AUTH_HUB_SETTINGS": str(tmp_path / "settings.json"),
    }


@pytest.fixture
def replica(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        COMMAND, env=environment, cwd=tmp_path, text=True, stderr=subprocess.PIPE
    )
    yield process
    process.kill()
    process.communicate()


def _answers(environment: dict[str, str]) -> bool:
    url = f"{environment['JUPYTERHUB_SERVICE_URL']}/services/platform-auth/health"
    try:
        return httpx2.get(url, trust_env=False).is_success
    except httpx2.TransportError:
        return False


def test_a_replica_ends_when_it_is_told_to(
    replica: subprocess.Popen[str],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    wait_until(lambda: _answers(environment), "the service", within=30)
    replica.send_signal(signal.SIGTERM)
    _out, said = replica.communicate(timeout=20)

    assert replica.returncode == 0, said
    assert "the service ends" in said
    assert (tmp_path / "platform_auth.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"JUPYTERHUB_API_TOKEN": ""}, "JUPYTERHUB_API_TOKEN is not set"),
        ({"JUPYTERHUB_SERVICE_URL": "unix:/x"}, "cannot listen at"),
        ({"PLATFORM_AUTH_DATABASE_URL": "mysql://x/y"}, "It knows PostgreSQL and SQLite."),
        ({"PLATFORM_AUTH_DATABASE_URL": "postgresql://x/y"}, "PLATFORM_AUTH_STORE_KEY"),
    ],
)
def test_one_that_cannot_start_says_why(
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLATFORM_AUTH_STORE_KEY", raising=False)
    for name, value in (environment | changes).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as refused:
        run_replica(tmp_path / "settings.json")
    assert said in str(refused.value)


def test_the_command_wants_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PLATFORM_AUTH_HUB_SETTINGS", raising=False)
    assert main(["hub-service"]) == 1
    assert "--settings FILE" in capsys.readouterr().err
