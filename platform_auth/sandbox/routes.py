"""The provider's addresses for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tornado.web import HTTPError

from platform_auth.sandbox.bearer import BearerError
from platform_auth.sandbox.client import SCOPES
from platform_auth.sandbox.exchange import Request, Response
from platform_auth.sandbox.grants import AUTH_METHODS
from platform_auth.sandbox.keys import ALGORITHM
from platform_auth.sandbox.people import PEOPLE
from platform_auth.sandbox.web import Handler

if TYPE_CHECKING:
    from platform_auth.sandbox.provider import Provider


def metadata(provider: Provider) -> dict[str, Any]:
    """Return the provider's metadata (RFC 8414 §2, OpenID Connect Discovery §3)."""
    base = provider.issuer
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{base}/jwks.json",
        "device_authorization_endpoint": f"{base}/device_authorization",
        "revocation_endpoint": f"{base}/revoke",
        "end_session_endpoint": f"{base}/end-session",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": sorted(
            {grant for client in provider.clients.values() for grant in client.grant_types}
        ),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claims_supported": ["sub", "name", "email", "email_verified", "auth_time", "sid"],
    }


class ProviderHandler(Handler):
    """A handler of the provider's."""

    @property
    def provider(self) -> Provider:
        """Return the provider behind this address."""
        return cast("Provider", self.settings["provider"])

    def oauth(self) -> Request:
        """Return the request as Authlib reads it."""
        try:
            return Request(self.request)
        except UnicodeDecodeError as error:
            raise HTTPError(400, "A parameter is not UTF-8.") from error


class Metadata(ProviderHandler):
    """Both discovery documents: they are one."""

    def get(self) -> None:
        """Send the metadata."""
        self.finish(metadata(self.provider))


class Keys(ProviderHandler):
    """The public keys (RFC 7517)."""

    def get(self) -> None:
        """Send the key set."""
        self.finish(self.provider.key.as_jwks())


class Token(ProviderHandler):
    """The token endpoint (RFC 6749 §3.2)."""

    def post(self) -> None:
        """Answer with tokens or an OAuth error."""
        self.respond(self.answer(self.oauth()))

    def answer(self, request: Request) -> Response:
        """Return the provider's answer."""
        try:
            return self.provider.token(request)
        except ValueError as error:  # Authlib will not quote what RFC 6749 §5.2 keeps out of errors
            raise HTTPError(400, "A parameter holds characters that it cannot.") from error


class DeviceAuthorizationRoute(Token):
    """The device authorization endpoint (RFC 8628 §3.1)."""

    def answer(self, request: Request) -> Response:
        """Return the device's codes."""
        response: Response = self.provider.create_endpoint_response("device_authorization", request)
        return response


class Revoke(Token):
    """The revocation endpoint (RFC 7009 §2)."""

    def answer(self, request: Request) -> Response:
        """Return an empty object, whether or not there was such a token."""
        response: Response = self.provider.create_endpoint_response("revocation", request)
        return response


class UserInfo(ProviderHandler):
    """Who the token is about (OpenID Connect Core §5.3)."""

    def get(self) -> None:
        """Send the claims that the token's scope allows."""
        verifier = self.provider.verifier(self.provider.issuer)
        try:
            claims = verifier.verify(self.request.headers.get("Authorization"), "openid")
        except BearerError as error:
            self.set_status(error.status)
            self.set_header("WWW-Authenticate", error.challenge())
            self.finish({"error": error.code, "error_description": error.description})
            return
        self.finish(PEOPLE[claims["sub"]].claims(claims["scope"]))

    post = get


ROUTES: list[Any] = [
    ("/.well-known/openid-configuration", Metadata),
    ("/.well-known/oauth-authorization-server", Metadata),
    ("/jwks.json", Keys),
    ("/token", Token),
    ("/device_authorization", DeviceAuthorizationRoute),
    ("/revoke", Revoke),
    ("/userinfo", UserInfo),
]
"""Where programs go."""
