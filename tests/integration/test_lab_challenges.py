"""Signing in with a code and with a pasted address, and signing out, in a real browser."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from harness.accessibility import violations
from harness.broker import broker_client, profile
from harness.lab import Lab
from harness.people import ADA
from harness.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from harness.browser import BrowserSession
    from harness.canary import Canary
    from harness.jupyter import JupyterServer
    from harness.person import Person
    from harness.platform import Platform
    from harness.provider import OidcProvider

PASTED = "http://localhost:53593/callback"
CELLS = [
    "%load_ext platform_auth",
    "%platform_login {profile}",
    "print([p['id'] for p in client.get('/api/v1/projects').json()['projects']])",
    "import threading; print(sorted(each.name for each in threading.enumerate()))",
]
# A browser that has come through a proxy is on another machine: no listener here could help it.
ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}
SIGNED_IN = f"Signed in as {ADA.email}"
FIELD = "Paste the address of the page your browser ended on"


def notebook(name: str) -> list[str]:
    return [cell.format(profile=name) for cell in CELLS]


def profiles(oidc: OidcProvider, platform: Platform) -> dict[str, Any]:
    usual = profile(oidc.issuer, platform.url)
    device = {**usual, "admin": {**usual["admin"], "authType": "DeviceFlow"}}
    paste = profile(oidc.issuer, platform.url, redirect="paste", redirect_uri=PASTED)
    return {"prod": usual, "device": device, "paste": paste}


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
    names = ("prod", "device", "paste")
    server = jupyter_server_process(
        app=request.param,
        config={"profiles": profiles(oidc, platform), "default_profile": "prod"},
        notebooks={f"{name}.ipynb": notebook(name) for name in names},
    )
    oidc.allow_redirects("notebook", [server.callback_url, PASTED])
    return server


def waiting(browser: BrowserSession, server: JupyterServer, name: str, **options: Any) -> Lab:
    """Return a notebook whose second cell waits for a sign-in."""
    lab = Lab(browser.page(**options), server, f"{name}.ipynb")
    lab.run_cell(0)
    lab.start_cell(1)
    return lab


def follow(page: Page, link: Locator) -> Page:
    """Press a link and return the page that opens."""
    with page.context.expect_page() as opened:
        link.click()
    return opened.value


def end_of_the_way(page: Page, person: Person) -> str:
    """Sign in, and return the address of the page that cannot be reached."""
    with page.expect_request(lambda request: request.url.startswith(PASTED)) as asked:
        person.sign_in(page)
    return asked.value.url


@pytest.mark.parametrize("server", ["lab", "notebook"], indirect=True)
def test_a_code_is_entered_on_the_page_that_opens(
    browser: BrowserSession,
    person: Person,
    server: JupyterServer,
    oidc: OidcProvider,
    canary: Callable[[], Canary],
) -> None:
    lab = waiting(browser, server, "device", permissions=["clipboard-read", "clipboard-write"])
    card = lab.output(1)
    expect(card.get_by_role("timer")).to_have_text(re.compile(r"good for [45]:\d\d\.$"))
    expect(card.get_by_text("Enter this code at localhost")).to_be_visible()
    code = card.locator(".pa-login-code").inner_text()
    card.get_by_role("button", name="Copy").click()
    expect(card.get_by_role("button", name="Copied")).to_be_visible()
    assert lab.page.evaluate("() => navigator.clipboard.readText()") == code
    # The kernel waits; the page may be loaded anew.
    lab.save()
    lab.reload()
    expect(card.locator(".pa-login-code")).to_have_text(code)
    page = follow(lab.page, card.get_by_role("link", name="Sign in at localhost"))
    expect(page.get_by_text(code)).to_be_visible()
    person.enter_code(page)
    expect(card.get_by_text(SIGNED_IN)).to_be_visible()
    lab.wait_for_kernel()
    assert "flytesnacks" in lab.run_cell(2)
    saved = json.dumps(lab.save())
    canary().assert_absent(saved, server.log_text(), server.home, server.root)
    assert oidc.log("token", outcome="ok")


def test_an_address_is_pasted_where_nobody_listens(
    browser: BrowserSession,
    person: Person,
    server: JupyterServer,
    canary: Callable[[], Canary],
) -> None:
    lab = waiting(browser, server, "paste", extra_http_headers=ELSEWHERE)
    card = lab.output(1)
    field = card.get_by_label(FIELD)
    page = follow(lab.page, card.get_by_role("link", name="Sign in at localhost"))
    address = end_of_the_way(page, person)
    # Not the whole of it, as happens: it is said, and nothing is used up.
    field.fill(address.partition("&state")[0])
    card.get_by_role("button", name="Finish").click()
    expect(card.get_by_role("alert")).to_contain_text("belongs to no sign-in")
    field.fill(f" {address} ")
    field.press("Enter")
    lab.wait_for_cell(1)
    expect(card.get_by_text(SIGNED_IN)).to_be_visible()
    assert "flytesnacks" in lab.run_cell(2)
    saved = json.dumps(lab.save())
    canary().assert_absent(saved, server.log_text(), server.home, server.root)


def test_the_servers_own_page_takes_an_address_where_there_is_no_extension(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    page = browser.page(extra_http_headers=ELSEWHERE)
    page.goto(server.page_url())
    page.goto(f"{server.url}platform-auth/login?profile=paste")
    assert violations(page, "main") == []
    there = follow(page, page.get_by_role("link", name="Sign in at localhost"))
    address = end_of_the_way(there, person)
    page.get_by_label(FIELD).fill("https://example.com/")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label(FIELD).fill(address)
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    assert broker_client(server).session("paste")["signed_in_as"] == ADA.email


def test_an_interrupt_leaves_nobody_asking(
    browser: BrowserSession, server: JupyterServer, oidc: OidcProvider
) -> None:
    """Not even where the provider holds the answer to the last question."""
    lab = Lab(browser.page(), server, "device.ipynb")
    lab.run_cell(0)
    before = lab.run_cell(3)
    oidc.fault("hold", endpoint="token")
    lab.start_cell(1)
    expect(lab.output(1).locator(".pa-login-code")).to_be_visible()
    oidc.wait_for_held()
    lab.interrupt()
    wait_until(
        lambda: broker_client(server).session("device")["state"] == "signed_out", "the interrupt"
    )
    ended = 'platform_auth_sign_ins_total{result="cancelled"} 1.0'
    wait_until(lambda: ended in server.fetch("metrics").text, "the end of the poller", within=1)
    lab.wait_for_kernel()
    assert lab.run_cell(3) == before
    oidc.release()
    assert len(oidc.log("token")) <= 1


def test_signing_out_reaches_the_provider_too(
    browser: BrowserSession, person: Person, server: JupyterServer, oidc: OidcProvider
) -> None:
    lab = waiting(browser, server, "prod")
    person.sign_in(follow(lab.page, lab.output(1).get_by_role("link", name="Sign in")))
    lab.wait_for_cell(1)
    lab.page.locator(".pa-status-button").click()
    row = lab.page.locator(".pa-connection .pa-login").filter(has_text="prod")
    row.get_by_role("button", name="Sign out").click()
    page = follow(lab.page, row.get_by_role("link", name="Also sign out at localhost"))
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    assert [each["client_id"] for each in oidc.log("end_session")][:1] == ["notebook"]
    revoked = [each["outcome"] for each in oidc.log("revocation")]
    assert revoked[0] == "ok"
    # The provider does not know the person any more: it asks who they are.
    again = follow(lab.page, row.get_by_role("link", name="Sign in"))
    expect(again.get_by_label("Account")).to_be_visible()
    expect(row.get_by_role("link", name="Also sign out")).to_have_count(0)
