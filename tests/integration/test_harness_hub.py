"""The Hub that other tests stand on: real users, apart from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import hub_page
from harness.hub_user import HubUser

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.browser import BrowserSession
    from harness.hub import Hub


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub]) -> Hub:
    hub = start_hub()
    hub.start_server("grace")
    return hub


def test_a_server_runs_as_its_user_and_is_reached_through_the_proxy(hub: Hub) -> None:
    assert hub.people["grace"].processes()
    assert "%2B" in hub.server_url("grace")
    with HubUser(hub, "grace") as grace:
        assert grace.visit(f"{hub.server_url('grace')}tree").status_code == 200
        assert grace.call("GET", "api/status").json()["started"]


def test_users_are_apart(hub: Hub) -> None:
    assert hub.people["ada"].run("ls", str(hub.people["grace"].home)).returncode
    assert not hub.people["grace"].run("ls", str(hub.people["grace"].home)).returncode
    with HubUser(hub, "ada") as ada:
        assert ada.visit(f"{hub.server_url('grace')}tree").status_code == 403


def test_the_administrator_logs_in_with_a_browser(hub: Hub, browser: BrowserSession) -> None:
    page = browser.page()
    hub_page.log_in(page, hub, "boss", "hub/admin")
    page.get_by_role("button", name="Add Users").wait_for()
