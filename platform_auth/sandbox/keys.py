"""The key that signs the sandbox's tokens, and the check of what it signed."""

from __future__ import annotations

from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeyParameters, KeySet, RSAKey

# OpenID Connect Discovery §3 wants every provider to have this one.
ALGORITHM: Final = "RS256"
_BITS = 2048


class SigningKey:
    """An RSA key made for the life of one sandbox."""

    def __init__(self) -> None:
        parameters: KeyParameters = {"use": "sig", "alg": ALGORITHM}
        self.private = RSAKey.generate_key(_BITS, parameters, auto_kid=True)

    @property
    def header(self) -> dict[str, str]:
        """Return the JOSE header that names this key."""
        return {"alg": ALGORITHM, "kid": str(self.private.kid)}

    @property
    def public(self) -> KeySet:
        """Return the key set that verifies, as published at the ``jwks_uri``."""
        return KeySet([RSAKey.import_key(self.private.as_dict(private=False))])

    def as_jwks(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (RFC 7517 §5)."""
        return {"keys": [self.private.as_dict(private=False)]}

    def sign(self, claims: dict[str, Any], kind: str) -> str:
        """Return `claims` as a signed JWT whose ``typ`` is `kind`."""
        return jwt.encode({**self.header, "typ": kind}, claims, self.private, [ALGORITHM])

    def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a JWT this key signed, expired or not; None of any other text."""
        try:
            return jwt.decode(token, self.private, [ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
