"""A person at a Hub in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from harness.hub import Hub


def log_in(page: Page, hub: Hub, person: str = "ada", path: str = "hub/home") -> None:
    """Open a page of the Hub's (or of a service or server below it), and log in on the way.

    Parameters
    ----------
    page
        A page in a context that has not been here.
    hub
        The Hub.
    person
        The beginning of the name they log in with: ``ada``, or ``boss`` for the administrator.
    path
        Where they are then, below the Hub's address.

    """
    hub.wait_until_reachable()
    page.goto(f"{hub.url}{path}")
    page.get_by_label("Username").fill(hub.name(person))
    page.get_by_label("Password").fill("any")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Password")).to_be_hidden()
