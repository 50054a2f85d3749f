"""Who signed in, as an id_token proves it (OpenID Connect Core §2, §3.1.3.7)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from ..errors import IdentityError
from .client_auth import client_id
from .responses import oauth_json
from .steps import Request, Response, Step

if TYPE_CHECKING:
    from ..secret import Secret
    from .grants import FlowContext
    from .tokens import TokenSet

ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
"""Signature algorithms accepted: asymmetric ones. ``none`` and HS* never are."""

LEEWAY: Final = 60
"""Seconds by which clocks may differ."""

_KEYS_MAX_AGE, _KEYS_MIN_AGE = 24 * 3600.0, 60.0
_MAX_KEYS = 100


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, or a service, at an issuer.

    Parameters
    ----------
    issuer, subject
        Together the key (``iss``, ``sub``).
    name, email, username
        For display only.

    """

    issuer: str
    subject: str
    name: str | None = None
    email: str | None = None
    username: str | None = None

    @property
    def label(self) -> str:
        """What to call them."""
        return self.email or self.username or self.name or self.subject


def verified_identity(
    context: FlowContext, tokens: TokenSet, *, nonce: Secret | None
) -> Generator[Step, Response, Identity]:
    """Verify the id_token of a token response and return who it names.

    Parameters
    ----------
    context
        The profile and its authorization server, both needed for what must be equal.
    tokens
        The response.
    nonce
        What the id_token must repeat; None where none was sent, as in a refresh.

    Raises
    ------
    IdentityError
        A check of §3.1.3.7 failed.

    """
    url = context.metadata.endpoint("jwks_uri")
    keys = yield from _fetch_keys(url, _KEYS_MAX_AGE)
    try:
        token = _decode(tokens, keys, context)
    except JoseError:
        # Keys rotate: look once more, at most once a minute.
        keys = yield from _fetch_keys(url, _KEYS_MIN_AGE)
        try:
            token = _decode(tokens, keys, context)
        except JoseError as error:
            raise _invalid(f"its signature: {error.error}") from None
    return _checked(token, tokens, context, nonce)


def same_identity(old: Identity | None, new: Identity | None) -> None:
    """Refuse a token response that names somebody else than before.

    Raises
    ------
    IdentityError
        It does.

    """
    if old and new and (old.issuer, old.subject) != (new.issuer, new.subject):
        raise _invalid("it names another person than before")


def _fetch_keys(url: str, max_age: float) -> Generator[Step, Response, KeySet]:
    response = yield Request("GET", url, replay=True, max_age=max_age)
    data = oauth_json(response)
    usable = [key for key in data.get("keys") or [] if _is_signing_key(key)]
    if not usable or len(usable) > _MAX_KEYS:
        raise IdentityError(f"The identity provider's keys at {url} cannot be used.")
    return KeySet([key for data in usable if (key := _import(data)) is not None])


def _is_signing_key(key: object) -> bool:
    return (
        isinstance(key, Mapping)
        and key.get("kty") in {"RSA", "EC", "OKP"}
        and key.get("use", "sig") == "sig"
    )


def _import(data: dict[str, Any]) -> Any:
    try:
        return KeySet.import_key_set({"keys": [data]}).keys[0]
    except (JoseError, ValueError, TypeError):
        return None  # a key of a kind we do not know is not an error, only useless


def _decode(tokens: TokenSet, keys: KeySet, context: FlowContext) -> jwt.Token:
    assert tokens.id_token is not None
    allowed = set(ALGORITHMS)
    if offered := context.metadata.id_token_signing_alg_values_supported:
        allowed &= set(offered)
    if chosen := context.config.oauth.id_token_algorithms:
        allowed = set(ALGORITHMS) & set(chosen)
    registry = JWSRegistry(algorithms=sorted(allowed))
    text = tokens.id_token.reveal()
    last: JoseError | None = None
    # Without a kid any key may be the one; joserfc alone would give up (see Core §10.1).
    for candidate in [keys, *keys.keys]:
        try:
            return jwt.decode(text, candidate, registry=registry)
        except (JoseError, ValueError) as error:
            last = error if isinstance(error, JoseError) else JoseError(description="not a JWT")
    assert last is not None
    raise last


def _checked(
    token: jwt.Token, tokens: TokenSet, context: FlowContext, nonce: Secret | None
) -> Identity:
    claims, us = token.claims, client_id(context.config)
    issuer = context.metadata.issuer or ""
    params = {
        "nonce": nonce.reveal() if nonce else None,
        "client_id": us,
        "access_token": tokens.access_token.reveal(),
    }
    options = {"iss": {"essential": True, "value": issuer}}
    try:
        CodeIDToken(claims, token.header, options, params).validate(int(context.now()), LEEWAY)
    except JoseError as error:
        raise _invalid(error.description or error.error) from None
    # Authlib lets azp stand in for aud; Core §3.1.3.7 rule 3 does not.
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if us not in audience:
        raise _invalid("its audience is another client")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise _invalid("it names nobody")
    return _identity(issuer, claims)


def _identity(issuer: str, claims: Mapping[str, Any]) -> Identity:
    def text(name: str) -> str | None:
        value = claims.get(name)
        return value[:200] if isinstance(value, str) and value.isprintable() and value else None

    return Identity(
        issuer=issuer,
        subject=claims["sub"],
        name=text("name"),
        email=text("email"),
        username=text("preferred_username"),
    )


def _invalid(why: str) -> IdentityError:
    return IdentityError(
        "The identity provider's proof of who signed in does not hold.",
        why=f"id_token: {why}.",
        fix="Try again; if it stays, check clientId and oauth.issuer of the profile.",
    )
