from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from platform_auth.cli import status
from platform_auth.cli.parser import COMMANDS
from platform_auth.errors import ConfigError, SignInRequiredError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Command, Outcome
    from platform_auth.sandbox import Sandbox

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return a function that makes `status` fail."""

    def failing(error: BaseException) -> None:
        def run(_arguments: argparse.Namespace) -> NoReturn:
            raise error

        monkeypatch.setattr(status, "run", run)

    return failing


def test_help_lists_every_command(run: Callable[..., Outcome]) -> None:
    found = run("--help")
    assert found.status == 0
    for name, summary in COMMANDS.items():
        assert name in found.out
        assert summary in found.out
    assert "3 a person must sign in" in found.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(run: Callable[..., Outcome], name: str) -> None:
    found = run(name, "--help")
    assert found.status == 0
    assert found.out.startswith(f"usage: platform-auth {name}")


def test_jupyter_calls_it_by_another_name(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/jupyter-platform-auth"])
    assert run("token", "--help").out.startswith("usage: jupyter platform-auth token")


def test_the_version(run: Callable[..., Outcome]) -> None:
    from platform_auth import __version__

    assert run("--version").out == f"platform-auth {__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("tokn", "demo"), ("token",), ("status", "--nope")])
def test_wrong_usage(run: Callable[..., Outcome], arguments: tuple[str, ...]) -> None:
    found = run(*arguments)
    assert (found.status, found.out) == (2, "")
    assert found.err.startswith("usage: platform-auth")


def test_an_error_is_told_as_what_why_and_fix(
    run: Callable[..., Outcome], fail: Callable[[BaseException], None]
) -> None:
    fail(ConfigError("It is wrong.", why="Somebody said so.", fix="Write it right."))
    found = run("status")
    assert (found.status, found.out) == (1, "")
    assert found.err.splitlines() == [
        "platform-auth: It is wrong.",
        "  Why: Somebody said so.",
        "  Fix: Write it right.",
    ]


def test_a_sign_in_that_is_needed_has_a_status_of_its_own(
    run: Callable[..., Outcome], fail: Callable[[BaseException], None]
) -> None:
    fail(SignInRequiredError("Sign in."))
    assert run("status").status == 3


def test_what_was_not_foreseen_is_told_without_a_traceback_or_secret(
    run: Callable[..., Outcome], fail: Callable[[BaseException], None]
) -> None:
    fail(RuntimeError(f"no idea about {TOKEN}"))
    found = run("status")
    assert found.status == 1
    assert "RuntimeError" in found.err
    assert "PLATFORM_AUTH_DEBUG=1" in found.err
    assert "Traceback" not in found.err
    assert TOKEN not in found.err


@pytest.mark.parametrize("error", [RuntimeError(f"no {TOKEN}"), ConfigError("no")])
def test_who_debugs_sees_a_traceback_but_no_secret(
    run: Callable[..., Outcome],
    fail: Callable[[BaseException], None],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_DEBUG", "1")
    fail(error)
    found = run("status")
    assert found.status == 1
    assert "Traceback" in found.err
    assert TOKEN not in found.err


def test_an_error_cannot_command_the_terminal(
    run: Callable[..., Outcome], fail: Callable[[BaseException], None]
) -> None:
    fail(ConfigError("bad\x1b]0;owned\x07 name"))
    assert run("status").err.splitlines()[0] == "platform-auth: bad ]0;owned  name"


def test_ctrl_c_has_the_status_that_shells_know(
    run: Callable[..., Outcome], fail: Callable[[BaseException], None]
) -> None:
    fail(KeyboardInterrupt())
    found = run("status")
    assert found.status == 130
    assert "Traceback" not in found.err


def test_a_reader_that_has_seen_enough_is_no_fault(
    demo: Path, start: Callable[..., Command]
) -> None:
    command = start("profiles", "--json")
    command.process.stdout.close()  # type: ignore[union-attr]
    command.process.stdout = None
    assert command.process.wait(20) == 1
    assert command.process.stderr.read() == ""  # type: ignore[union-attr]


def test_a_character_the_terminal_lacks_is_no_fault(
    sandbox: Sandbox, profiles_file: Callable[..., Path], start: Callable[..., Command]
) -> None:
    profiles_file({"profiles": {"прод": sandbox.profiles()["demo"]}})
    found = start("profiles", PYTHONIOENCODING="ascii").end()
    assert found.status == 0
    assert "\\u043f" in found.out


def test_every_command_is_a_module_with_the_same_two_functions() -> None:
    for name in COMMANDS:
        module = __import__(f"platform_auth.cli.{name.replace('-', '_')}", fromlist=["run"])
        assert callable(module.run)
        assert callable(module.add_arguments)
