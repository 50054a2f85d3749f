"""The main job: ``%platform_login`` in a real JupyterLab, signed in to in a real browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from harness.broker import broker_client, profile
from harness.lab import Lab
from harness.people import ADA
from platform_auth.errors import PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from harness.browser import BrowserSession
    from harness.canary import Canary
    from harness.jupyter import JupyterServer
    from harness.person import Person
    from harness.platform import Platform
    from harness.provider import OidcProvider

CELLS = [
    "%load_ext platform_auth",
    "%platform_login prod",
    "print([p['id'] for p in client.get('/api/v1/projects').json()['projects']])",
]
ONE_BY_ONE, ALL_AT_ONCE, DENIED = "one.ipynb", "all.ipynb", "denied.ipynb"
SIGNED_IN = f"Signed in as {ADA.email}"


@pytest.fixture(params=["lab", "notebook"])
def server(
    request: pytest.FixtureRequest,
    jupyter_server_process: Callable[..., JupyterServer],
    oidc: OidcProvider,
    platform: Platform,
) -> JupyterServer:
    # Pages that cut every tie to the window that opened them, as the large providers' do.
    oidc.settings(coop="same-origin")
    server = jupyter_server_process(
        app=request.param,
        config={"profiles": {"prod": profile(oidc.issuer, platform.url)}},
        notebooks=dict.fromkeys([ONE_BY_ONE, ALL_AT_ONCE, DENIED], CELLS),
    )
    oidc.allow_redirects("notebook", [server.callback_url])
    return server


def sign_in_link(lab: Lab, cell: int = 1) -> Page:
    """Press *Sign in* and return the page that opens."""
    with lab.page.context.expect_page() as opened:
        lab.output(cell).get_by_role("link", name="Sign in").click()
    return opened.value


def test_sign_in_from_a_cell(
    browser: BrowserSession,
    person: Person,
    server: JupyterServer,
    canary: Callable[[], Canary],
    platform: Platform,
) -> None:
    lab = Lab(browser.page(), server, ONE_BY_ONE)
    lab.run_cell(0)
    lab.start_cell(1)
    person.sign_in(sign_in_link(lab))
    lab.wait_for_cell(1)
    expect(lab.output(1).get_by_text(SIGNED_IN)).to_be_visible()
    assert "flytesnacks" in lab.run_cell(2)
    # A restarted kernel has lost its client, not its person.
    lab.restart_kernel()
    lab.run_cell(0)
    lab.run_cell(1)
    assert "flytesnacks" in lab.run_cell(2)
    assert [status for _path, status in platform.requests] == [200, 200]
    saved = json.dumps(lab.save())
    canary().assert_absent(saved, server.log_text(), server.home, server.root)


def test_run_all_waits_for_the_person(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    lab = Lab(browser.page(), server, ALL_AT_ONCE)
    lab.run_all()
    person.sign_in(sign_in_link(lab))
    lab.wait_for_cell(2)
    assert "flytesnacks" in lab.text(2)


def test_a_reloaded_page_still_signs_in(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    lab = Lab(browser.page(), server, ONE_BY_ONE)
    lab.run_cell(0)
    lab.start_cell(1)
    expect(lab.output(1).get_by_role("link", name="Sign in")).to_be_visible()
    lab.save()
    lab.reload()
    person.sign_in(sign_in_link(lab))
    expect(lab.output(1).get_by_text(SIGNED_IN)).to_be_visible()
    lab.wait_for_kernel()
    assert "flytesnacks" in lab.run_cell(2)


def test_a_denial_stops_run_all(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    lab = Lab(browser.page(), server, DENIED)
    lab.run_all()
    page = sign_in_link(lab)
    person.deny(page)
    lab.wait_for_cell(1)
    [error] = [output for output in lab.outputs(1) if output["output_type"] == "error"]
    assert error["ename"] == "AccessDeniedError"
    assert "Traceback" not in "\n".join(error["traceback"])
    assert lab.outputs(2) == []
    assert "NameError" not in lab.text(2)


def test_an_interrupt_calls_the_sign_in_off(browser: BrowserSession, server: JupyterServer) -> None:
    lab = Lab(browser.page(), server, ONE_BY_ONE)
    lab.run_cell(0)
    lab.start_cell(1)
    expect(lab.output(1).get_by_role("link", name="Sign in")).to_be_visible()
    lab.interrupt()
    lab.wait_for_kernel()
    assert broker_client(server).session("prod")["state"] == "signed_out"


def test_signing_in_needs_no_pop_up(
    browser: BrowserSession, person: Person, server: JupyterServer
) -> None:
    lab = Lab(browser.page(popups=False), server, ONE_BY_ONE)
    lab.run_cell(0)
    lab.start_cell(1)
    person.sign_in(sign_in_link(lab))
    lab.wait_for_cell(1)
    assert "flytesnacks" in lab.run_cell(2)


def test_a_stranger_program_learns_nothing(server: JupyterServer) -> None:
    client = broker_client(server)
    client._channel.token_file = "/dev/null"
    with pytest.raises(PlatformAuthError, match="does not know"):
        client.session("prod")
