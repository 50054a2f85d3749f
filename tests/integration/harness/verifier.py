"""Checking access tokens as a platform does."""

from __future__ import annotations

from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet

from harness.http import loopback_client


class Verifier:
    """Verifies JSON Web Tokens of one issuer (RFC 9068 §4).

    Parameters
    ----------
    issuer
        Whose tokens it takes; its keys are fetched anew each time.
    audience
        What the tokens must be for.
    address
        Where its keys are to be had from here, if not at the issuer.

    """

    def __init__(self, issuer: str, audience: str, address: str | None = None) -> None:
        self.issuer, self.address = issuer, address or issuer
        self.audience = audience

    def claims(self, token: str) -> dict[str, Any]:
        """Return a token's claims.

        Raises
        ------
        JoseError
            When the token is not one of the issuer's, not for this platform, or expired.

        """
        with loopback_client() as http:
            answer = http.get(f"{self.address}/jwks").raise_for_status()
        keys = KeySet.import_key_set(answer.json())
        claims = jwt.decode(token, keys, algorithms=["RS256", "ES256"]).claims
        rules = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
        )
        rules.validate(claims)
        return claims
