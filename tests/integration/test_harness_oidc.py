"""The certified provider does what the tests of the product rely on.

Authlib's client and plain HTTP stand in for the product here: nothing of ours is under test.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet

from harness.http import loopback_client
from harness.people import GRACE
from harness.scripted import ScriptedPerson

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.canary import Canary
    from harness.platform import Platform
    from harness.provider import OidcProvider

CALLBACK = "http://127.0.0.1:8888/a%40b/platform-auth/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123"
SCOPE = "openid profile email offline_access api"


def authorization_url(oidc: OidcProvider, **more: str) -> str:
    oidc.allow_redirects("notebook", [CALLBACK])
    with OAuth2Client("notebook", redirect_uri=CALLBACK, scope=SCOPE) as client:
        url, _ = client.create_authorization_url(
            f"{oidc.issuer}/auth",
            state="the-state",
            nonce="the-nonce",
            code_challenge=create_s256_code_challenge(VERIFIER),
            code_challenge_method="S256",
            **more,
        )
    return str(url)


def token_request(oidc: OidcProvider, **form: str) -> httpx2.Response:
    with loopback_client() as http:
        return http.post(f"{oidc.issuer}/token", data={"client_id": "notebook", **form})


def sign_in(oidc: OidcProvider, person: ScriptedPerson | None = None) -> dict[str, Any]:
    with person or ScriptedPerson() as somebody:
        back = somebody.answer(authorization_url(oidc))
    answer = token_request(
        oidc,
        grant_type="authorization_code",
        code=parse_qs(urlsplit(back).query)["code"][0],
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
    )
    tokens: dict[str, Any] = answer.raise_for_status().json()
    return tokens


def refresh(oidc: OidcProvider, token: str) -> httpx2.Response:
    return token_request(oidc, grant_type="refresh_token", refresh_token=token)


def test_sends_the_person_back_with_code_state_and_issuer(oidc: OidcProvider) -> None:
    with ScriptedPerson() as ada:
        back = ada.answer(authorization_url(oidc))
    assert back.startswith(f"{CALLBACK}?")
    query = parse_qs(urlsplit(back).query)
    assert query["state"] == ["the-state"]
    assert query["iss"] == [oidc.issuer]
    assert query["code"]


def test_code_becomes_tokens_that_the_platform_takes(
    http: httpx2.Client, oidc: OidcProvider, platform: Platform
) -> None:
    tokens = sign_in(oidc)
    answer = http.get(
        f"{platform.url}/api/v1/projects",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    )
    assert answer.status_code == 200
    assert answer.json()["asked_by"] == "ada@example.com"


def test_platform_refuses_a_token_of_another_audience(
    http: httpx2.Client, oidc: OidcProvider, platform: Platform
) -> None:
    platform.verifier.audience = "https://elsewhere.example"
    token = sign_in(oidc)["access_token"]
    answer = http.get(
        f"{platform.url}/api/v1/projects", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401


def test_id_token_says_who_signed_in(http: httpx2.Client, oidc: OidcProvider) -> None:
    tokens = sign_in(oidc, ScriptedPerson(GRACE))
    keys = KeySet.import_key_set(http.get(f"{oidc.issuer}/jwks").json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["nonce"] == "the-nonce"
    assert claims["email"] == GRACE.email
    assert claims["name"] == GRACE.name


def test_denial_comes_back_as_access_denied(oidc: OidcProvider) -> None:
    with ScriptedPerson(allow=False) as ada:
        back = ada.answer(authorization_url(oidc))
    assert parse_qs(urlsplit(back).query)["error"] == ["access_denied"]


def test_pkce_is_required(http: httpx2.Client, oidc: OidcProvider) -> None:
    url = authorization_url(oidc).replace("code_challenge=", "ignored=")
    answer = http.get(url)
    assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["invalid_request"]


def test_redirect_uri_must_match_to_the_letter(http: httpx2.Client, oidc: OidcProvider) -> None:
    answer = http.get(authorization_url(oidc).replace("a%2540b", "a%40b"))
    assert answer.status_code == 400
    assert "redirect_uri" in answer.text


def test_refresh_rotates_and_reuse_revokes_the_family(oidc: OidcProvider) -> None:
    first = sign_in(oidc)["refresh_token"]
    second = refresh(oidc, first).raise_for_status().json()["refresh_token"]
    assert second != first
    assert refresh(oidc, first).json()["error"] == "invalid_grant"
    assert refresh(oidc, second).json()["error"] == "invalid_grant"
    outcomes = [entry["outcome"] for entry in oidc.log("token", grant_type="refresh_token")]
    assert outcomes == ["ok", "invalid_grant", "invalid_grant"]


def test_rotation_can_be_switched_off(oidc: OidcProvider) -> None:
    oidc.settings(rotate=False)
    token = sign_in(oidc)["refresh_token"]
    assert refresh(oidc, token).json()["refresh_token"] == token
    assert refresh(oidc, token).is_success


def test_refresh_answer_can_lack_its_refresh_token(oidc: OidcProvider) -> None:
    token = sign_in(oidc)["refresh_token"]
    oidc.fault("patch", remove=["refresh_token"])
    assert "refresh_token" not in refresh(oidc, token).json()


def test_lifetimes_can_be_set_and_reset(oidc: OidcProvider) -> None:
    oidc.settings(access_token_ttl=7)
    assert sign_in(oidc)["expires_in"] == 7
    oidc.reset()
    assert sign_in(oidc)["expires_in"] == 300


def test_unknown_settings_are_refused(oidc: OidcProvider) -> None:
    with pytest.raises(ValueError, match="no such setting: acces_token_ttl"):
        oidc.settings(acces_token_ttl=7)


@pytest.mark.parametrize(
    ("client_id", "method"),
    [("service", "client_secret_basic"), ("service-post", "client_secret_post")],
)
def test_service_gets_tokens_with_its_own_method_only(
    http: httpx2.Client, oidc: OidcProvider, client_id: str, method: str
) -> None:
    url = f"{oidc.issuer}/token"
    with OAuth2Client(client_id, oidc.client_secret, token_endpoint_auth_method=method) as client:
        token = client.fetch_token(url, grant_type="client_credentials", scope="api")
    assert token["access_token"]
    [entry] = oidc.log("token")
    assert entry["client_auth"] == method
    other = {"client_id": client_id, "client_secret": "not-this-one"}
    refused = http.post(url, data={"grant_type": "client_credentials", **other})
    assert refused.json()["error"] == "invalid_client"


def test_device_flow(http: httpx2.Client, oidc: OidcProvider) -> None:
    answer = http.post(f"{oidc.issuer}/device/auth", data={"client_id": "device", "scope": SCOPE})
    device = answer.raise_for_status().json()
    poll = {
        "client_id": "device",
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": device["device_code"],
    }
    assert token_request(oidc, **poll).json()["error"] == "authorization_pending"
    with ScriptedPerson() as ada:
        page = ada.visit(device["verification_uri_complete"])
    assert "You are signed in" in page.text
    assert token_request(oidc, **poll).json()["refresh_token"]


def test_revoked_token_is_dead(http: httpx2.Client, oidc: OidcProvider) -> None:
    token = sign_in(oidc)["refresh_token"]
    revoked = http.post(
        f"{oidc.issuer}/token/revocation", data={"client_id": "notebook", "token": token}
    )
    assert revoked.is_success
    assert refresh(oidc, token).json()["error"] == "invalid_grant"
    assert oidc.log("revocation", outcome="ok")


def test_fault_status_passes(oidc: OidcProvider) -> None:
    token = sign_in(oidc)["refresh_token"]
    oidc.fault("status", status=503, retry_after=1)
    answer = refresh(oidc, token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert refresh(oidc, token).is_success


def test_fault_html_is_no_json(oidc: OidcProvider) -> None:
    oidc.fault("html")
    answer = refresh(oidc, "any")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(("kind", "survives"), [("drop", True), ("lost", False)])
def test_fault_dead_line(oidc: OidcProvider, kind: str, survives: bool) -> None:
    token = sign_in(oidc)["refresh_token"]
    oidc.fault(kind)
    with pytest.raises(httpx2.TransportError):
        refresh(oidc, token)
    assert refresh(oidc, token).is_success is survives


def test_fault_held_request_goes_on_when_released(oidc: OidcProvider) -> None:
    token = sign_in(oidc)["refresh_token"]
    oidc.fault("hold")
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(refresh, oidc, token)
        oidc.wait_for_held()
        assert not answer.done()
        oidc.release()
        assert answer.result().is_success


def test_opener_policy_can_be_set(http: httpx2.Client, oidc: OidcProvider) -> None:
    oidc.settings(coop="same-origin")
    discovery = http.get(f"{oidc.issuer}/.well-known/openid-configuration")
    assert discovery.headers["cross-origin-opener-policy"] == "same-origin"


def test_log_holds_no_secret(oidc: OidcProvider, canary: Callable[[], Canary]) -> None:
    refresh(oidc, sign_in(oidc)["refresh_token"])
    kinds = {kind for kind, values in oidc.secrets().items() if values}
    assert kinds == {
        "access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret",
    }  # fmt: skip
    canary().assert_absent(oidc.log_text())
