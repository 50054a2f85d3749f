"""A Hub without our service: one redirect URI for all users and servers, each apart from others."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from harness import hub_page
from harness.broker import profile
from harness.environment import program
from harness.hub_front import TlsFront
from harness.hub_user import HubUser
from harness.people import ADA, GRACE
from harness.scripted import ScriptedPerson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.browser import BrowserSession
    from harness.canary import Canary
    from harness.hub import Hub
    from harness.person import Person
    from harness.provider import OidcProvider

PLATFORM = "http://127.0.0.1:9"

# Ada shares her servers with Grace.
SHARED = """
c.JupyterHub.load_roles.append({
    "name": "guests",
    "users": [people["grace"]],
    "scopes": [f"access:servers!user={people['ada']}"],
})
"""

# What Grace says in her own home, to get past the administrator.
OVERRIDE = f"""
c.PlatformAuth.profiles = {{
    "prod": {{"admin": {{"endpoint": "https://evil.example.com", "authType": "Pkce"}}}},
    "other": {{"admin": {{"endpoint": "https://evil.example.com", "authType": "Pkce"}}}},
    "near": {{"admin": {{"endpoint": "{PLATFORM}", "insecure": True, "authType": "Pkce"}}}},
}}
c.PlatformAuth.allowed_endpoints = ["*"]
c.PlatformAuth.allow_user_profiles = True
"""


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub], oidc_process: OidcProvider) -> Hub:
    settings = {
        "profiles": {"prod": profile(oidc_process.issuer, PLATFORM)},
        "allowed_endpoints": ["127.0.0.1", "localhost"],
        "allow_user_profiles": False,
        "sign_in_timeout": 60,
    }
    hub = start_hub(settings=settings, config=SHARED)
    config = hub.people["grace"].home / ".jupyter" / "jupyter_server_config.py"
    config.parent.mkdir()
    config.write_text(OVERRIDE, encoding="utf-8")
    hub.start_server("ada")
    hub.start_server("grace")
    return hub


@pytest.fixture
def ada(hub: Hub, oidc: OidcProvider) -> Iterator[HubUser]:
    yield from _fresh(hub, oidc, "ada")


@pytest.fixture
def grace(hub: Hub, oidc: OidcProvider) -> Iterator[HubUser]:
    yield from _fresh(hub, oidc, "grace")


def _fresh(hub: Hub, oidc: OidcProvider, name: str) -> Iterator[HubUser]:
    oidc.allow_redirects("notebook", [hub.callback_url])
    with HubUser(hub, name) as user:
        user.visit(f"{hub.server_url(name)}tree")
        user.post("prod", "sign-out")
        yield user


def _asked(start: Any) -> dict[str, str]:
    return {
        name: values[0]
        for name, values in parse_qs(urlsplit(start.headers["location"]).query).items()
    }


def _back(start: Any) -> str:
    with ScriptedPerson() as person:
        return person.answer(start.headers["location"])


def test_one_redirect_uri_serves_all_users(
    hub: Hub, ada: HubUser, grace: HubUser, oidc: OidcProvider
) -> None:
    assert _asked(ada.begin("prod"))["redirect_uri"] == hub.callback_url
    assert _asked(grace.begin("prod"))["redirect_uri"] == hub.callback_url
    for user, who in ((ada, ADA), (grace, GRACE)):
        page = user.sign_in("prod", who)
        assert (page.status_code, who.email in page.text) == (200, True)
        assert user.session("prod")["signed_in_as"] == who.email
    assert [entry["outcome"] for entry in oidc.log("token")] == ["ok", "ok"]


def test_a_named_server_is_passed_its_callback_by_the_default_one(hub: Hub, ada: HubUser) -> None:
    hub.start_server("ada", "work")
    try:
        start = ada.begin("prod", "work")
        assert _asked(start)["redirect_uri"] == hub.callback_url
        assert _asked(start)["state"].startswith("work.")
        page = ada.come_back(_back(start))
        assert page.status_code == 200
        assert str(page.url).startswith(hub.server_url("ada", "work"))
        assert ada.session("prod", "work")["state"] == "signed_in"
        # The servers of one home are one person's, and so are their sign-ins.
        assert ada.session("prod")["signed_in_as"] == ADA.email
    finally:
        hub.stop_server("ada", "work")


def test_a_server_that_was_stopped_meanwhile_shows_the_way_on(
    hub: Hub, oidc: OidcProvider, browser: BrowserSession, person: Person, ada: HubUser
) -> None:
    page = browser.page()
    hub_page.log_in(page, hub, "ada", f"user/{hub.name('ada')}/platform-auth/login?profile=prod")
    page.wait_for_url(f"{oidc.issuer}/**")
    hub.stop_server("ada")
    person.sign_in(page)
    page.get_by_role("heading", name="Start again").wait_for(timeout=60_000)
    page.get_by_role("link", name="Sign in again").click()
    person.sign_in(page)
    page.get_by_role("heading", name="You are signed in").wait_for()
    ada.visit(f"{hub.server_url('ada')}tree")  # it is a new one
    assert ada.session("prod")["signed_in_as"] == ADA.email


def test_a_visitor_of_a_shared_server_cannot_use_its_owners_sign_ins(
    hub: Hub, ada: HubUser, grace: HubUser
) -> None:
    ada.sign_in("prod")
    visited = grace.visit(f"{hub.server_url('ada')}tree")
    assert visited.status_code == 200
    page = grace.visit(f"{hub.server_url('ada')}platform-auth/login?profile=prod&force=1")
    assert (page.status_code, "and so are its sign-ins" in page.text) == (403, True)
    for method, path in (
        ("GET", "profiles"),
        ("GET", "profiles/prod"),
        ("POST", "profiles/prod/sign-out"),
    ):
        answer = grace.call(method, f"platform-auth/api/v1/{path}", of="ada")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "policy_refused")
    assert ada.session("prod")["state"] == "signed_in"


def test_anothers_callback_is_neither_read_nor_replayed(
    ada: HubUser, grace: HubUser, oidc: OidcProvider
) -> None:
    back = _back(ada.begin("prod"))
    stolen = grace.come_back(back)
    assert (stolen.status_code, "belongs to no sign-in" in stolen.text) == (400, True)
    # Straight to the owner's server, which she may visit, it is of no more use.
    code = back.partition("?")[2]
    page = grace.come_back(f"{ada.hub.server_url('ada')}platform-auth/callback?{code}")
    assert page.status_code == 403
    assert ada.session("prod")["state"] == "signing_in"
    assert ada.come_back(back).status_code == 200
    assert grace.come_back(back).status_code == 400
    assert len(oidc.log("token")) == 1
    assert grace.session("prod")["state"] == "signed_out"


def test_what_a_user_says_at_home_does_not_outrank_the_administrator(grace: HubUser) -> None:
    listed = grace.call("GET", "platform-auth/api/v1/profiles").json()["profiles"]
    assert [each["profile"] for each in listed] == ["prod"]
    assert listed[0]["endpoint"] == PLATFORM


def test_tokens_are_for_the_users_own_programs(
    hub: Hub, ada: HubUser, canary: Callable[[], Canary]
) -> None:
    ada.sign_in("prod")
    [key] = (hub.people["ada"].home / ".local/share/jupyter/runtime").glob("*/server.token")
    env = {
        "PLATFORM_AUTH_BROKER": f"unix://{key.parent / 'broker.sock'}",
        "PLATFORM_AUTH_BROKER_TOKEN_FILE": str(key),
    }
    command = [program("platform-auth"), "token", "prod"]
    own = hub.people["ada"].run(*command, **env)
    assert canary().search_text(own.stdout) == ["access_token"], own.stderr
    other = hub.people["grace"].run(*command, **env)
    assert (other.returncode, other.stdout) == (1, "")


def test_behind_a_proxy_that_ends_tls(
    hub: Hub, oidc: OidcProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(TlsFront(hub, tmp_path)) as front:
        monkeypatch.setattr(hub, "origin", front.origin)
        oidc.allow_redirects("notebook", [hub.callback_url])
        with HubUser(hub, "ada", verify=False) as ada:
            ada.visit(f"{hub.server_url('ada')}tree")
            ada.post("prod", "sign-out")
            start = ada.begin("prod")
            assert _asked(start)["redirect_uri"] == hub.callback_url
            assert hub.callback_url.startswith("https://")
            assert "; Secure" in start.headers["set-cookie"]
            assert ada.come_back(_back(start)).status_code == 200
            assert ada.session("prod")["signed_in_as"] == ADA.email


def test_no_refresh_token_or_verifier_is_in_any_log(
    hub: Hub, ada: HubUser, oidc: OidcProvider, canary: Callable[[], Canary]
) -> None:
    ada.sign_in("prod")
    found = set(canary().search_text(hub.log_text()))
    # The Hub itself logs codes, in the `next` of its redirects; they are of no use without PKCE's
    # verifier.
    assert found <= {"code"}


def test_where_the_default_server_has_a_name(
    start_hub: Callable[..., Hub], oidc: OidcProvider
) -> None:
    settings = {"profiles": {"prod": profile(oidc.issuer, PLATFORM)}, "sign_in_timeout": 60}
    config = 'c.JupyterHub.default_server_name = "main"'
    hub = start_hub(users=("ada",), settings=settings, config=config)
    oidc.allow_redirects("notebook", [hub.callback_url])
    for server in ("main", ""):
        hub.start_server("ada", server)
    with HubUser(hub, "ada") as ada:
        for server in ("main", ""):
            page = ada.sign_in("prod", server=server)
            assert page.status_code == 200
            assert str(page.url).startswith(f"{hub.server_url('ada', server)}platform-auth/")
            assert ada.session("prod", server)["signed_in_as"] == ADA.email
            ada.post("prod", "sign-out", server=server)


def test_where_every_user_has_a_domain_of_their_own(
    start_hub: Callable[..., Hub], oidc: OidcProvider, browser: BrowserSession, person: Person
) -> None:
    settings = {"profiles": {"prod": profile(oidc.issuer, PLATFORM)}, "sign_in_timeout": 60}
    domains = 'c.JupyterHub.subdomain_host = f"http://hub.localhost:{port}"'
    hub = start_hub(users=("ada",), settings=settings, config=domains)
    hub.origin = f"http://hub.localhost:{hub.port}"
    oidc.allow_redirects("notebook", [hub.callback_url])
    hub.start_server("ada")
    page = browser.page()
    path = f"user/{hub.name('ada')}/platform-auth/login?profile=prod"
    hub_page.log_in(page, hub, "ada", path)
    # To the browser, the Hub that has logged them in is another site than the server.
    page.get_by_role("link", name="Continue to sign in").click()
    page.wait_for_url(f"{oidc.issuer}/**")
    person.sign_in(page)
    page.get_by_role("heading", name="You are signed in").wait_for()
    assert urlsplit(page.url).hostname not in {"hub.localhost", None}
