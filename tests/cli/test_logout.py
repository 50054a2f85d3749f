from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Outcome, Server


def test_the_default_profile(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    assert run("logout").out == "demo: signed out.\n"
    assert server.state() == "signed_out"


def test_one_profile(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    assert run("logout", "demo-device").out == "demo-device: you were not signed in.\n"
    assert server.state() == "signed_in"


def test_everywhere(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    assert run("logout", "--all").out == "demo: signed out.\n"
    assert server.state() == "signed_out"
    assert run("logout", "--all").out == "You were not signed in anywhere.\n"


def test_both_is_wrong_usage(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    assert run("logout", "demo", "--all").status == 2
    assert server.state() == "signed_in"


def test_a_profile_that_does_not_exist(server: Server, run: Callable[..., Outcome]) -> None:
    found = run("logout", "nope")
    assert (found.status, found.out) == (1, "")
    assert "nope" in found.err
