"""Who signed in, as an id_token proves it (OpenID Connect Core §2, §3.1.3.7)."""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import JWKRegistry, RSAKey
from joserfc.jws import JWSRegistry, extract_compact

from ..errors import IdentityError, ProviderError, TransportError
from .client_auth import client_id
from .date_header import LEEWAY
from .responses import oauth_json, plain
from .steps import Request, Response, Step

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from joserfc.jwk import Key

    from ..errors import PlatformAuthError
    from ..secret import Secret
    from .context import FlowContext
    from .tokens import TokenSet

ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
"""Signature algorithms accepted: asymmetric ones. ``none`` and HS* never are."""

_KEYS_MAX_AGE, _KEYS_MIN_AGE = 24 * 3600.0, 60.0
_MAX_KEYS, _MIN_RSA_BITS, _MAX_DOCUMENT = 100, 2048, 256 * 1024
_MAX_SUBJECT = 255  # Core §2

# What a hostile token or key makes the libraries raise, besides their own errors.
_GARBLED: Final = (
    JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip


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
    context: FlowContext, tokens: TokenSet, *, nonce: Secret | None, without_keys: bool = False
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
    without_keys
        Whether all but the signature is checked where the keys cannot be had. §3.1.3.7 rule 6
        allows it for a token that came straight from the token endpoint over TLS.

    Raises
    ------
    IdentityError
        A check of §3.1.3.7 failed.
    TransportError, ProviderError
        The keys cannot be had.

    """
    try:
        token = yield from _signed(context, tokens)
    except _UnsignedError as problem:
        if not without_keys:
            raise problem.cause from None
        token = _unread(tokens, context)
    return _checked(token, tokens, context, nonce)


class _UnsignedError(Exception):
    """The keys cannot be had."""

    def __init__(self, cause: PlatformAuthError) -> None:
        super().__init__()
        self.cause = cause


def _signed(context: FlowContext, tokens: TokenSet) -> Generator[Step, Response, jwt.Token]:
    try:
        keys = yield from fetch_keys(context)
        return _decode(tokens, keys, context)
    except IdentityError:
        pass  # keys rotate: look once more, at most once a minute
    except (TransportError, ProviderError) as error:
        raise _UnsignedError(error) from None
    try:
        keys = yield from fetch_keys(context, _KEYS_MIN_AGE, again=True)
    except (TransportError, ProviderError) as error:
        raise _UnsignedError(error) from None
    return _decode(tokens, keys, context)


def _unread(tokens: TokenSet, context: FlowContext) -> jwt.Token:
    """Return what a token says, its signature unread."""
    text = tokens.id_token.reveal() if tokens.id_token else ""
    registry = _registry(context)
    try:
        said = extract_compact(text.encode(), registry=registry)
        claims = json.loads(said.payload)
    except _GARBLED:
        said, claims = None, None
    if said is None or not isinstance(claims, dict):
        raise _invalid("not a JWT")
    if said.protected.get("alg") not in (registry.allowed or ()):
        raise _invalid("its signature: it cannot be accepted")
    return jwt.Token(said.protected, claims)


def same_identity(old: Identity | None, new: Identity | None) -> None:
    """Refuse a token response that names somebody else than before.

    Raises
    ------
    IdentityError
        It does.

    """
    if old and new and (old.issuer, old.subject) != (new.issuer, new.subject):
        raise _invalid("it names another person than before")


def fetch_keys(
    context: FlowContext, max_age: float = _KEYS_MAX_AGE, *, again: bool = False
) -> Generator[Step, Response, list[Key]]:
    """Return the provider's signing keys (RFC 7517), at most ``max_age`` seconds old.

    With ``again`` they are fetched anew, unless that was done already less than so long ago.

    Raises
    ------
    IdentityError
        None of them can be used, or there are too many, or too long ones.

    """
    url = context.metadata.endpoint("jwks_uri")
    response = yield Request("GET", url, replay=True, max_age=max_age, again=again)
    if len(response.body) > _MAX_DOCUMENT:
        raise _invalid("its keys: they are too long")
    found = oauth_json(response).get("keys")
    listed = found if isinstance(found, list) else []
    if len(listed) > _MAX_KEYS:
        raise _invalid(f"its keys: {len(listed)} are too many")
    with _quietly():
        keys = [key for data in listed if (key := _import(data)) is not None]
    if not keys:
        raise _invalid("its keys: none of those the provider publishes can be used")
    return keys


@contextmanager
def _quietly() -> Iterator[None]:
    # joserfc warns of the provider's choice of keys and algorithms, which nobody here can change.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield


def _import(data: object) -> Key | None:
    # A key of another kind or purpose is not an error, only useless.
    if not isinstance(data, dict) or data.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        key = JWKRegistry.import_key(data)
        weak = isinstance(key, RSAKey) and key.public_key.key_size < _MIN_RSA_BITS
    except _GARBLED:
        return None
    return None if weak or data.get("use", "sig") != "sig" else key


def _decode(tokens: TokenSet, keys: list[Key], context: FlowContext) -> jwt.Token:
    text = tokens.id_token.reveal() if tokens.id_token else ""
    registry = _registry(context)
    why = "not a JWT"
    with _quietly():
        # Without a kid any key may be the one (Core §10.1); with one, joserfc looks at no other.
        for key in keys:
            try:
                return jwt.decode(text, key, registry=registry)
            except _GARBLED as error:
                why = error.error if isinstance(error, JoseError) else why
    raise _invalid(f"its signature: {why}")


def _registry(context: FlowContext) -> JWSRegistry:
    """Return what joserfc may accept; an empty list would mean its own choice to it."""
    offered = context.metadata.id_token_signing_alg_values_supported
    allowed = {name for name in ALGORITHMS if name in offered or not offered}
    chosen = context.config.oauth.id_token_algorithms
    allowed |= {name for name in chosen if not name.upper().startswith(("HS", "NONE"))}
    if not allowed:
        raise _invalid(f"its signature: {', '.join(offered)} cannot be accepted")
    # Headers that nobody marked critical are ignored (RFC 7515 §4); x5c makes them long.
    registry = JWSRegistry(algorithms=sorted(allowed), strict_check_header=False)
    registry.max_header_length = 16 * 1024
    return registry


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
    _check_audience(claims.get("aud"), us)
    try:
        CodeIDToken(claims, token.header, options, params).validate(int(context.now()), LEEWAY)
    except _GARBLED as error:
        why = error.description or error.error if isinstance(error, JoseError) else "it is garbled"
        raise _invalid(plain(why)) from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise _invalid("it names nobody")
    return _identity(issuer, claims)


def _check_audience(audience: object, us: str) -> None:
    # Authlib lets azp stand in for it, and complains of azp first; Core §3.1.3.7 rule 3 does not.
    listed = audience if isinstance(audience, list) else [audience]
    if audience is not None and us not in listed:
        raise _invalid("its audience (aud) is another client")


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
