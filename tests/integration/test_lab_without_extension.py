"""The login display and the widget alone: our lab extension is switched off, in both front ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from harness.accessibility import violations
from harness.broker import broker_client, profile
from harness.lab import Lab
from harness.people import ADA
from harness.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page

    from harness.browser import BrowserSession
    from harness.canary import Canary
    from harness.jupyter import JupyterServer
    from harness.person import Person
    from harness.provider import OidcProvider

PASTED = "http://localhost:53593/callback"
PROJECTS = "print([p['id'] for p in client.get('/api/v1/projects').json()['projects']])"
NAMES = ("prod", "device", "paste")
NOTEBOOKS = {
    f"{name}.ipynb": ["%load_ext platform_auth", f"%platform_login {name}", PROJECTS]
    for name in NAMES
} | {"widget.ipynb": ["%load_ext platform_auth", "%platform_login", PROJECTS]}
# A browser that has come through a proxy is on another machine: no listener here could help it.
ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}
SIGNED_IN = f"Signed in as {ADA.email}"
FIELD = "Paste the address of the page your browser ended on"


@pytest.fixture(scope="module", params=["lab", "notebook"])
def running(
    request: pytest.FixtureRequest,
    module_jupyter_server_process: Callable[..., JupyterServer],
    oidc_process: OidcProvider,
) -> Iterator[JupyterServer]:
    issuer = oidc_process.issuer
    with Platform(issuer, oidc_process.audience) as platform:
        usual = profile(issuer, platform.url)
        device = {**usual, "admin": {**usual["admin"], "authType": "DeviceFlow"}}
        paste = profile(issuer, platform.url, redirect="paste", redirect_uri=PASTED)
        yield module_jupyter_server_process(
            app=request.param,
            config={"profiles": {"prod": usual, "device": device, "paste": paste}},
            notebooks=NOTEBOOKS,
            labextension=False,
        )


@pytest.fixture
def server(running: JupyterServer, oidc: OidcProvider) -> JupyterServer:
    """Return it with nobody signed in."""
    oidc.settings(coop="same-origin")
    # The provider would have us wait five seconds between two questions.
    oidc.fault("patch", endpoint="device_authorization", count=9, set={"interval": 1})
    oidc.allow_redirects("notebook", [running.callback_url, PASTED])
    for name in NAMES:
        broker_client(running).sign_out(name)
    return running


def opened(browser: BrowserSession, server: JupyterServer, name: str, **options: Any) -> Lab:
    """Return a notebook whose second cell has been started."""
    lab = Lab(browser.page(**options), server, f"{name}.ipynb")
    assert lab.page.locator(".pa-status-button").count() == 0
    lab.run_cell(0)
    lab.start_cell(1)
    return lab


def follow(page: Page, link: Locator) -> Page:
    """Press a link and return the page that opens."""
    with page.context.expect_page() as there:
        link.click()
    return there.value


def well_made(lab: Lab) -> None:
    """Let everybody use what the cell shows."""
    assert violations(lab.page, ".jp-OutputArea") == []


def done(lab: Lab) -> None:
    """See that the cell ends with a client that works."""
    lab.wait_for_cell(1)
    expect(lab.output(1).get_by_text(SIGNED_IN)).to_be_visible()
    well_made(lab)
    assert "flytesnacks" in lab.run_cell(2)


def test_a_cell_waits_for_a_browser(
    browser: BrowserSession,
    person: Person,
    server: JupyterServer,
    canary: Callable[[], Canary],
) -> None:
    lab = opened(browser, server, "prod")
    link = lab.output(1).get_by_role("link", name="Sign in")
    expect(link).to_be_visible()
    well_made(lab)
    person.deny(follow(lab.page, link))
    lab.wait_for_cell(1)
    expect(lab.output(1).get_by_text("Sign-in failed")).to_be_visible()
    assert "AccessDeniedError" in {each.get("ename") for each in lab.outputs(1)}
    well_made(lab)
    lab.start_cell(1)
    person.sign_in(follow(lab.page, link))
    done(lab)
    saved = json.dumps(lab.save())
    canary().assert_absent(saved, server.log_text(), server.home, server.root)


def test_a_cell_shows_a_code(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    lab = opened(browser, server, "device")
    card = lab.output(1)
    expect(card.locator(".pa-login-code")).to_be_visible()
    # Drawings outlive the cleaning of HTML, so a QR code would, too; a localhost address gets none.
    expect(card.locator(".pa-login-glyph svg path").first).to_be_visible()
    well_made(lab)
    person.enter_code(follow(lab.page, card.get_by_role("link", name="Sign in at localhost")))
    done(lab)


def test_a_page_of_the_server_takes_an_address(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    lab = opened(browser, server, "paste", extra_http_headers=ELSEWHERE)
    well_made(lab)
    field_page = follow(lab.page, lab.output(1).get_by_role("link", name="Sign in"))
    there = follow(field_page, field_page.get_by_role("link", name="Sign in at localhost"))
    with there.expect_request(lambda request: request.url.startswith(PASTED)) as asked:
        person.sign_in(there)
    field_page.get_by_label(FIELD).fill(asked.value.url)
    field_page.get_by_role("button", name="Finish").click()
    done(lab)


def test_the_widget_is_a_list_to_pick_from(
    browser: BrowserSession,
    person: Person,
    server: JupyterServer,
    canary: Callable[[], Canary],
) -> None:
    lab = opened(browser, server, "widget")
    lab.wait_for_cell(1)
    rows = {name: lab.output(1).locator(".pa-row").filter(has_text=name) for name in NAMES}
    for row in rows.values():
        expect(row).to_contain_text("Signed out")
    well_made(lab)
    # One that fails says why, and may be tried again.
    person.deny(follow(lab.page, rows["prod"].get_by_role("link", name="Sign in")))
    expect(rows["prod"]).to_contain_text("Sign-in failed")
    expect(rows["prod"]).to_contain_text("denied")
    well_made(lab)
    # A code.
    device_page = follow(lab.page, rows["device"].get_by_role("link", name="Sign in"))
    code = rows["device"].locator(".pa-login-code")
    expect(code).to_be_visible()
    expect(device_page.get_by_text(code.inner_text())).to_be_visible()
    well_made(lab)
    link = rows["device"].get_by_role("link", name="Sign in at localhost")
    person.enter_code(follow(lab.page, link))
    expect(rows["device"]).to_contain_text(SIGNED_IN)
    expect(rows["device"]).to_contain_text("client is ready")
    assert "flytesnacks" in lab.run_cell(2)
    person.sign_in(follow(lab.page, rows["prod"].get_by_role("link", name="Sign in")))
    expect(rows["prod"]).to_contain_text(SIGNED_IN)
    well_made(lab)
    rows["device"].get_by_role("button", name="Sign out").click()
    expect(rows["device"]).to_contain_text("Signed out")
    saved = json.dumps(lab.save())
    canary().assert_absent(saved, server.log_text(), server.home, server.root)
