from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Command, Outcome, Server
    from platform_auth.sandbox import Sandbox

HEAVY = {"yaml", "httpx2", "authlib", "tornado", "traitlets", "asyncio", "IPython", "jupyter_core"}


def is_token(text: str) -> bool:
    return text.count(".") == 2 and text.startswith("eyJ")


def test_the_token_and_a_newline_are_all_there_is(
    server: Server, run: Callable[..., Outcome]
) -> None:
    server.visit()
    found = run("token", "demo")
    assert (found.status, found.err) == (0, "")
    token, newline, rest = found.out.partition("\n")
    assert is_token(token)
    assert (newline, rest) == ("\n", "")


def test_as_a_header(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    token = run("token", "demo").out.strip()
    assert run("token", "demo", "--output", "header").out == f"authorization: Bearer {token}\n"


def test_as_json(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    answer = json.loads(run("token", "demo", "--output", "json").out)
    assert set(answer) == {"access_token", "token_type", "expires_in", "expires_at"}
    assert is_token(answer["access_token"])
    assert answer["token_type"] == "Bearer"
    assert 0 < answer["expires_in"] <= 300
    assert abs(answer["expires_at"] - time.time() - answer["expires_in"]) < 3


@pytest.mark.parametrize(
    ("info", "version"),
    [
        ("", "v1"),
        ("rubbish", "v1"),
        ("[]", "v1"),
        ('{"apiVersion": "client.authentication.k8s.io/v1"}', "v1"),
        ('{"apiVersion": "client.authentication.k8s.io/v1beta1"}', "v1beta1"),
        ('{"apiVersion": "client.authentication.k8s.io/v9"}', "v1"),
    ],
)
def test_for_kubectl(
    server: Server,
    run: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
    info: str,
    version: str,
) -> None:
    server.visit()
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", info)
    answer = json.loads(run("token", "demo", "--output", "exec-credential").out)
    assert answer["apiVersion"] == f"client.authentication.k8s.io/{version}"
    assert answer["kind"] == "ExecCredential"
    assert set(answer["status"]) == {"token", "expirationTimestamp"}
    assert is_token(answer["status"]["token"])
    expires = datetime.strptime(answer["status"]["expirationTimestamp"], "%Y-%m-%dT%H:%M:%S%z")
    assert 0 < expires.timestamp() - time.time() <= 300


def test_min_ttl_is_what_the_broker_is_asked_for(
    server: Server, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    async def token(name: str, *, min_ttl: float, **_others: object) -> None:
        asked.append(min_ttl)

    monkeypatch.setattr(server.broker, "token", token)
    run("token", "demo", "--min-ttl", "123.5")
    run("token", "demo")
    assert asked == [123.5, 60.0]


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "soon"])
def test_a_min_ttl_that_is_no_time_is_wrong_usage(run: Callable[..., Outcome], value: str) -> None:
    found = run("token", "demo", f"--min-ttl={value}")
    assert found.status == 2
    assert "--min-ttl" in found.err


def test_somebody_must_sign_in(server: Server, run: Callable[..., Outcome]) -> None:
    found = run("token", "demo")
    assert (found.status, found.out) == (3, "")
    assert found.err.splitlines()[0].startswith("platform-auth: You are not signed in")
    assert found.err.splitlines()[-1] == "  Fix: Run: platform-auth login demo"


def test_somebody_must_sign_in_first(demo: Path, run: Callable[..., Outcome]) -> None:
    found = run("token", "demo")
    assert (found.status, found.out) == (3, "")
    assert "Run: platform-auth login demo" in found.err


def test_a_service_gets_one_without_a_server_too(demo: Path, run: Callable[..., Outcome]) -> None:
    found = run("token", "demo-service")
    assert (found.status, found.err) == (0, "")
    assert is_token(found.out.strip())


def test_the_command_to_run_is_quoted(
    sandbox: Sandbox, profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    profiles_file({"profiles": {"my prod": sandbox.profiles()["demo"]}})
    found = run("token", "my prod")
    assert found.status == 3
    assert "platform-auth login 'my prod'" in found.err


def test_there_is_no_such_profile(server: Server, run: Callable[..., Outcome]) -> None:
    found = run("token", "demp")
    assert (found.status, found.out) == (1, "")
    assert "Did you mean 'demo'?" in found.err


def test_the_server_is_gone(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_BROKER", f"unix://{tmp_path}/gone.sock")
    monkeypatch.setenv("PLATFORM_AUTH_BROKER_TOKEN_FILE", str(tmp_path / "gone.token"))
    found = run("token", "demo")
    assert (found.status, found.out) == (1, "")
    assert "cannot be reached" in found.err


def test_it_needs_nothing_but_the_standard_library(
    server: Server, start: Callable[..., Command]
) -> None:
    """Where a broker answers: ``-S`` leaves nothing else to import at all."""
    server.visit()
    found = start("token", "demo", options=("-S",)).end()
    assert found.status == 0, found.err
    assert is_token(found.out.strip())


def test_it_imports_nothing_heavy(server: Server, start: Callable[..., Command]) -> None:
    server.visit()
    found = start("token", "demo", options=("-S", "-X", "importtime")).end()
    lines = [line for line in found.err.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "platform_auth" in names
    assert not names & HEAVY
    title, jython = "imported package", "org"  # the module copy asks whether it runs on Jython
    assert names <= {*sys.stdlib_module_names, "platform_auth", title, jython}
