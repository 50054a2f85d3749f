"""A client's signed word for itself (``private_key_jwt``: RFC 7523 §2.2, OIDC Core §9)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from ..errors import ConfigError

if TYPE_CHECKING:
    from joserfc.jwk import Key

    from ..config import OAuthSettings
    from ..secret import Secret

LIFETIME: Final = 60
"""Seconds an assertion is good for: long enough to arrive, too short to be of use to others."""

_MIN_RSA_BITS = 2048
# The first of each is taken unless the key itself says otherwise.
_ALGORITHMS: Final = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA", "Ed25519"),
}
# What garbled keys make the libraries raise, besides their own errors.
_GARBLED: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


def client_assertion(
    settings: OAuthSettings, key: Key, audience: str, *, now: float
) -> PrivateKeyJWT:
    """Return what puts a new assertion into one request; each has its own ``jti``.

    Parameters
    ----------
    settings
        Name the key, where it does not name itself.
    key
        Of `import_key`.
    audience
        Whom it is for.
    now
        Seconds since the epoch.

    """
    issued, kid = int(now), settings.private_key_id or key.kid
    claims = {"iat": issued, "exp": issued + LIFETIME}
    return PrivateKeyJWT(audience, claims, {"kid": kid} if kid else {}, _algorithm(key))


def import_key(text: Secret) -> Key:
    """Return a private key to sign with.

    Parameters
    ----------
    text
        PEM, or a JWK as JSON.

    Raises
    ------
    ConfigError
        It is neither, not private, too weak or of a kind that no algorithm here takes.

    """
    key, why = _imported(text)
    if key is None:
        raise _unusable(why)
    if not key.is_private:
        raise _unusable("It is a public key.")
    if isinstance(key, RSAKey) and key.private_key.key_size < _MIN_RSA_BITS:  # type: ignore[union-attr]
        raise _unusable(f"It has less than {_MIN_RSA_BITS} bits.")
    _algorithm(key)
    return key


def _imported(text: Secret) -> tuple[Key | None, str]:
    # Outside of the handlers: a library's error may quote the key.
    why = "It is neither PEM nor a JWK."
    if text.reveal().startswith("{"):
        try:
            return JWKRegistry.import_key(json.loads(text.reveal())), ""
        except _GARBLED:
            return None, why
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return kind.import_key(text.reveal()), ""
        except TypeError:
            why = "It is encrypted with a password."
        except _GARBLED:
            continue
    return None, why


def _algorithm(key: Key) -> str:
    kind = key.curve_name if isinstance(key, (ECKey, OKPKey)) else key.key_type
    known = _ALGORITHMS.get(kind, ())
    chosen = key.alg or next(iter(known), "")
    if chosen not in known:
        raise _unusable(f"Nothing here signs with {kind} {chosen}.".replace(" .", "."))
    return chosen


def _unusable(why: str) -> ConfigError:
    return ConfigError(
        "The client's private key cannot be used.",
        why=why,
        fix="Put an RSA, EC or Ed25519 private key, as PEM or JWK, into oauth.private_key_file.",
    )
