from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from platform_auth.sandbox.pages import Page
from platform_auth.sandbox.person import PageReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from tests.sandbox.conftest import Application

ATTACK = "<script>alert(1)</script>"


def pages(app: Application) -> Iterator[httpx2.Response]:
    """Every kind of page there is."""
    base = app.sandbox.issuer
    sign_in = app.http.get(app.authorize_url())
    yield sign_in
    form = PageReader(sign_in.text).forms[0]
    yield app.http.post(
        base + form.action, data=form.fields | {"person": "ada"}, follow_redirects=True
    )
    yield app.http.get(f"{base}/device")
    yield app.http.get(f"{base}/")
    yield app.http.get(f"{base}/end-session")
    yield app.http.get(f"{base}/authorize")
    yield app.http.get(f"{base}/interaction/nothing")


def test_every_page_is_marked_and_carries_the_headers(app: Application) -> None:
    for page in pages(app):
        assert "not for production</p>" in page.text
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-content-type-options"] == "nosniff"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "<script" not in page.text


def test_pages_load_nothing_but_their_own_style_and_icon(app: Application) -> None:
    for name, kind in (("sandbox.css", "text/css"), ("sandbox.svg", "image/svg+xml")):
        answer = app.http.get(f"{app.sandbox.issuer}/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
    for page in pages(app):
        assert "://" not in page.text.replace("http://127.0.0.1:8888", "")


def test_the_sign_in_page_offers_three_people_and_a_way_out(app: Application) -> None:
    page = app.http.get(app.authorize_url())
    (form,) = PageReader(page.text).forms
    people = [("person", "ada"), ("person", "grace"), ("person", "alan")]
    assert form.buttons == [*people, ("decision", "deny")]
    assert '<span class="hidden">Continue as </span>Ada Lovelace' in page.text


def test_the_consent_page_lists_exactly_what_was_asked_for(app: Application) -> None:
    page = at_consent(app, scope="openid projects:read")
    assert "Notebook wants to:" in page.text
    assert "List your projects" in page.text
    assert "See your email address" not in page.text
    assert "You will go back to http://127.0.0.1:8888" in page.text


def test_cancel_is_a_denial(app: Application) -> None:
    form = PageReader(app.http.get(app.authorize_url()).text).forms[0]
    url = app.sandbox.issuer + form.action
    answer = app.http.post(url, data=form.fields | {"decision": "deny"})
    assert answer.status_code == 302
    assert "error=access_denied" in answer.headers["location"]


def test_switching_goes_back_to_the_choice(app: Application) -> None:
    page = at_consent(app)
    switch = PageReader(page.text).forms[0]
    url = app.sandbox.issuer + switch.action
    answer = app.http.post(url, data=switch.fields | {"person": ""}, follow_redirects=True)
    assert "Who are you?" in answer.text


def test_allow_without_having_said_who_is_refused(app: Application) -> None:
    form = PageReader(app.http.get(app.authorize_url()).text).forms[0]
    url = app.sandbox.issuer + form.action
    assert app.http.post(url, data=form.fields | {"decision": "allow"}).status_code == 400


@pytest.mark.parametrize("csrf", ["", "guess", "é"])
def test_a_forged_form_is_refused_and_changes_nothing(app: Application, csrf: str) -> None:
    form = PageReader(at_consent(app).text).forms[-1]
    url = app.sandbox.issuer + form.action
    assert app.http.post(url, data={"csrf": csrf, "decision": "allow"}).status_code == 403
    assert app.http.post(url, data=form.fields | {"decision": "allow"}).status_code == 302


def test_another_browser_cannot_go_on_with_it(app: Application) -> None:
    form = PageReader(at_consent(app).text).forms[-1]
    app.http.cookies.clear()
    url = app.sandbox.issuer + form.action
    assert app.http.post(url, data=form.fields | {"decision": "allow"}).status_code == 400


def test_a_decision_counts_once(app: Application) -> None:
    form = PageReader(at_consent(app).text).forms[-1]
    url, data = app.sandbox.issuer + form.action, form.fields | {"decision": "allow"}
    assert app.http.post(url, data=data).status_code == 302
    again = app.http.post(url, data=data)
    assert again.status_code == 400
    assert "start again" in again.text


def test_pages_expire(app: Application) -> None:
    form = PageReader(at_consent(app).text).forms[-1]
    app.sandbox.advance(app.sandbox.settings.page_lifetime + 1)
    url = app.sandbox.issuer + form.action
    assert app.http.post(url, data=form.fields | {"decision": "allow"}).status_code == 400


def test_the_cookie_is_not_for_scripts_or_other_sites(app: Application) -> None:
    cookie = app.http.get(app.authorize_url()).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    ("redirect_uri", "allowed"),
    [
        ("http://localhost:8888/a%40b/platform-auth/callback", "http://localhost:8888"),
        ("https://127.0.0.1/callback", "https://127.0.0.1"),
        ("http://[::1]:9/callback", "http:"),
    ],
)
def test_forms_may_lead_back_to_the_client_and_nowhere_else(
    app: Application, redirect_uri: str, allowed: str
) -> None:
    page = app.http.get(app.authorize_url(redirect_uri=redirect_uri))
    assert page.headers["content-security-policy"].endswith(f"form-action 'self' {allowed}")


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": f"http://127.0.0.1/{ATTACK}/callback"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": 'http://127.0.0.1:1/"€/callback'},
        {"redirect_uri": None},
        {"client_id": ATTACK},
        {"client_id": None},
        {"client_id": None, "redirect_uri": None},
        {"response_type": ATTACK, "redirect_uri": "https://evil.example/callback"},
        {"response_type": '"€', "client_id": "nobody"},
    ],
)
def test_a_request_that_cannot_be_trusted_is_answered_with_an_escaped_page(
    app: Application, changes: dict[str, str | None]
) -> None:
    answer = app.http.get(app.authorize_url(**changes))
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "<script" not in answer.text
    assert "evil.example/callback" not in answer.headers.get("location", "")


def test_values_in_pages_are_escaped(app: Application) -> None:
    url = f"{app.sandbox.issuer}/device?{urlencode({'user_code': ATTACK + chr(34)})}"
    page = app.http.get(url)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;" in page.text
    assert "<script" not in page.text


def test_no_template_leaves_escaping() -> None:
    templates = sorted(Path(Page._loader.root).glob("*.html"))
    assert len(templates) == 5
    for path in templates:
        assert "raw" not in path.read_text(), path
        assert "autoescape" not in path.read_text(), path


def test_a_wrong_device_code_is_explained(app: Application) -> None:
    page = app.http.get(f"{app.sandbox.issuer}/device")
    form = PageReader(page.text).forms[0]
    answer = app.http.post(
        f"{app.sandbox.issuer}/device", data=form.fields | {"user_code": "WRONG"}
    )
    assert answer.status_code == 400
    assert "No device is waiting with this code" in answer.text


def test_a_device_code_may_be_typed_carelessly_and_is_shown_for_comparison(
    app: Application,
) -> None:
    code = app.begin_device()["user_code"]
    page = app.http.get(f"{app.sandbox.issuer}/device")
    form = PageReader(page.text).forms[0]
    typed = f" {code.replace('-', ' ').lower()} "
    step = app.http.post(
        f"{app.sandbox.issuer}/device",
        data=form.fields | {"user_code": typed},
        follow_redirects=True,
    )
    form = PageReader(step.text).forms[0]
    consent = app.http.post(
        app.sandbox.issuer + form.action,
        data=form.fields | {"person": "ada"},
        follow_redirects=True,
    )
    assert code in consent.text


@pytest.mark.parametrize("over", ["decided", "expired"])
def test_a_device_code_that_is_over_cannot_be_entered_again(app: Application, over: str) -> None:
    codes = app.begin_device()
    if over == "decided":
        app.sandbox.approve_device_scripted(codes["verification_uri_complete"], approve=False)
    else:
        app.sandbox.advance(codes["expires_in"] + 1)
    form = PageReader(app.http.get(codes["verification_uri_complete"]).text).forms[0]
    assert form.fields["user_code"] == codes["user_code"]
    answer = app.http.post(f"{app.sandbox.issuer}/device", data=form.fields)
    assert answer.status_code == 400
    assert "No device is waiting with this code" in answer.text


def test_the_device_form_is_safe_from_forgery(app: Application) -> None:
    code = app.begin_device()["user_code"]
    answer = app.http.post(f"{app.sandbox.issuer}/device", data={"user_code": code})
    assert answer.status_code == 403


def at_consent(app: Application, **changes: str) -> httpx2.Response:
    """Return the consent page, reached as Ada."""
    form = PageReader(app.http.get(app.authorize_url(**changes)).text).forms[0]
    return app.http.post(
        app.sandbox.issuer + form.action,
        data=form.fields | {"person": "ada"},
        follow_redirects=True,
    )
