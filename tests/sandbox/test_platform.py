from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import RSAKey

from platform_auth.sandbox import Sandbox
from platform_auth.sandbox.bearer import BearerVerifier
from platform_auth.sandbox.clock import Clock
from platform_auth.sandbox.keys import SigningKey
from platform_auth.sandbox.tokens import Family

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Application

FAMILY = Family("platform-auth-demo", None, "projects:read", 0)


@pytest.fixture
def mint(sandbox: Sandbox) -> Callable[..., str]:
    """Signs claims with the sandbox's own key, as the provider would never do itself."""
    provider = sandbox._provider

    def minted(kind: str = "at+jwt", key: SigningKey = provider.key, **changes: Any) -> str:
        claims = {
            "iss": sandbox.issuer,
            "aud": sandbox.platform_url,
            "sub": "ada",
            "scope": "projects:read",
            "jti": "minted",
            "exp": int(sandbox._clock.now()) + 300,
        } | changes
        provider.ledger.add_access("minted", FAMILY, 10**12)
        return key.sign({k: v for k, v in claims.items() if v is not None}, kind)

    return minted


def test_lists_projects_for_a_good_token(app: Application) -> None:
    found = app.call("/api/v1/projects", app.sign_in()["access_token"])
    assert found.status_code == 200
    projects = found.json()["projects"]
    assert len(projects) >= 3
    assert all(project.keys() >= {"id", "name", "description"} for project in projects)


def test_me_tells_who_signed_in(app: Application) -> None:
    found = app.call("/me", app.sign_in("grace")["access_token"]).json()
    assert found == {"sub": "grace", "name": "Grace Hopper", "email": "grace@example.com"}


def test_health_needs_no_token(app: Application) -> None:
    assert app.call("/healthz", None).json() == {"status": "ok"}


def test_resource_metadata_points_at_the_issuer(app: Application) -> None:
    found = app.call("/.well-known/oauth-protected-resource", None).json()
    assert found["resource"] == app.sandbox.platform_url
    assert found["authorization_servers"] == [app.sandbox.issuer]


@pytest.mark.parametrize("path", ["/api/v1/projects", "/me"])
def test_without_a_token_the_challenge_says_where_to_get_one(app: Application, path: str) -> None:
    answer = app.call(path, None)
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert "error=" not in challenge  # RFC 6750 §3.1: no token, no error code
    address = re.search('resource_metadata="([^"]+)"', challenge)[1]
    assert app.http.get(address).json()["authorization_servers"] == [app.sandbox.issuer]


def test_a_minted_token_is_good_so_that_each_flaw_below_is_the_only_one(
    app: Application, mint: Callable[..., str]
) -> None:
    assert app.call("/api/v1/projects", mint()).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "http://127.0.0.1:1"},
        {"aud": None},
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "never"},
        {"jti": "never-issued"},
        {"jti": None},
        {"sub": None},
        {"kind": "JWT"},
    ],
)
def test_a_flaw_in_the_token_is_a_401(
    app: Application, mint: Callable[..., str], changes: dict[str, Any]
) -> None:
    answer = app.call("/api/v1/projects", mint(**changes))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_another_key_is_a_401(app: Application, mint: Callable[..., str], sandbox: Sandbox) -> None:
    other = SigningKey()
    same_kid = {"use": "sig", "alg": "RS256", "kid": sandbox._provider.key.private.kid}
    other.private = RSAKey.import_key(other.private.as_dict(private=True), same_kid)
    assert app.call("/me", mint(key=other)).status_code == 401


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "é"])
def test_what_is_not_a_token_is_a_401(app: Application, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = app.http.get(f"{app.sandbox.platform_url}/me", headers=headers)
    assert answer.status_code == 401


def test_an_id_token_is_not_an_access_token(app: Application) -> None:
    assert app.call("/me", app.sign_in()["id_token"]).status_code == 401


def test_a_token_without_the_scope_is_a_403_that_names_it(app: Application) -> None:
    answer = app.call("/api/v1/projects", app.sign_in(scope="openid")["access_token"])
    assert answer.status_code == 403
    assert 'scope="projects:read"' in answer.headers["www-authenticate"]


def test_tokens_expire(app: Application) -> None:
    token = app.sign_in()["access_token"]
    app.sandbox.advance(299)
    assert app.call("/me", token).status_code == 200
    app.sandbox.advance(3)
    assert app.call("/me", token).status_code == 401


def test_access_tokens_can_be_revoked_all_at_once(app: Application) -> None:
    tokens = app.sign_in()
    assert app.sandbox.revoke_access_tokens() >= 1
    assert app.sandbox.revoke_access_tokens() == 0
    assert app.call("/me", tokens["access_token"]).status_code == 401
    fresh = app.refresh(tokens["refresh_token"]).json()["access_token"]
    assert app.call("/me", fresh).status_code == 200


def test_a_clock_set_back_does_not_void_a_token(sandbox: Sandbox, mint: Callable[..., str]) -> None:
    clock = Clock()
    clock.advance(-7200)
    verifier = BearerVerifier(
        sandbox._provider.key.public,
        sandbox.issuer,
        sandbox.platform_url,
        clock=clock,
        is_live=lambda _jti: True,
    )
    claims = verifier.verify(f"Bearer {mint(iat=int(time.time()))}")
    assert claims["sub"] == "ada"


def test_tokens_of_another_sandbox_are_refused(app: Application) -> None:
    with Sandbox() as other:
        answer = app.http.get(
            f"{other.platform_url}/me",
            headers={"Authorization": f"Bearer {app.sign_in()['access_token']}"},
        )
    assert answer.status_code == 401
