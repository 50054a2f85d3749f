"""The window that a sign-in opens, and the windows of JupyterLab that must agree about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from harness.broker import broker_client, profile
from harness.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page

    from harness.browser import BrowserSession
    from harness.jupyter import JupyterServer
    from harness.person import Person
    from harness.provider import OidcProvider

PLATFORM = "http://flyte.example.com"
SIGN_IN = "platform-auth:sign-in"

BOTH = pytest.mark.parametrize("running", ["lab", "notebook"], indirect=True)


@pytest.fixture(scope="module", params=["lab"])
def running(
    request: pytest.FixtureRequest,
    module_jupyter_server_process: Callable[..., JupyterServer],
    oidc_process: OidcProvider,
) -> JupyterServer:
    profiles = {"prod": profile(oidc_process.issuer, PLATFORM)}
    config = {"profiles": profiles, "default_profile": "prod"}
    return module_jupyter_server_process(app=request.param, config=config)


@pytest.fixture
def server(running: JupyterServer, oidc: OidcProvider) -> Iterator[JupyterServer]:
    # Pages that cut every tie to the window that opened them, as the large providers' do.
    oidc.settings(coop="same-origin")
    oidc.allow_redirects("notebook", [running.callback_url])
    yield running
    broker_client(running).sign_out("prod")


def link(window: Window) -> Locator:
    return window.row("flyte.example.com").get_by_role("link", name="Sign in")


def begin(window: Window) -> Page:
    """Open the panel, press *Sign in*, and return the page that opens."""
    window.open_panel()
    return window.press_for_page(link(window))


@BOTH
def test_signing_in_takes_one_click_and_a_small_window(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    window = Window(browser.context(self_closing=True).new_page(), server)
    opened = begin(window)
    assert opened.evaluate("() => [window.opener, window.outerWidth < 600]") == [None, True]
    # The provider has cut the tie: that the window seems closed says nothing.
    window.expect_state("signing_in")
    person.sign_in(opened)
    window.expect_state("signed_in")
    expect(window.notifications).to_have_count(0)
    if not opened.is_closed():
        opened.wait_for_event("close")


def test_a_tab_opens_where_windows_are_blocked(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    window = Window(browser.page(popups=False), server)
    person.sign_in(begin(window))
    window.expect_state("signed_in")


@BOTH
def test_a_blocked_command_says_so_and_shows_the_link(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    window = Window(browser.page(popups=False), server)
    window.command(SIGN_IN, clicked=False)
    expect(window.notifications).to_contain_text("The browser has blocked the sign-in window")
    expect(link(window)).to_be_visible()
    person.sign_in(window.press_for_page(link(window)))
    window.expect_state("signed_in")


def test_a_window_closed_half_way_is_opened_again(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    window = Window(browser.page(), server)
    begin(window).close()
    window.expect_state("signing_in")
    person.sign_in(window.press_for_page(link(window)))
    window.expect_state("signed_in")


def test_a_window_closed_half_way_is_called_off(
    browser: BrowserSession, server: JupyterServer
) -> None:
    window = Window(browser.page(), server)
    begin(window).close()
    window.panel.get_by_role("button", name="Cancel").click()
    window.expect_state("signed_out")
    assert broker_client(server).session("prod")["state"] == "signed_out"
    expect(window.notifications).to_have_count(0)


@BOTH
def test_all_windows_agree(browser: BrowserSession, person: Person, server: JupyterServer) -> None:
    context = browser.context()
    here, there = (Window(context.new_page(), server) for _ in range(2))
    elsewhere = Window(browser.page(), server)
    person.sign_in(begin(here))
    for window in (here, there, elsewhere):
        window.expect_state("signed_in")
    here.row("flyte.example.com").get_by_role("button", name="Sign out").click()
    for window in (here, there, elsewhere):
        window.expect_state("signed_out")
    # Whoever has signed out knows it; another browser may be another person's desk.
    expect(elsewhere.notifications).to_contain_text("You were signed out of flyte.example.com")
    expect(elsewhere.notifications).to_have_count(1)
    expect(here.notifications).to_have_count(0)
    expect(there.notifications).to_have_count(0)


def test_windows_agree_without_events(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    page = browser.page()
    page.route_web_socket("**/api/events/subscribe*", lambda socket: socket.close())
    there, here = Window(page, server), Window(browser.page(), server)
    there.open_panel()
    person.sign_in(begin(here))
    there.expect_state("signed_in")


def test_a_server_that_starts_anew_meanwhile_has_it_begun_again(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    window = Window(browser.page(), server)
    opened = begin(window)
    window.expect_state("signing_in")
    server.restart()
    expect(window.notifications.get_by_text("begin the sign-in to")).to_be_visible()
    person.sign_in(opened)
    expect(opened.get_by_role("heading", name="Start again")).to_be_visible()
    dialog = window.page.locator(".jp-Dialog")
    if dialog.is_visible():  # Jupyter's own, about its server
        dialog.get_by_role("button", name="Close").click()
    again = window.notifications.get_by_role("button", name="Sign in")
    person.sign_in(window.press_for_page(again))
    window.expect_state("signed_in")
    expect(window.notifications).to_have_count(0)
