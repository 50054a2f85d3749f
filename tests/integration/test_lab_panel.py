"""The side panel: how a person stands with their platforms, and the way into their notebook."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from harness.broker import profile
from harness.lab import Lab
from harness.people import ADA
from harness.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from harness.browser import BrowserSession
    from harness.canary import Canary
    from harness.jupyter import JupyterServer
    from harness.person import Person
    from harness.platform import Platform
    from harness.provider import OidcProvider

NOTEBOOK = "work.ipynb"
NOT_INSTALLED = """
import sys
class Without:
    def find_spec(self, name, *_):
        if name == "platform_auth":
            raise ModuleNotFoundError("No module named 'platform_auth'")
sys.meta_path.insert(0, Without())
"""
CELLS = [
    "print([p['id'] for p in client.get('/api/v1/projects').json()['projects']])",
    NOT_INSTALLED,
]
PASTED = "http://localhost:53593/callback"
FIELD = "Paste the address of the page your browser ended on"
# A browser that has come through a proxy is on another machine: no listener here could help it.
ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}
CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture(params=["lab"])
def server(
    request: pytest.FixtureRequest,
    jupyter_server_process: Callable[..., JupyterServer],
    oidc: OidcProvider,
    platform: Platform,
) -> JupyterServer:
    oidc.settings(coop="same-origin")
    # The provider would have us wait five seconds between two questions.
    oidc.fault("patch", endpoint="device_authorization", count=9, set={"interval": 1})
    usual = profile(oidc.issuer, platform.url)
    device = {**usual, "admin": {**usual["admin"], "authType": "DeviceFlow"}}
    paste = profile(oidc.issuer, platform.url, redirect="paste", redirect_uri=PASTED)
    server = jupyter_server_process(
        app=request.param,
        config={
            "profiles": {"prod": usual, "device": device, "paste": paste},
            "default_profile": "prod",
        },
        notebooks={NOTEBOOK: CELLS},
    )
    oidc.allow_redirects("notebook", [server.callback_url, PASTED])
    return server


class Panel:
    """The panel beside a notebook.

    Parameters
    ----------
    page
        Where the notebook is open.

    """

    def __init__(self, page: Page) -> None:
        self.page = page
        page.locator(".pa-status-button").click()
        self.node = page.get_by_role("region", name="Platform connections", exact=True)
        expect(self.node).to_be_visible()

    def row(self, name: str) -> Locator:
        """Return a profile's card."""
        badge = self.page.locator(".pa-login-profile").get_by_text(name, exact=True)
        return self.node.locator(".pa-connection").filter(has=badge)

    def begin(self, name: str) -> Page:
        """Press *Sign in*, and return the page that opens."""
        with self.page.context.expect_page() as opened:
            self.row(name).get_by_role("link", name="Sign in").click()
        return opened.value


def press(row: Locator, name: str) -> Locator:
    """Press one of a row's tools, and return what is said of it."""
    row.get_by_role("button", name=name).click()
    return row.locator(".pa-note")


@pytest.mark.parametrize("server", ["lab", "notebook"], indirect=True)
def test_from_signing_in_to_a_client_in_the_notebook(
    browser: BrowserSession,
    person: Person,
    server: JupyterServer,
    platform: Platform,
    canary: Callable[[], Canary],
) -> None:
    lab = Lab(browser.page(permissions=CLIPBOARD), server, NOTEBOOK)
    panel = Panel(lab.page)
    row = panel.row("prod")
    for fact in ("default", "Browser", "Administrator"):
        expect(row.locator(".pa-meta")).to_contain_text(fact)
    person.sign_in(panel.begin("prod"))
    expect(row).to_contain_text(f"Signed in as {ADA.email}")
    expect(row.locator(".pa-left")).to_have_text(re.compile(r"^\d+ min left, renewed automatic"))
    at_a_glance = lab.page.locator(".pa-status-button")
    expect(at_a_glance).to_contain_text(re.compile(rf"{ADA.email} · \d+ min"))
    # Into the kernel that runs, without a cell.
    note = press(row, "Use in notebook")
    expect(note).to_contain_text("client is ready")
    assert "flytesnacks" in lab.run_cell(0)
    # As a cell, which is below the selected one, and selected now.
    press(row, "Insert cell")
    expect(note).to_contain_text("Inserted into work")
    assert "client is ready" in lab.run_cell(2)
    expect(press(row, "Copy code")).to_contain_text("Copied")
    copied = lab.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == "%load_ext platform_auth\n%platform_login prod"
    row.get_by_role("button", name="Details").click()
    details = row.get_by_role("region", name="Details")
    for fact in (platform.url, "Browser", "Administrator", "Scopesapi", "Encrypted"):
        expect(details).to_contain_text(fact)
    expect(details.get_by_role("listitem").first).to_contain_text(f"Signed in as {ADA.email}")
    row.get_by_role("button", name="Sign out").click()
    expect(row).to_contain_text("Signed out")
    expect(at_a_glance).to_contain_text("signed out")
    expect(details.get_by_role("listitem").first).to_contain_text("Signed out")
    saved = json.dumps(lab.save())
    canary().assert_absent(saved, lab.page.content(), server.log_text(), server.home, server.root)


def test_a_client_in_the_kernel_waits_for_nobody(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    lab = Lab(browser.page(), server, NOTEBOOK)
    panel = Panel(lab.page)
    row = panel.row("prod")
    expect(press(row, "Use in notebook")).to_contain_text("as soon as you have signed in")
    expect(row).to_contain_text("Waiting for you to sign in")
    person.sign_in(panel.begin("prod"))
    expect(row).to_contain_text("Signed in as")
    assert "flytesnacks" in lab.run_cell(0)


def test_what_cannot_be_done_in_a_notebook_is_said_with_what_to_do(
    browser: BrowserSession, server: JupyterServer
) -> None:
    window = Window(browser.page(), server)
    note = press(Panel(window.page).row("prod"), "Use in notebook")
    expect(note).to_have_text("No notebook is open. Open one, then try again.")
    lab = Lab(browser.page(), server, NOTEBOOK)
    row = Panel(lab.page).row("prod")
    lab.run_cell(1)
    note = press(row, "Use in notebook")
    expect(note).to_contain_text("platform-auth is not installed where the kernel of work")
    lab.command("kernelmenu:shutdown")
    lab.page.wait_for_function(
        "() => !window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel"
    )
    note = press(row, "Use in notebook")
    expect(note).to_contain_text("has no running kernel")


def test_a_code_has_its_time(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    page = browser.page()
    Window(page, server)
    panel = Panel(page)
    row = panel.row("device")
    opened = panel.begin("device")
    expect(row.get_by_role("timer")).to_have_text(re.compile(r"good for \d:\d\d\.$"))
    code = row.locator(".pa-login-code").inner_text()
    expect(page.locator(".pa-status-button")).to_contain_text("signing in")
    there = follow(page, row.get_by_role("link", name="Sign in at localhost"))
    expect(there.get_by_text(code)).to_be_visible()
    person.enter_code(there)
    opened.close()
    expect(row).to_contain_text(f"Signed in as {ADA.email}")


def test_an_address_is_pasted_into_the_panel(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    page = browser.page(extra_http_headers=ELSEWHERE)
    Window(page, server)
    panel = Panel(page)
    row = panel.row("paste")
    panel.begin("paste").close()
    field = row.get_by_label(FIELD)
    there = follow(page, row.get_by_role("link", name="Sign in at localhost"))
    with there.expect_request(lambda request: request.url.startswith(PASTED)) as asked:
        person.sign_in(there)
    field.fill("https://example.com/")
    row.get_by_role("button", name="Finish").click()
    expect(row.get_by_role("alert")).to_be_visible()
    field.fill(asked.value.url)
    field.press("Enter")
    expect(row).to_contain_text(f"Signed in as {ADA.email}")


def test_a_sign_in_that_failed_says_why_and_starts_anew(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    page = browser.page()
    Window(page, server)
    panel = Panel(page)
    person.deny(panel.begin("prod"))
    row = panel.row("prod")
    expect(row).to_contain_text("Sign-in failed")
    expect(row).to_contain_text("Sign in again")
    expect(page.locator(".pa-status-button")).to_contain_text("needs you")
    person.sign_in(panel.begin("prod"))
    expect(row).to_contain_text(f"Signed in as {ADA.email}")


def follow(page: Page, link: Any) -> Page:
    """Press a link and return the page that opens."""
    with page.context.expect_page() as opened:
        link.click()
    return opened.value
