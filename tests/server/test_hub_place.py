from __future__ import annotations

import pytest

from platform_auth.errors import CallbackError
from platform_auth.server.hub_place import HubPlace

DEFAULT = HubPlace("/h%20b/", "/h%20b/user/ada%2Bx/")
WORK = HubPlace("/h%20b/", "/h%20b/user/ada%2Bx/work/", "work")
CAME_BACK = "/h%20b/user/ada%2Bx/platform-auth/callback?code=a%2Bb&state="


def test_a_server_signs_its_states() -> None:
    assert (DEFAULT.mark, WORK.mark) == (".", "work.")


@pytest.mark.parametrize("name", ["Work", "w_rk", "w.rk", "../ada", "wörk", "w" * 31])
def test_a_name_that_leads_nowhere_signs_nothing(name: str) -> None:
    assert HubPlace("/", f"/user/ada/{name}/", name).mark == ""


def test_the_default_server_passes_a_browser_on() -> None:
    assert DEFAULT.elsewhere(f"{CAME_BACK}work.x1") == (
        "/h%20b/user/ada%2Bx/work/platform-auth/callback?code=a%2Bb&state=work.x1"
    )


def test_a_named_server_that_is_the_default_one_passes_it_on_too() -> None:
    assert WORK.elsewhere(f"{CAME_BACK}other.x1") == (
        "/h%20b/user/ada%2Bx/other/platform-auth/callback?code=a%2Bb&state=other.x1"
    )


@pytest.mark.parametrize("state", [".x1", "../evil.x1", "%2e%2e.x1"])
def test_it_passes_one_on_to_the_server_without_a_name(state: str) -> None:
    assert WORK.elsewhere(f"{CAME_BACK}{state}") == (
        f"/h%20b/user/ada%2Bx/platform-auth/callback?code=a%2Bb&state={state}"
    )


@pytest.mark.parametrize("state", ["x1", "", "work.x1", "/evil.x1", "a/b.x1", "E.x1"])
def test_no_other_state_leads_a_browser_anywhere(state: str) -> None:
    assert WORK.elsewhere(f"{CAME_BACK}{state}") is None


def test_an_answer_with_two_states_is_nobodys() -> None:
    with pytest.raises(CallbackError):
        DEFAULT.elsewhere(f"{CAME_BACK}work.x1&state=other.x1")
