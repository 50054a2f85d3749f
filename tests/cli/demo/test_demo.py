from __future__ import annotations

import io
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from platform_auth.cli.demo import check, lab, requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Outcome


@pytest.fixture(autouse=True)
def _same_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    monkeypatch.setattr(check, "check", lambda: made.append("check") or 0)
    monkeypatch.setattr(lab, "open_lab", lambda: made.append("lab") or 0)
    return made


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("arguments", "at_terminal", "expected"),
    [
        ((), True, "lab"),
        ((), False, "check"),
        (("--check",), True, "check"),
        (("--check",), False, "check"),
    ],
)
def test_for_people_at_a_terminal_and_without_one(
    run: Callable[..., Outcome],
    chosen: list[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    at_terminal: bool,
    expected: str,
) -> None:
    stream = Terminal if at_terminal else io.StringIO
    monkeypatch.setattr(sys, "stdin", stream())
    monkeypatch.setattr(sys, "stdout", stream())
    assert run("demo", *arguments).status == 0
    assert chosen == [expected]


def test_output_into_a_pipe_is_no_terminal(
    run: Callable[..., Outcome], chosen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    run("demo")
    assert chosen == ["check"]


@pytest.mark.parametrize("arguments", [("--check",), ()])
def test_what_is_missing_is_said_with_the_command_that_installs_it(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(requirement, "find_spec", lambda _name: None)
    found = run("demo", *arguments)
    assert found.status == 1
    assert "ipykernel" in found.err
    assert 'Run: pip install "platform-auth[demo]"' in found.err


def test_a_request_to_end_lets_everything_be_removed(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[bool] = []

    def interrupted() -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            removed.append(True)
        return 0

    monkeypatch.setattr(check, "check", interrupted)
    assert run("demo", "--check").status == 128 + signal.SIGTERM
    assert removed == [True]
