"""The flows of the provider, each Authlib's grant with the sandbox's state behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant

from platform_auth.sandbox.codes import AuthorizationCode

if TYPE_CHECKING:
    from platform_auth.sandbox.client import Client
    from platform_auth.sandbox.devices import DeviceCredential
    from platform_auth.sandbox.exchange import Request
    from platform_auth.sandbox.people import Person
    from platform_auth.sandbox.provider import Provider
    from platform_auth.sandbox.tokens import RefreshToken, TokenResponse

AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post")
"""How clients may show who they are (``token_endpoint_auth_methods_supported``)."""


class _OfflineAccess:
    """Gives a refresh token to those who were allowed ``offline_access``, and only to them."""

    def generate_token(
        self, user: Person, scope: str, *, include_refresh_token: bool
    ) -> TokenResponse:
        """Return the token response, with or without a refresh token."""
        offline = include_refresh_token and "offline_access" in scope.split()
        response: TokenResponse = super().generate_token(  # type: ignore[misc]
            user=user, scope=scope, include_refresh_token=offline
        )
        return response


class AuthorizationCodeGrant(_OfflineAccess, grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """The authorization code flow (RFC 6749 §4.1)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    server: Provider

    def save_authorization_code(self, code: str, request: Request) -> None:
        """Keep what the code stands for."""
        now, data = self.server.clock.now(), request.payload.data
        record = AuthorizationCode(
            client_id=request.client.client_id,
            redirect_uri=data["redirect_uri"],
            scope=request.scope,
            person=request.user,
            auth_time=int(now),
            expires_at=now + self.server.settings.code_lifetime,
            code_challenge=data["code_challenge"],
            code_challenge_method=data["code_challenge_method"],
            nonce=data.get("nonce"),
        )
        self.server.codes.add(code, record)

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        """Return the code's record; a second use revokes what the first gave (§4.1.2)."""
        record = self.server.codes.get(code)
        if record is None or record.client_id != client.client_id:
            return None
        if record.family is not None:
            self.server.ledger.revoke_family(record.family.id)
            return None
        return record

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Do nothing: a redeemed code stays on record, so that a second use is seen."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Person:
        """Return who signed in."""
        return authorization_code.person


class S256CodeChallenge(CodeChallenge):  # type: ignore[misc]  # Authlib is untyped
    """PKCE, refused in any form but S256 and never left out (RFC 9700 §2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: AuthorizationCodeGrant, redirect_uri: None) -> None:
        """Check the authorization request's challenge before anybody signs in."""
        # Authlib lets requests without PKCE pass, and takes an omitted method for "plain".
        if not grant.request.payload.data.get("code_challenge_method"):
            raise InvalidRequestError(
                description="PKCE with 'code_challenge_method=S256' is required"
            )
        super().validate_code_challenge(grant, redirect_uri)


class RefreshTokenGrant(grants.RefreshTokenGrant):  # type: ignore[misc]  # Authlib is untyped
    """The refresh (RFC 6749 §6) with rotation and detection of reuse (RFC 9700 §4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    server: Provider

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        """Return the token's record; one that was rotated away takes its family along."""
        record = self.server.ledger.refresh_token(refresh_token)
        if record is None or record.family.revoked:
            return None
        if record.revoked:
            self.server.ledger.revoke_family(record.family.id)
            return None
        return record

    def authenticate_user(self, refresh_token: RefreshToken) -> Person | None:
        """Return who signed in."""
        return refresh_token.family.person

    def issue_token(self, user: Person, refresh_token: RefreshToken) -> TokenResponse:
        """Return new tokens, with a new refresh token when the sandbox rotates."""
        scope = self.request.payload.scope or refresh_token.get_scope()
        rotate = self.server.settings.rotate
        response: TokenResponse = self.generate_token(
            user=user, scope=scope, include_refresh_token=rotate
        )
        return response

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """Retire the token just used, unless it stays."""
        refresh_token.revoked = self.server.settings.rotate


class ClientCredentialsGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """A service signs in as itself (RFC 6749 §4.4)."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


class DeviceGrant(_OfflineAccess, DeviceCodeGrant):  # type: ignore[misc]  # Authlib is untyped
    """A device asks whether its person has decided (RFC 8628 §3.4)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    server: Provider

    def query_device_credential(self, device_code: str) -> DeviceCredential:
        """Return the record of a device code that has not been exchanged yet."""
        record = self.server.devices.get(device_code)
        if record is None:
            raise InvalidGrantError(description="Unknown or already exchanged 'device_code'")
        return record

    def validate_device_credential(self, credential: DeviceCredential) -> Person:
        """Return who said yes; the base class turns the rest into errors."""
        self._credential = credential
        person: Person = super().validate_device_credential(credential)
        self.server.devices.remove(credential)
        return person

    def query_user_grant(self, user_code: str) -> tuple[Person | None, bool] | None:  # noqa: ARG002
        """Return the decision, if there is one."""
        return self._credential.decision

    def should_slow_down(self, credential: DeviceCredential) -> bool:
        """Tell whether this poll came too early."""
        return credential.poll_is_early()
