"""The provider's endpoints beside the token endpoint, each Authlib's with the sandbox's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import InvalidRequestError, UnauthorizedClientError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE, DeviceAuthorizationEndpoint
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.rpinitiated import EndSessionEndpoint

from platform_auth.sandbox.devices import DeviceCredential
from platform_auth.sandbox.grants import AUTH_METHODS
from platform_auth.sandbox.tokens import AccessToken, RefreshToken

if TYPE_CHECKING:
    from authlib.oidc.rpinitiated import EndSessionRequest

    from platform_auth.sandbox.client import Client
    from platform_auth.sandbox.exchange import Request, Response
    from platform_auth.sandbox.provider import Provider


class Issuer(IssuerParameter):  # type: ignore[misc]  # Authlib is untyped
    """Adds ``iss`` to everything sent back to a client, errors too (RFC 9207 §2)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def get_issuer(self) -> str:
        """Return the provider's issuer identifier."""
        return self._provider.issuer

    def mark(self, response: Response) -> Response:
        """Add ``iss`` to a response that Authlib did not make by way of its hook."""
        self.add_issuer_parameter(self._provider, response)
        return response


class DeviceAuthorization(DeviceAuthorizationEndpoint):  # type: ignore[misc]
    """Gives a device its codes (RFC 8628 §3.1)."""

    CLIENT_AUTH_METHODS = AUTH_METHODS
    server: Provider

    @property
    def EXPIRES_IN(self) -> int:  # noqa: N802 - Authlib's name
        """Seconds the codes can be used."""
        return self.server.settings.device_lifetime

    @property
    def INTERVAL(self) -> int:  # noqa: N802 - Authlib's name
        """Seconds between polls."""
        return self.server.settings.device_interval

    def authenticate_client(self, request: Request) -> Client:
        """Return the client, if it may use this flow."""
        client: Client = super().authenticate_client(request)
        if not client.check_grant_type(DEVICE_CODE_GRANT_TYPE):
            raise UnauthorizedClientError
        return client

    def get_verification_uri(self) -> str:
        """Return the page where people enter the code."""
        return f"{self.server.issuer}/device"

    def save_device_credential(
        self, client_id: str, scope: str | None, data: dict[str, Any]
    ) -> None:
        """Keep what the codes stand for."""
        client = self.server.clients[client_id]
        record = DeviceCredential(
            client_id=client_id,
            scope=client.get_allowed_scope(scope) or "",
            user_code=data["user_code"],
            interval=data["interval"],
            expires_at=self.server.clock.now() + data["expires_in"],
            clock=self.server.clock,
        )
        self.server.devices.add(data["device_code"], record)


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib is untyped
    """Revokes a refresh token with its whole family, or one access token (RFC 7009 §2.1)."""

    CLIENT_AUTH_METHODS = AUTH_METHODS
    server: Provider

    def query_token(
        self,
        token_string: str,
        token_type_hint: str | None,  # noqa: ARG002 - both are looked up in any case
    ) -> AccessToken | RefreshToken | None:
        """Return the token's record."""
        ledger = self.server.ledger
        claims = self.server.key.read(token_string) or {}
        return ledger.refresh_token(token_string) or ledger.access_token(claims.get("jti", ""))

    def revoke_token(self, token: AccessToken | RefreshToken, request: Request) -> None:  # noqa: ARG002
        """Revoke it."""
        token.revoked = True
        if isinstance(token, RefreshToken):
            self.server.ledger.revoke_family(token.family.id)


class EndSession(EndSessionEndpoint):  # type: ignore[misc]  # Authlib is untyped
    """Signs out (OpenID Connect RP-Initiated Logout): the id_token's sign-in ends."""

    server: Provider

    def get_server_jwks(self) -> dict[str, Any]:
        """Return the key that id_token hints are signed with."""
        return self.server.key.as_jwks()

    def _validate_id_token_hint(self, id_token_hint: str) -> dict[str, Any]:
        # Authlib holds ``iat`` against the wall clock, of which the sandbox's may be ahead.
        claims = self.server.key.read(id_token_hint)
        if claims is None or claims.get("iss") != self.server.issuer:
            raise InvalidRequestError("The id_token_hint is not one of this provider's.")
        return claims

    def end_session(self, end_session_request: EndSessionRequest) -> None:
        """Revoke everything that descends from the sign-in."""
        claims = end_session_request.id_token_claims or {}
        self.server.ledger.revoke_family(claims.get("sid", ""))
