"""Everything by name, and what the person is told: commands, launcher, settings, notifications."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from harness.accessibility import violations
from harness.broker import broker_client, profile
from harness.people import ADA
from harness.states import VIEW
from harness.told import Told
from harness.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.browser import BrowserSession
    from harness.jupyter import JupyterServer
    from harness.person import Person
    from harness.provider import OidcProvider

SETTINGS = "platform-auth:settings"
FAILED = {
    "state": "failed",
    "error": {
        "code": "access_denied",
        "what": "The sign-in was refused at id.example.com.",
        "why": "It says: consent was not given.",
        "fix": "Sign in again and allow the access.",
        "retryable": False,
    },
}

BOTH = pytest.mark.parametrize("running", ["lab", "notebook"], indirect=True)


@pytest.fixture(scope="module", params=["lab"])
def running(
    request: pytest.FixtureRequest,
    module_jupyter_server_process: Callable[..., JupyterServer],
    oidc_process: OidcProvider,
) -> JupyterServer:
    profiles = {
        name: profile(oidc_process.issuer, f"http://{name}.example.com") for name in ("prod", "dev")
    }
    config = {"profiles": profiles, "default_profile": "prod"}
    return module_jupyter_server_process(app=request.param, config=config)


@pytest.fixture
def server(running: JupyterServer, oidc: OidcProvider) -> Iterator[JupyterServer]:
    oidc.allow_redirects("notebook", [running.callback_url])
    yield running
    broker_client(running).sign_out("prod")


def choose(server: JupyterServer, **choices: Any) -> None:
    """Keep choices as the settings editor does."""
    body = {"raw": json.dumps(choices)}
    server.fetch(f"lab/api/settings/{SETTINGS}", "PUT", json=body).raise_for_status()


@BOTH
def test_the_palette_signs_in_and_out(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    window = Window(browser.page(), server)
    expect(window.status).to_contain_text("prod.example.com")
    with window.page.context.expect_page() as opened:
        window.from_palette("Sign in to prod.example.com")
    person.sign_in(opened.value)
    window.expect_state("signed_in")
    assert ADA.email in (window.status.get_attribute("title") or "")
    window.from_palette("Sign out of prod.example.com")
    window.expect_state("signed_out")
    expect(window.notifications).to_have_count(0)


@BOTH
def test_menu_and_launcher_lead_to_the_connections(
    browser: BrowserSession, server: JupyterServer
) -> None:
    window = Window(browser.page(), server)
    window.page.get_by_role("menuitem", name="View").click()
    window.page.get_by_role("menuitem", name="Platform connections").click()
    expect(window.panel).to_be_visible()
    if server.app == "lab":
        window = Window(browser.page(), server)
        window.page.locator(".jp-LauncherCard", has_text="Platform connections").click()
        expect(window.panel).to_be_visible()


@BOTH
def test_settings_are_followed(browser: BrowserSession, server: JupyterServer) -> None:
    choose(server, statusItem=True, panelSide="right", defaultProfile="dev", notifications=False)
    try:
        window = Window(browser.page(), server)
        expect(window.status).to_contain_text("dev.example.com")
        window.open_panel()
        box = window.panel.bounding_box()
        assert box is not None
        assert box["x"] > 640
        told = Told(window.page, server, VIEW)
        told.say(state="signing_in")
        told.say(**FAILED)
        window.expect_state("failed")
        expect(window.notifications).to_have_count(0)
    finally:
        choose(server)


def test_the_settings_can_be_edited(browser: BrowserSession, server: JupyterServer) -> None:
    window = Window(browser.page(), server)
    try:
        window.command("settingeditor:open", query="Platform connections")
        box = window.page.get_by_label("Show the state")
        expect(box).to_be_checked()
        box.uncheck()
        expect(window.status).to_be_hidden()
    finally:
        choose(server)


@BOTH
def test_a_failure_is_told_once_with_its_fix_and_a_way_on(
    browser: BrowserSession, server: JupyterServer
) -> None:
    window = Window(browser.page(), server)
    window.open_panel()  # so that the state is asked for every other second
    told = Told(window.page, server, VIEW)
    told.say(state="signing_in")
    window.expect_state("signing_in")
    told.say(**FAILED)
    toast = window.notifications
    expect(toast).to_contain_text("Sign in again and allow the access.")
    assert violations(window.page, ".Toastify__toast-body, .jp-toast-button") == []
    told.fall_silent()
    window.expect_state("unreachable")
    told.say(**FAILED)
    window.expect_state("failed")
    expect(toast).to_have_count(1)
    page = window.press_for_page(toast.get_by_role("button", name="Try again"))
    assert "platform-auth/login?profile=prod" in page.url or "localhost" in page.url
    told.say(state="signed_in", signed_in_as=ADA.email, next_refresh=time.time() + 900)
    window.expect_state("signed_in")
    expect(toast).to_have_count(0)


def test_an_end_is_told_ahead_once_and_signing_in_anew_is_offered(
    browser: BrowserSession, server: JupyterServer
) -> None:
    context = browser.context()
    windows = [Window(context.new_page(), server) for _ in range(2)]
    now = time.time()
    ends = {"state": "signed_in", "refreshed_at": now - 3000, "expires_at": now + 200}
    told = [Told(window.page, server, VIEW) for window in windows]
    shown = [window.notifications for window in windows]
    # One after the other: here each takes itself for the one in front, which tells at once.
    told[0].say(**ends)
    expect(shown[0]).to_contain_text("cannot be renewed without you")
    told[1].say(**ends)
    windows[1].expect_state("signed_in")
    told[0].say(**{**ends, "state": "expired"})
    expect(shown[0]).to_contain_text("has ended")
    expect(shown[0]).to_have_count(1)
    told[1].say(**{**ends, "state": "expired"})
    windows[1].expect_state("expired")
    expect(shown[1]).to_have_count(0)
    page = windows[0].press_for_page(shown[0].get_by_role("button", name="Sign in again"))
    assert page.url
