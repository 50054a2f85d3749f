"""A running sandbox, and a client application to try it with."""

from __future__ import annotations

import secrets
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

REDIRECT_URI = "http://127.0.0.1:8888/a%40b/platform-auth/callback"
SCOPE = "openid profile email projects:read offline_access"
CLIENT_ID = "platform-auth-demo"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Application:
    """What a client does, message by message, with every message open to change."""

    def __init__(self, sandbox: Sandbox, http: httpx2.Client) -> None:
        self.sandbox, self.http = sandbox, http
        self.verifier = secrets.token_urlsafe(48)

    def authorize_url(self, **changes: str | None) -> str:
        """Return an authorization request; a parameter changed to None is left out."""
        parameters = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "state": "xyz",
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": create_s256_code_challenge(self.verifier),
            "code_challenge_method": "S256",
        } | changes
        kept = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.sandbox.issuer}/authorize?{urlencode(kept)}"

    def callback(self, user: str = "ada", *, approve: bool = True, **changes: str | None) -> dict:
        """Return the parameters of the redirect that a sign-in ends in."""
        url = self.authorize_url(**changes)
        end = self.sandbox.sign_in_scripted(url, user, approve=approve)
        return dict(parse_qsl(urlsplit(end).query))

    def post(self, path: str, **data: Any) -> httpx2.Response:
        """Send a form to one of the provider's endpoints."""
        return self.http.post(self.sandbox.issuer + path, data=data)

    def redeem(self, code: str, **changes: str) -> httpx2.Response:
        """Send the token request for a code."""
        data = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "client_id": CLIENT_ID,
            "code_verifier": self.verifier,
        }
        return self.post("/token", **(data | changes))

    def sign_in(self, user: str = "ada", **changes: str) -> dict[str, Any]:
        """Return a whole sign-in's token response."""
        return self.redeem(self.callback(user, **changes)["code"]).json()

    def refresh(self, refresh_token: str, **changes: str) -> httpx2.Response:
        """Send a refresh."""
        data = {"grant_type": "refresh_token", "client_id": CLIENT_ID}
        return self.post("/token", refresh_token=refresh_token, **(data | changes))

    def begin_device(self, **changes: str) -> dict[str, Any]:
        """Return a device's codes."""
        return self.post("/device_authorization", **({"client_id": CLIENT_ID} | changes)).json()

    def poll(self, device_code: str) -> httpx2.Response:
        """Ask whether the person has decided."""
        data = {"grant_type": DEVICE_GRANT, "device_code": device_code, "client_id": CLIENT_ID}
        return self.post("/token", **data)

    def call(self, path: str, token: str | None, **headers: str) -> httpx2.Response:
        """Call the platform."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.http.get(self.sandbox.platform_url + path, headers=headers)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox for all tests: they use tokens and sign-ins of their own."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    """An HTTP client that follows nothing, knows no proxy and loads no authorities."""
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx2.Client(trust_env=False, verify=nobody) as client:
        yield client


@pytest.fixture
def app(sandbox: Sandbox, http: httpx2.Client) -> Application:
    """A client application."""
    return Application(sandbox, http)
