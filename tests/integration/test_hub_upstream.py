"""The Hub's service as user servers have it: one sign-in for all of a person's servers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from harness import hub_page
from harness.environment import program
from harness.hub_example import example
from harness.hub_server import HubServer
from harness.hub_terminal import print_token
from harness.hub_user import HubUser
from harness.lab import Lab
from harness.people import ADA
from harness.person import Person
from harness.polling import wait_until
from harness.ports import free_port
from harness.scripted import ScriptedPerson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.browser import BrowserSession
    from harness.canary import Canary
    from harness.hub import Hub
    from harness.provider import OidcProvider


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub], oidc_process: OidcProvider) -> Hub:
    port = f"127.0.0.1:{free_port()}"
    text = example("jupyterhub_config.py", oidc_process.issuer, {"127.0.0.1:10701": port})
    hub = start_hub(config=text)
    hub.start_server("ada")
    return hub


@pytest.fixture
def callback_url(hub: Hub, oidc: OidcProvider) -> str:
    url = f"{hub.url}services/platform-auth/callback"
    oidc.allow_redirects("notebook", [url])
    return url


@pytest.fixture
def ada(hub: Hub, callback_url: str) -> Iterator[HubUser]:
    with HubUser(hub, "ada") as user:
        user.visit(f"{hub.server_url('ada')}tree")
        user.post("prod", "sign-out")
        yield user


def test_one_sign_in_serves_every_server_of_a_person(
    hub: Hub, ada: HubUser, callback_url: str, oidc: OidcProvider, canary: Callable[[], Canary]
) -> None:
    start = ada.begin_by_service("prod")
    asked = parse_qs(urlsplit(start.headers["location"]).query)
    assert asked["redirect_uri"] == [callback_url]
    with ScriptedPerson() as person:
        page = ada.come_back(person.answer(start.headers["location"]))
    assert (page.status_code, ADA.email in page.text) == (200, True)
    assert ada.session("prod")["signed_in_as"] == ADA.email
    printed = print_token(hub, "ada")
    assert canary().search_text(printed.stdout) == ["access_token"], printed.stderr
    hub.start_server("ada", "work")
    try:
        ada.visit(f"{hub.server_url('ada', 'work')}tree")
        assert ada.session("prod", "work")["signed_in_as"] == ADA.email
    finally:
        hub.stop_server("ada", "work")
    assert [entry["outcome"] for entry in oidc.log("token")] == ["ok"]


def test_a_notebook_the_panel_and_the_administrator_see_the_same_sign_in(
    hub: Hub, ada: HubUser, browser: BrowserSession, oidc: OidcProvider
) -> None:
    server, person = HubServer(hub, "ada"), Person(ADA)
    server.write("login.ipynb", ["%load_ext platform_auth", "%platform_login prod"])
    page, boss = browser.page(), browser.page()
    hub_page.log_in(page, hub, "ada")
    lab = Lab(page, server, "login.ipynb")
    page.locator(".pa-status-button").click()
    panel = page.get_by_role("region", name="Platform connections", exact=True)
    state = panel.get_by_role("status")
    expect(state).to_have_text("Signed out")
    lab.run_cell(0)
    lab.start_cell(1)
    with page.context.expect_page() as opened:
        lab.output(1).get_by_role("link", name="Sign in").click()
    person.sign_in(opened.value)
    expect(opened.value.get_by_role("heading", name="You are signed in")).to_be_visible()
    lab.wait_for_cell(1)
    expect(state).to_contain_text(ADA.email)

    hub_page.log_in(boss, hub, "boss", "services/platform-auth/admin")
    listed = boss.get_by_role("row", name=hub.name("ada"))
    expect(listed).to_contain_text(ADA.email)
    listed.get_by_role("button", name="Sign out").click()
    expect(state).to_have_text("Signed out")

    with page.context.expect_page() as opened:
        panel.get_by_role("link", name="Sign in").click()
    person.sign_in(opened.value)
    expect(opened.value.get_by_role("heading", name="You are signed in")).to_be_visible()
    expect(state).to_contain_text(ADA.email)
    assert [entry["outcome"] for entry in oidc.log("token")] == ["ok", "ok"]


def test_nothing_of_a_sign_in_is_in_a_users_home(
    hub: Hub, ada: HubUser, canary: Callable[[], Canary]
) -> None:
    ada.sign_in_by_service("prod")
    assert print_token(hub, "ada").returncode == 0
    canary().assert_absent(hub.people["ada"].home, hub.log_text(), str(ada.session("prod")))


def test_a_sign_out_holds_on_every_server(hub: Hub, ada: HubUser) -> None:
    ada.sign_in_by_service("prod")
    hub.start_server("ada", "work")
    try:
        ada.visit(f"{hub.server_url('ada', 'work')}tree")
        assert ada.post("prod", "sign-out", server="work").json()["state"] == "signed_out"
        assert ada.session("prod")["state"] == "signed_out"
        ended = wait_until(
            lambda: (run := print_token(hub, "ada")).returncode and run, "no token any more"
        )
        assert (ended.returncode, ended.stdout) == (3, "")
    finally:
        hub.stop_server("ada", "work")


def test_a_server_that_is_started_anew_is_signed_in(hub: Hub, ada: HubUser) -> None:
    ada.sign_in_by_service("prod")
    hub.stop_server("ada")
    hub.start_server("ada")
    ada.visit(f"{hub.server_url('ada')}tree")
    assert ada.session("prod")["signed_in_as"] == ADA.email
    assert print_token(hub, "ada").returncode == 0


def test_a_worker_needs_the_service_and_a_token_of_the_hubs(
    hub: Hub, ada: HubUser, canary: Callable[[], Canary]
) -> None:
    ada.sign_in_by_service("prod")
    scopes = ["access:services!service=platform-auth", "read:users:name!user"]
    worker = {
        "PLATFORM_AUTH_HUB_SERVICE": f"{hub.proxy_origin}{hub.base_url}services/platform-auth/",
        "JUPYTERHUB_API_TOKEN": hub.new_token("ada", scopes),
    }
    command = [program("platform-auth"), "token", "prod"]
    # Any machine and any user may be the worker's: who it is, the token says.
    printed = hub.people["grace"].run(*command, **worker)
    assert canary().search_text(printed.stdout) == ["access_token"], printed.stderr
    other = worker | {"JUPYTERHUB_API_TOKEN": hub.new_token("grace", scopes)}
    assert hub.people["grace"].run(*command, **other).returncode == 3
    page = worker | {"JUPYTERHUB_API_TOKEN": hub.new_token("ada", ["read:users:name!user"])}
    refused = hub.people["grace"].run(*command, **page)
    assert (refused.returncode, refused.stdout) == (1, "")


def test_where_every_user_and_the_service_have_domains_of_their_own(
    start_hub: Callable[..., Hub], oidc: OidcProvider, browser: BrowserSession, person: Person
) -> None:
    port = f"127.0.0.1:{free_port()}"
    text = example("jupyterhub_config.py", oidc.issuer, {"127.0.0.1:10701": port})
    domains = 'c.JupyterHub.subdomain_host = f"http://hub.localhost:{port}"'
    hub = start_hub(users=("ada",), config=f"{domains}\n{text}")
    hub.origin = f"http://hub.localhost:{hub.port}"
    service = f"http://platform-auth--service.hub.localhost:{hub.port}{hub.base_url}"
    oidc.allow_redirects("notebook", [f"{service}services/platform-auth/callback"])
    hub.start_server("ada")
    page = browser.page()
    hub_page.log_in(page, hub, "ada", f"user/{hub.name('ada')}/lab?reset")
    panel = page.get_by_role("region", name="Platform connections", exact=True)
    page.locator(".pa-status-button").click()
    with page.context.expect_page() as opened:
        panel.get_by_role("link", name="Sign in").click()
    # A user's own domain is another site to the service, as that of another user would be.
    opened.value.get_by_role("link", name="Continue to sign in").click()
    person.sign_in(opened.value)
    expect(opened.value.get_by_role("heading", name="You are signed in")).to_be_visible()
    assert opened.value.url.startswith(f"{service}services/platform-auth/callback")
    expect(panel.get_by_role("status")).to_contain_text(ADA.email)
    opened.value.get_by_role("link", name="Back to Jupyter").click()
    opened.value.wait_for_url(f"http://{urlsplit(page.url).netloc}/**/lab/**")
