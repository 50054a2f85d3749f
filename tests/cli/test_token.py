from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.stores import open_store
from platform_auth.cli import token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Command, Outcome, Server
    from platform_auth.sandbox import Sandbox

HEAVY = {
    *("yaml", "httpx2", "authlib", "joserfc", "tornado", "traitlets", "asyncio", "IPython"),
    *("jupyter_core", "filelock", "keyring", "http", "email", "ssl", "argparse", "dataclasses"),
    *("inspect", "pathlib", "logging", "locale", "shutil", "secrets", "base64", "traceback"),
}
"""What takes longer to import than all that is needed."""


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


def test_for_flytes_proxy_command(
    sandbox: Sandbox, profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    service = sandbox.profiles()["demo-service"]
    behind = {**service["admin"], "proxyCommand": ["echo", "for-the-proxy"]}
    profiles_file({"profiles": {"behind": {**service, "admin": behind}, "open": service}})
    found = run("token", "behind", "--output", "proxy")
    assert (found.status, found.out, found.err) == (0, "for-the-proxy\n", "")
    assert is_token(run("token", "behind").out.strip())
    found = run("token", "open", "--output", "proxy")
    assert (found.status, found.out) == (1, "")
    assert "admin.proxyCommand" in found.err


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


def imported(found: Outcome) -> set[str]:
    """Return the packages that a process with ``-X importtime`` has imported."""
    assert found.status == 0, found.err
    lines = [line for line in found.err.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    return names - {"imported package"}


def test_asking_a_broker_imports_nothing_heavy(
    server: Server, start: Callable[..., Command]
) -> None:
    server.visit()
    names = imported(start("token", "demo", options=("-S", "-X", "importtime")).end())
    assert not names & HEAVY
    assert names <= {*sys.stdlib_module_names, "platform_auth"}


@pytest.fixture
def saved(demo: Path, sandbox: Sandbox, run: Callable[..., Outcome]) -> str:
    """Have a service's token saved, and no broker; return the token."""
    before = time.time() - 60
    os.utime(demo, (before, before))
    token = run("token", "demo-service").out.strip()
    assert is_token(token)
    return token


def test_a_saved_token_is_printed_and_nobody_is_asked(
    saved: str, sandbox: Sandbox, start: Callable[..., Command]
) -> None:
    before = sandbox.requests
    for words in (("demo-service",), ("demo-service", "--min-ttl", "5")):
        found = start("token", *words).end()
        assert (found.status, found.out, found.err) == (0, f"{saved}\n", "")
    assert sandbox.requests == before


def test_a_saved_token_takes_what_reads_it_and_nothing_heavy(
    saved: str, start: Callable[..., Command]
) -> None:
    """The first time it takes what reads the configuration, too, but no more."""
    options = ("-X", "importtime")
    first = imported(start("token", "demo-service", options=options).end())
    assert not first & {"httpx2", "authlib", "joserfc", "asyncio", "tornado", "argparse"}
    assert "yaml" in first
    names = imported(start("token", "demo-service", options=options).end())
    assert not names & HEAVY
    # What is installed may have files that are imported whenever Python starts.
    always = imported(start(options=(*options, "-c", "pass")).end())
    known = {*sys.stdlib_module_names, "platform_auth", "cryptography", "_cffi_backend"}
    assert names <= known | always


def test_a_saved_token_that_is_old_is_renewed(
    saved: str, sandbox: Sandbox, start: Callable[..., Command]
) -> None:
    async def age() -> None:
        store = open_store("file")
        record = await store.load("demo-service")
        assert record is not None
        await store.save(replace(record, issued_at=record.issued_at - record.tokens.expires_in))

    asyncio.run(age())
    before = len(sandbox.requests)
    new = start("token", "demo-service").end().out.strip()
    assert is_token(new)
    assert new != saved
    assert start("token", "demo-service").end().out.strip() == new
    grants = [request.grant_type for request in sandbox.requests[before:]]
    assert [grant for grant in grants if grant] == ["client_credentials"]


@pytest.mark.parametrize(
    "words",
    [
        ["prod"],
        ["prod", "--output", "json"],
    ],
)
def test_the_usual_words_need_no_argparse(words: list[str]) -> None:
    expected = ("prod", "json" if len(words) > 1 else "raw", 60.0)
    assert token.understood(words) == expected


@pytest.mark.parametrize(
    "words",
    [
        [],
        [""],
        ["-h"],
        ["--output", "raw", "prod"],
        ["prod", "--output"],
        ["prod", "--output", "yaml"],
        ["prod", "--output=json"],
        ["prod", "--min-ttl", "5"],
        ["prod", "dev"],
        ["prod", "--output", "raw", "dev"],
    ],
)
def test_all_others_are_for_argparse(words: list[str]) -> None:
    assert token.understood(words) is None
