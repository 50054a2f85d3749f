from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import pytest

from platform_auth.cli.broker import find_broker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome, Server
    from platform_auth.sandbox import Sandbox


def test_who_is_signed_in_where(
    server: Server, sandbox: Sandbox, run: Callable[..., Outcome]
) -> None:
    server.visit()
    host = sandbox.platform_url.removeprefix("http://")
    gap = " " * (len(host) - len("PLATFORM") + 2)
    lines = run("status").out.splitlines()
    # Half of its five minutes are left until then, less what this test takes.
    assert re.search(r" in (\d+ s|2 min)$", lines[1])
    lines[1] = lines[1].rpartition(" in ")[0]
    assert lines == [
        f"PROFILE       PLATFORM{gap}STATE",
        f"demo *        {host}  Signed in as ada@example.com  renewed by itself",
        f"demo-device   {host}  Signed out",
        f"demo-service  {host}  Signed out",
        "",
        "Sign-ins are in memory only, and end with the process that keeps them.",
    ]


def test_a_sign_in_that_failed_says_why(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit(approve=False)
    found = run("status")
    assert found.status == 0
    assert "Sign-in failed" in found.out
    assert "  Why: " in found.out


def test_what_is_written_down_wrongly_is_not_called_a_sign_in(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    profiles_file({"profiles": {"typo": {"admin": {"endpoint": "a.example.com", "authTyp": "x"}}}})
    found = run("status")
    assert found.out.splitlines()[1].split() == ["typo", "*", "Cannot", "be", "used"]
    assert "authTyp" in found.out


def test_for_programs_it_is_the_protocol(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    found = run("status", "--json")
    answer = json.loads(found.out)
    assert (answer["version"], answer["default"]) == (1, "demo")
    view = answer["profiles"][0]
    assert (view["profile"], view["state"]) == ("demo", "signed_in")
    assert view["signed_in_as"] == "ada@example.com"
    assert "eyJ" not in found.out


def test_it_needs_no_server(demo: Path, run: Callable[..., Outcome]) -> None:
    found = run("status")
    assert "Signed out" in found.out
    assert found.err == ""


def test_nothing_is_configured(run: Callable[..., Outcome]) -> None:
    found = run("status")
    assert found.status == 0
    assert "No platform is configured" in found.out


@pytest.mark.parametrize("command", [["status"], ["login", "demo-service"]])
def test_what_is_switched_off_is_warned_of(
    sandbox: Sandbox,
    profiles_file: Callable[..., Path],
    run: Callable[..., Outcome],
    command: list[str],
) -> None:
    profile = sandbox.profiles()["demo-service"]
    profile["admin"]["insecureSkipVerify"] = True
    profiles_file({"profiles": {"demo-service": profile}})
    found = run(*command)
    assert found.status == 0
    assert "Warning: Certificates are not verified (insecureSkipVerify)" in found.out + found.err


def test_what_went_wrong_meanwhile_and_what_was_granted_otherwise(
    server: Server, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.visit()
    client = find_broker()
    answer = client.profiles()
    answer["profiles"][0] |= {
        "notices": ["The scope admin was not granted."],
        "last_error": {
            "code": "unreachable",
            "what": "https://id.example.com cannot be reached.",
            "why": "Connection refused",
            "fix": "",
            "retryable": True,
            "at": time.time() - 600,
        },
        "key_source": "keyring",
    }
    monkeypatch.setattr(client, "profiles", lambda: answer)
    monkeypatch.setattr("platform_auth.cli.status.find_broker", lambda: client)
    found = run("status")
    assert found.status == 0
    assert "demo: The scope admin was not granted." in found.out
    assert "demo: The last refresh failed 10 min ago: https://id.example.com cannot" in found.out
    assert "the present token still serves" in found.out
    assert "the key is in the system's keyring" in found.out
    shown = json.loads(run("status", "--json").out)["profiles"][0]
    assert {name: shown[name] for name in ("notices", "last_error", "key_source")} == {
        name: answer["profiles"][0][name] for name in ("notices", "last_error", "key_source")
    }
    assert shown["next_refresh"] > time.time()
