from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

if TYPE_CHECKING:
    import httpx2

    from platform_auth.sandbox import Sandbox
    from tests.sandbox.conftest import Application

DOCUMENTS = ("openid-configuration", "oauth-authorization-server")


@pytest.fixture
def metadata(sandbox: Sandbox, http: httpx2.Client) -> dict[str, Any]:
    return http.get(f"{sandbox.issuer}/.well-known/openid-configuration").json()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_discovery_names_its_own_issuer_and_holds_to_the_standard(
    sandbox: Sandbox, http: httpx2.Client, document: str
) -> None:
    found = http.get(f"{sandbox.issuer}/.well-known/{document}").json()
    assert found["issuer"] == sandbox.issuer
    AuthorizationServerMetadata(found).validate()
    OpenIDProviderMetadata(found).validate()


def test_discovery_promises_s256_only_and_iss(metadata: dict[str, Any]) -> None:
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True


def test_every_endpoint_of_the_metadata_answers(
    metadata: dict[str, Any], http: httpx2.Client
) -> None:
    endpoints = [value for name, value in metadata.items() if name.endswith("_endpoint")]
    assert len(endpoints) == 6
    for url in (*endpoints, metadata["jwks_uri"]):
        assert http.get(url).status_code != 404, url


def test_published_keys_verify_the_id_token_and_hold_no_private_part(
    app: Application, metadata: dict[str, Any]
) -> None:
    keys = app.http.get(metadata["jwks_uri"]).json()
    assert set(keys["keys"][0]) == {"kty", "n", "e", "use", "alg", "kid"}
    token = jwt.decode(app.sign_in()["id_token"], KeySet.import_key_set(keys), ["RS256"])
    assert token.claims["iss"] == app.sandbox.issuer


def test_userinfo_tells_what_the_scope_allows(app: Application) -> None:
    everything, little = app.sign_in("grace"), app.sign_in("grace", scope="openid")
    url = f"{app.sandbox.issuer}/userinfo"
    bearer = [{"Authorization": f"Bearer {t['access_token']}"} for t in (everything, little)]
    assert app.http.get(url, headers=bearer[0]).json()["email"] == "grace@example.com"
    assert app.http.get(url, headers=bearer[1]).json() == {"sub": "grace"}


def test_userinfo_without_openid_is_forbidden(app: Application) -> None:
    token = app.sign_in(scope="projects:read")["access_token"]
    answer = app.http.get(
        f"{app.sandbox.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer x.y.z", "Basic YTpi"])
def test_userinfo_without_a_token_is_unauthorized(
    sandbox: Sandbox, http: httpx2.Client, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    assert http.get(f"{sandbox.issuer}/userinfo", headers=headers).status_code == 401


def test_token_answers_are_not_to_be_cached(app: Application) -> None:
    answer = app.refresh("no-such-token")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("grant_type=refresh_token&grant_type=refresh_token", 400),
        ("grant_type=%FF", 400),
        ("grant_type=%22%5C%E2%82%AC", 400),
        ("", 400),
        ("client_id=x&grant_type=password", 400),
    ],
)
def test_malformed_token_requests_get_an_oauth_error_never_a_500(
    sandbox: Sandbox, http: httpx2.Client, body: str, status: int
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = http.post(f"{sandbox.issuer}/token", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"] in {"invalid_request", "unsupported_grant_type"}


def test_garbage_in_the_basic_header_is_refused_not_a_500(
    sandbox: Sandbox, http: httpx2.Client
) -> None:
    header = "Basic " + base64.b64encode(b"\xff\xfe:x").decode()
    answer = http.post(
        f"{sandbox.issuer}/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": header},
    )
    assert answer.status_code in {400, 401}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:1", "127.0.0.1:1"])
def test_another_host_name_is_refused(sandbox: Sandbox, http: httpx2.Client, host: str) -> None:
    answer = http.get(f"{sandbox.issuer}/.well-known/openid-configuration", headers={"Host": host})
    assert answer.status_code == 421


def test_unknown_addresses_are_404_without_a_trace(sandbox: Sandbox, http: httpx2.Client) -> None:
    answer = http.get(f"{sandbox.issuer}/nowhere")
    assert answer.status_code == 404
    assert "Traceback" not in answer.text
    assert "server" not in answer.headers
