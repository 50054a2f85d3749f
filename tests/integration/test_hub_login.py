"""The Hub's own login as a source of tokens: a real authenticator, at a real provider."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from harness.environment import program
from harness.http import loopback_client
from harness.platform import Platform
from harness.polling import wait_until
from harness.scripted import ScriptedPerson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.hub import Hub
    from harness.provider import OidcProvider

# The Hub keeps what its login brings, renews it, and lets each server see its own person's.
CONFIG = """
c.OAuthenticator.client_id = "hub"
c.OAuthenticator.client_secret = {secret!r}
c.OAuthenticator.authorize_url = "{issuer}/auth"
c.OAuthenticator.token_url = "{issuer}/token"
c.OAuthenticator.scope = ["openid", "offline_access", "api"]
c.OAuthenticator.extra_authorize_params = {{"prompt": "consent"}}
c.OAuthenticator.userdata_url = "{platform}/api/v1/projects"  # says who asks, with a live token
c.OAuthenticator.username_claim = lambda answer: next(
    name for name in c.Authenticator.allowed_users
    if name.startswith(answer["asked_by"].partition("@")[0])
)
c.OAuthenticator.enable_pkce = True
c.Authenticator.enable_auth_state = True
c.Authenticator.auth_refresh_age = 1
own = "admin:auth_state!user"
c.JupyterHub.load_roles.extend([
    {{"name": "user", "scopes": ["self", own]}},
    {{"name": "server", "scopes": ["users:activity!user", "access:servers!server", own]}},
])
"""


@pytest.fixture(scope="module")
def platform(oidc_process: OidcProvider) -> Iterator[Platform]:
    oidc_process.reset()
    with Platform(oidc_process.issuer, oidc_process.audience) as platform:
        yield platform


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub], oidc_process: OidcProvider, platform: Platform) -> Hub:
    """Run a Hub whose people log in at the provider."""
    here = {"admin": {"endpoint": platform.url, "insecure": True}, "oauth": {"flow": "hub"}}
    secret = oidc_process.client_secret
    hub: Hub = start_hub(
        settings={"profiles": {"here": here}},
        config=CONFIG.format(issuer=oidc_process.issuer, platform=platform.url, secret=secret),
        authenticator="generic-oauth",
        env={"JUPYTERHUB_CRYPT_KEY": secrets.token_hex(32)},
    )
    oidc_process.register(
        "hub",
        client_secret=secret,
        token_endpoint_auth_method="client_secret_basic",
        redirect_uris=[f"{hub.url}hub/oauth_callback"],
        grant_types=["authorization_code", "refresh_token"],
    )
    oidc_process.settings(access_token_ttl=12)
    return hub


def log_in(hub: Hub) -> None:
    with ScriptedPerson() as ada, loopback_client(timeout=60.0) as browser:
        start = browser.get(f"{hub.url}hub/oauth_login", params={"next": ""})
        answer = browser.get(ada.answer(start.headers["location"]))
        assert answer.status_code == 302, answer.text


def token(hub: Hub, person: str = "ada") -> tuple[str, str]:
    """Return what a terminal of a person's server gets, and what is said besides."""
    them = hub.people[person]
    [file] = them.home.glob(".local/share/jupyter/runtime/platform-auth-*/server.token")
    places = {
        "PLATFORM_AUTH_BROKER": f"unix://{file.parent}/broker.sock",
        "PLATFORM_AUTH_BROKER_TOKEN_FILE": str(file),
    }
    done = them.run(program("platform-auth"), "token", "here", "--min-ttl", "1", **places)
    return done.stdout.strip(), done.stderr


def test_nobody_signs_in_twice(hub: Hub, platform: Platform, oidc_process: OidcProvider) -> None:
    log_in(hub)
    hub.start_server("ada")
    first, said = token(hub)
    assert first, said
    claims = platform.verifier.claims(first)
    assert (claims["sub"], claims["scope"]) == ("ada", "api")

    def another() -> str:
        now, _said = token(hub)
        return now if now not in {"", first} else ""

    # It is the Hub that has renewed it, and nobody else has used its refresh token.
    second = wait_until(another, "a token that the Hub has renewed", within=60)
    assert platform.verifier.claims(second)["sub"] == "ada"
    log = oidc_process.log("token")
    assert {(each["outcome"], each["client_id"]) for each in log} == {("ok", "hub")}


def test_the_hubs_refresh_token_stays_with_the_hub(hub: Hub, oidc_process: OidcProvider) -> None:
    files = [each for each in hub.people["ada"].home.rglob("*") if each.is_file()]
    assert files
    contents = b"".join(each.read_bytes() for each in files)
    for secret in oidc_process.secrets()["refresh_token"]:
        assert secret.encode() not in contents


def test_who_has_not_logged_in_that_way_is_told_what_to_set(hub: Hub) -> None:
    hub.start_server("grace")  # by the administrator: nobody has logged in
    nothing, said = token(hub, "grace")
    assert nothing == ""
    assert "The Hub has no access token of your login." in said
    assert "admin:auth_state!user" in said
