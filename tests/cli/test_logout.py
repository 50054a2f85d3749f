from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Outcome, Server


def test_the_default_profile(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    said = run("logout").out.splitlines()
    assert said[0] == "demo: signed out."
    # The sandbox has a page for it; the address stands alone, to be copied.
    assert said[1].startswith("Also sign out at 127.0.0.1:")
    assert said[3].startswith("http://127.0.0.1:")
    assert "/end-session?client_id=" in said[3]
    assert server.state() == "signed_out"


def test_one_profile(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    assert run("logout", "demo-device").out == "demo-device: you were not signed in.\n"
    assert server.state() == "signed_in"


def test_everywhere(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    assert run("logout", "--all").out.startswith("demo: signed out.\n")
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
