"""The id_token (OpenID Connect Core §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oidc.core import OpenIDCode

from platform_auth.sandbox.keys import ALGORITHM

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

    from platform_auth.sandbox.client import Client
    from platform_auth.sandbox.exchange import Request
    from platform_auth.sandbox.people import Person
    from platform_auth.sandbox.provider import Provider

_LIFETIME = 3600


class IdToken(OpenIDCode):  # type: ignore[misc]  # Authlib is untyped
    """Adds an id_token to the responses of a grant that was asked for ``openid``.

    Parameters
    ----------
    provider
        Whose issuer, key and clock to use.

    """

    def __init__(self, provider: Provider) -> None:
        super().__init__(require_nonce=False)
        self._provider = provider

    def resolve_client_private_key(self, client: Client) -> RSAKey:  # noqa: ARG002
        """Return the provider's key."""
        return self._provider.key.private

    def get_client_algorithm(self, client: Client) -> str:  # noqa: ARG002
        """Return the only algorithm there is."""
        return ALGORITHM

    def get_encode_header(self, client: Client) -> dict[str, str]:  # noqa: ARG002
        """Return the header that names the key."""
        return self._provider.key.header

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        """Return who says it, to whom, and for how long."""
        now = int(self._provider.clock.now())
        return {
            "iss": self._provider.issuer,
            "aud": client.client_id,
            "iat": now,
            "exp": now + _LIFETIME,
        }

    def get_compatible_claims(self, request: Request) -> dict[str, Any]:
        """Add which sign-in it was, the same after every refresh (§12.2)."""
        claims: dict[str, Any] = super().get_compatible_claims(request)
        if request.family is not None:
            claims |= {"sid": request.family.id, "auth_time": request.family.auth_time}
        return claims

    def exists_nonce(self, nonce: str, request: Request) -> bool:  # noqa: ARG002
        """Tell whether a live code was asked for with the same nonce."""
        return self._provider.codes.has_nonce(nonce)

    def generate_user_info(self, user: Person, scope: str) -> dict[str, Any]:
        """Return what the scope lets the client know about the person."""
        return user.claims(scope)
