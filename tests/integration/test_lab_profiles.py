"""A platform is added from its endpoint alone, and one's own profiles are changed and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from harness.accessibility import violations
from harness.broker import profile
from harness.flyte_platform import FlytePlatform
from harness.lab import Lab
from harness.people import ADA
from harness.polling import wait_until
from harness.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page

    from harness.browser import BrowserSession
    from harness.jupyter import JupyterServer
    from harness.person import Person
    from harness.provider import OidcProvider

NOTEBOOK = "work.ipynb"
DIALOG = ".jp-Dialog"
MINE = "# Mine.\nprofiles:\n  # As it was.\n  old: {admin: {endpoint: old.example.com}}\n"


@pytest.fixture
def server(
    request: pytest.FixtureRequest,
    jupyter_server_process: Callable[..., JupyterServer],
    oidc: OidcProvider,
) -> JupyterServer:
    company = profile(oidc.issuer, "https://company.example.com")
    server = jupyter_server_process(
        app=getattr(request, "param", "lab"),
        config={
            "profiles": {"company": company},
            "allowed_endpoints": ["localhost", "*.example.com"],
        },
        notebooks={NOTEBOOK: ["1 + 1"]},
    )
    oidc.register(
        "flytectl",
        client_name="Flyte",
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=[server.callback_url],
        response_types=["code"],
        grant_types=["authorization_code", "refresh_token"],
    )
    return server


@pytest.fixture
def start(oidc: OidcProvider, server: JupyterServer) -> Iterator[Callable[..., FlytePlatform]]:
    """Start platforms that say who their provider is (RFC 9728)."""
    client = {
        "redirect_uri": server.callback_url,
        "scopes": ["openid", "email", "offline_access", "api"],
    }
    running: list[FlytePlatform] = []

    def start(*speaks: str) -> FlytePlatform:
        verifier = Verifier(oidc.issuer, oidc.audience)
        said = {"issuer": oidc.issuer, "token_endpoint": f"{oidc.issuer}/token"}
        running.append(FlytePlatform(verifier, said, client, speaks=speaks))
        return running[-1]

    yield start
    for platform in running:
        platform.__exit__(None, None, None)


def dialog(page: Page, title: str) -> Locator:
    """Return the dialog of that title, once it is there."""
    found = page.locator(DIALOG).filter(has=page.locator(".jp-Dialog-header", has_text=title))
    expect(found).to_be_visible()
    return found


def press(shown: Locator, name: str) -> None:
    shown.get_by_role("button", name=name, exact=True).click()


def opened(browser: BrowserSession, server: JupyterServer, **options: Any) -> Lab:
    """Open the notebook in a window in which a whole form has its place."""
    return Lab(browser.page(viewport={"width": 1280, "height": 1400}, **options), server, NOTEBOOK)


def gone(page: Page) -> None:
    expect(page.locator(DIALOG)).to_have_count(0)


def facts(shown: Locator) -> dict[str, tuple[str, str]]:
    """Return what was found: its value, and who says so."""
    expect(shown.get_by_role("table", name="What was found")).to_be_visible()
    rows = [row.locator("th, td").all_inner_texts() for row in shown.locator("tbody tr").all()]
    return {what: (value, source) for what, value, source in rows}


def own_file(server: JupyterServer) -> str:
    path = server.home / "jupyter" / "config" / "platform-auth" / "profiles.yaml"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def sessions(server: JupyterServer) -> dict[str, Any]:
    answer = server.fetch("platform-auth/api/v1/profiles").json()
    return {"default": answer["default"]} | {each["profile"]: each for each in answer["profiles"]}


def look(shown: Locator, endpoint: str, *, insecure: bool = False) -> None:
    """Type an endpoint and have it looked at."""
    shown.get_by_label("Endpoint").fill(endpoint)
    if insecure:
        shown.get_by_text("Connection and identity provider").click()
        shown.get_by_label("Plain http, without encryption").check()
    press(shown, "Look")


@pytest.mark.parametrize("server", ["lab", "notebook"], indirect=True)
def test_from_an_endpoint_to_signed_in_and_back(
    browser: BrowserSession,
    person: Person,
    server: JupyterServer,
    oidc: OidcProvider,
    start: Callable[..., FlytePlatform],
) -> None:
    platform = start("protected-resource", "well-known")
    lab = opened(browser, server)
    page = lab.page
    lab.command("platform-auth:add-profile")
    form = dialog(page, "Add a platform")
    expect(form.get_by_label("Endpoint")).to_be_focused()
    look(form, platform.endpoint, insecure=True)
    found = facts(form)
    assert found["Identity provider"][0] == oidc.issuer
    assert found["Identity provider"][1].startswith(f"{oidc.issuer}/.well-known/")
    assert found["Client ID"] == ("flytectl", f"{platform.url}/config/v1/flyte_client")
    assert violations(page, DIALOG) == []
    form.get_by_label("Name", exact=True).fill("mine")
    press(form, "Save")

    added = dialog(page, "mine is saved")
    assert f"mine:\n    admin: {{endpoint: '{platform.endpoint}'" in own_file(server)
    with page.context.expect_page() as popup:
        added.get_by_role("link", name="Sign in").click()
    person.sign_in(popup.value)
    expect(added).to_contain_text(f"Signed in as {ADA.email}")
    press(added, "Close")
    gone(page)

    lab.command("platform-auth:edit-profile", name="mine")
    form = dialog(page, "Edit mine")
    form.get_by_label("What code gets").select_option("flytekit")
    press(form, "Save")
    gone(page)
    assert sessions(server)["mine"]["client"] == "flytekit"
    assert sessions(server)["mine"]["state"] == "signed_in"

    lab.command("platform-auth:set-default", name="mine")
    wait_until(lambda: sessions(server)["default"] == "mine", "the default")

    lab.command("platform-auth:remove-profile", name="mine")
    question = dialog(page, "Remove mine?")
    assert violations(page, DIALOG) == []
    press(question, "Remove")
    wait_until(lambda: "mine" not in sessions(server), "the profile's removal")
    assert own_file(server) == ""
    assert oidc.log("revocation")[0]["outcome"] == "ok"  # the refresh token


def test_a_refusal_says_what_to_do_and_asks_nobody(
    browser: BrowserSession, server: JupyterServer, start: Callable[..., FlytePlatform]
) -> None:
    platform = start("protected-resource")
    lab = opened(browser, server)
    lab.command("apputils:change-theme", theme="JupyterLab Dark")
    lab.page.locator('body[data-jp-theme-name="JupyterLab Dark"]').wait_for(state="attached")
    lab.command("platform-auth:add-profile")
    form = dialog(lab.page, "Add a platform")
    press(form, "Save")
    expect(form.get_by_text("Endpoint is missing.")).to_be_visible()
    refused = platform.endpoint.replace("localhost", "127.0.0.1")
    look(form, refused)
    alert = form.get_by_role("alert")
    expect(alert).to_contain_text(f"may not reach {refused}")
    expect(alert).to_contain_text("Ask the administrator of this server")
    assert platform.received == []
    assert violations(lab.page, DIALOG) == []

    # What the platform does not say, the person must.
    form.get_by_label("Plain http, without encryption").check()
    form.get_by_label("Endpoint").fill(platform.endpoint)
    form.get_by_label("Endpoint").press("Enter")
    facts(form)
    expect(form.get_by_label("Client ID")).to_be_focused()
    press(form, "Save")
    expect(form.get_by_text("Ask whoever runs it for the client ID")).to_be_visible()
    assert violations(lab.page, DIALOG) == []
    lab.page.keyboard.press("Escape")
    gone(lab.page)
    assert own_file(server) == ""


def test_what_others_say_is_locked_and_what_changed_meanwhile_is_said(
    browser: BrowserSession, server: JupyterServer
) -> None:
    path = server.home / "jupyter" / "config" / "platform-auth" / "profiles.yaml"
    path.parent.mkdir()
    path.write_text(MINE)
    lab = opened(browser, server)
    lab.command("platform-auth:open-connections")
    for name, is_enabled in (("company", False), ("old", True)):
        row = lab.page.locator(".pa-connection").filter(has_text=f"{name}.example.com")
        row.get_by_role("button", name="More").click()
        for label in ("Edit…", "Remove…"):
            entry = lab.page.get_by_role("menuitem", name=label)
            expect(entry).to_be_enabled(enabled=is_enabled)
        lab.page.keyboard.press("Escape")

    lab.command("platform-auth:edit-profile", name="company")
    refusal = dialog(lab.page, "That was not done")
    expect(refusal).to_contain_text("the administrator's")
    press(refusal, "Close")

    lab.command("platform-auth:edit-profile", name="old")
    form = dialog(lab.page, "Edit old")
    expect(form.get_by_label("Endpoint")).to_have_value("old.example.com")
    path.write_text(MINE.replace("As it was", "As it is now").replace("old.ex", "now.ex"))
    form.get_by_label("Endpoint").fill("new.example.com")
    press(form, "Save")
    expect(form.get_by_role("alert")).to_contain_text("has been changed since you opened it")
    lab.page.keyboard.press("Escape")
    gone(lab.page)

    lab.command("platform-auth:edit-profile", name="old")
    form = dialog(lab.page, "Edit old")
    form.get_by_label("Endpoint").fill("new.example.com")
    press(form, "Save")
    gone(lab.page)
    assert own_file(server) == MINE.replace("As it was", "As it is now").replace("old.ex", "new.ex")
