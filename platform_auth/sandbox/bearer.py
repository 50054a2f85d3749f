"""The check of an access token where it is used (RFC 9068 §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from joserfc import jwt
from joserfc.errors import JoseError

from platform_auth.sandbox.keys import ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Callable

    from joserfc.jwk import KeySet

    from platform_auth.sandbox.clock import Clock

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 - a media type (RFC 9068 §2.1)


class BearerError(Exception):
    """A request without an acceptable token (RFC 6750 §3.1).

    Parameters
    ----------
    code
        ``invalid_token``, ``insufficient_scope``, or empty when no token came at all.
    description
        Why, in words that quote nothing of the token.
    scope
        What the request would have needed.

    """

    def __init__(self, code: str, description: str, scope: str = "") -> None:
        super().__init__(description)
        self.code, self.description, self.scope = code, description, scope

    @property
    def status(self) -> int:
        """Return the HTTP status to answer with."""
        return 403 if self.code == "insufficient_scope" else 401

    def challenge(self, **extra: str) -> str:
        """Return the ``WWW-Authenticate`` value; `extra` attributes come first."""
        attributes = extra
        if self.code:
            attributes = {**extra, "error": self.code, "error_description": self.description}
        if self.scope:
            attributes = {**attributes, "scope": self.scope}
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in attributes.items())


class _Claims(jwt.JWTClaimsRegistry):
    def validate_iat(self, value: object) -> None:
        """Let ``exp`` alone decide: a clock set back since then must not void the token."""


class BearerVerifier:
    """Checks signature, type, issuer, audience, expiry, revocation and scope.

    Parameters
    ----------
    keys
        The issuer's public keys.
    issuer, audience
        What ``iss`` must be, and what ``aud`` must contain.
    clock
        Tells the time.
    is_live
        Tells whether the token with this ``jti`` is still good, as introspection would
        (RFC 7662).

    """

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str,
        *,
        clock: Clock,
        is_live: Callable[[str], bool],
    ) -> None:
        self._keys, self._is_live = keys, is_live
        self._claims = _Claims(
            now=lambda: int(clock.now()),
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
            jti={"essential": True},
        )

    def verify(self, authorization: str | None, scope: str = "") -> dict[str, Any]:
        """Return the claims of the token in an ``Authorization`` header.

        Raises
        ------
        BearerError
            There is no token, or it is not good for `scope`.

        """
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise BearerError("", "This API wants an access token.", scope)
        claims = self._decode(token.strip())
        if not self._is_live(claims["jti"]):
            raise BearerError("invalid_token", "The access token was revoked.")
        if scope and scope not in str(claims.get("scope", "")).split():
            raise BearerError("insufficient_scope", "The access token lacks a scope.", scope)
        return claims

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            found = jwt.decode(token, self._keys, [ALGORITHM])
            self._claims.validate(found.claims)
        except JoseError as error:
            why = f"The access token does not hold: {error.error}."
            raise BearerError("invalid_token", why) from error
        except ValueError as error:
            raise BearerError("invalid_token", "The access token is not a JWT.") from error
        if found.header.get("typ") != ACCESS_TOKEN_TYPE:
            raise BearerError("invalid_token", "This is not an access token.")
        return found.claims
