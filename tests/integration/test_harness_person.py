"""A person in front of a real Chromium gets through both providers' pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from playwright.sync_api import expect

from harness.http import loopback_client
from harness.people import GRACE
from harness.person import Person

if TYPE_CHECKING:
    from harness.browser import BrowserSession
    from harness.platform import Platform
    from harness.provider import OidcProvider
    from platform_auth.sandbox import Sandbox


@pytest.fixture
def callback(platform: Platform) -> str:
    # What it answers does not matter, only that the person arrives there.
    return f"{platform.url}/a%40b/platform-auth/callback"


@pytest.fixture(params=["oidc-provider", "sandbox"])
def authorization_url(
    request: pytest.FixtureRequest, oidc: OidcProvider, sandbox: Sandbox, callback: str
) -> str:
    query = {
        "response_type": "code",
        "scope": "openid email",
        "state": "s",
        "redirect_uri": callback,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    if request.param == "sandbox":
        url, client_id = f"{sandbox.issuer}/authorize", "platform-auth-demo"
    else:
        oidc.allow_redirects("notebook", [callback])
        url, client_id = f"{oidc.issuer}/auth", "notebook"
    return str(httpx2.URL(url, params={**query, "client_id": client_id}))


def test_person_signs_in(
    browser: BrowserSession, person: Person, authorization_url: str, callback: str
) -> None:
    page = browser.page()
    page.goto(authorization_url)
    person.sign_in(page)
    assert page.url.startswith(f"{callback}?")
    assert "code=" in page.url


def test_person_denies(browser: BrowserSession, person: Person, authorization_url: str) -> None:
    page = browser.page()
    page.goto(authorization_url)
    person.deny(page)
    assert "error=access_denied" in page.url


def test_another_person_signs_in(browser: BrowserSession, oidc: OidcProvider) -> None:
    page = browser.page()
    page.goto(_device(oidc.issuer, "/device/auth", "device")["verification_uri_complete"])
    page.get_by_role("button", name="Continue").click()
    Person(GRACE)._identify(page)
    expect(page.get_by_text(GRACE.name)).to_be_visible()


@pytest.mark.parametrize("complete", [True, False])
def test_person_enters_a_code(
    browser: BrowserSession, person: Person, oidc: OidcProvider, complete: bool
) -> None:
    device = _device(oidc.issuer, "/device/auth", "device")
    _enter(browser, person, device, complete=complete)


@pytest.mark.parametrize("complete", [True, False])
def test_person_enters_a_code_at_the_sandbox(
    browser: BrowserSession, person: Person, sandbox: Sandbox, complete: bool
) -> None:
    device = _device(sandbox.issuer, "/device_authorization", "platform-auth-demo")
    _enter(browser, person, device, complete=complete)


def _device(issuer: str, path: str, client_id: str) -> dict[str, str]:
    with loopback_client() as http:
        answer = http.post(f"{issuer}{path}", data={"client_id": client_id, "scope": "openid"})
    codes: dict[str, str] = answer.raise_for_status().json()
    return codes


def _enter(
    browser: BrowserSession, person: Person, device: dict[str, str], *, complete: bool
) -> None:
    if complete:
        person.enter_code(browser.page(), device["verification_uri_complete"])
    else:
        person.enter_code(browser.page(), device["verification_uri"], device["user_code"])
