"""The requests of a token endpoint, one function for each grant (RFC 6749 §4 and §6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from authlib.common.urls import add_params_to_qs
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7009 import prepare_revoke_token_request

from ..errors import InvalidGrantError, TransportError
from ..secret import Secret
from .client_auth import ask_authenticated
from .identity import same_identity, verified_identity
from .responses import oauth_json
from .tokens import TokenSet, token_set

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from .context import FlowContext
    from .steps import Response, Step


def request_tokens(
    context: FlowContext,
    grant_type: str,
    *,
    replay: bool = False,
    nonce: Secret | None = None,
    **parameters: str | Secret | None,
) -> Generator[Step, Response, TokenSet]:
    """Send a token request and return what it grants, its id_token verified.

    Parameters
    ----------
    context
        The profile and its authorization server.
    grant_type, parameters
        As the grant's RFC names them; None and "" are left out.
    replay
        Whether the request may be sent twice.
    nonce
        What an id_token must repeat (OpenID Connect Core §3.1.3.7).

    Raises
    ------
    OAuthError, TokenResponseError, IdentityError
        The server said no, or its answer cannot be used. Nothing of it is kept.

    """
    tokens = yield from request_unverified(
        context, grant_type, replay=replay, granted=(), **parameters
    )
    return (yield from verified(context, tokens, nonce=nonce))


def request_unverified(
    context: FlowContext,
    grant_type: str,
    *,
    replay: bool = False,
    granted: tuple[str, ...] = (),
    **parameters: str | Secret | None,
) -> Generator[Step, Response, TokenSet]:
    """Send a token request and return what it grants, to be handed to `verified`.

    The first half of `request_tokens`: after it, the grant is used up. ``granted`` are the scopes
    of the grant that a refresh goes on with.
    """
    url, body = context.metadata.endpoint("token_endpoint"), _form(context, grant_type, parameters)
    response = yield from ask_authenticated(context, url, body, replay=replay)
    asked, now = context.config.scopes, context.now()
    return token_set(oauth_json(response), asked=asked, granted=granted, now=now)


def verified(
    context: FlowContext,
    tokens: TokenSet,
    *,
    nonce: Secret | None = None,
    without_keys: bool = False,
) -> Generator[Step, Response, TokenSet]:
    """Return the tokens with who they are for, where an id_token says so and holds.

    The parameters are those of `verified_identity`.
    """
    if tokens.id_token is None or not _can_verify(context):
        return tokens
    identity = yield from verified_identity(context, tokens, nonce=nonce, without_keys=without_keys)
    return replace(tokens, identity=identity)


def _can_verify(context: FlowContext) -> bool:
    return context.metadata.jwks_uri is not None and context.metadata.issuer is not None


def _form(
    context: FlowContext, grant_type: str, parameters: Mapping[str, str | Secret | None]
) -> Secret:
    # Here alone the secrets are in clear: a debugger's view of whoever failed shows none.
    clear = {
        name: each.reveal() if isinstance(each, Secret) else each
        for name, each in parameters.items()
    }
    body = prepare_token_request(grant_type, **clear)
    resources = [("resource", uri) for uri in context.config.oauth.resource]
    return Secret(add_params_to_qs(body, resources))


def exchange_code(
    context: FlowContext, code: Secret, verifier: Secret, nonce: Secret | None
) -> Generator[Step, Response, TokenSet]:
    """Exchange an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5); never sent twice.

    Raises
    ------
    TransportError
        There was no answer; the code may be used up, so that only a new sign-in helps.
    OAuthError, TokenResponseError, IdentityError
        As `request_tokens`.

    """
    try:
        return (
            yield from request_tokens(
                context,
                "authorization_code",
                nonce=nonce,
                code=code,
                code_verifier=verifier,
                redirect_uri=context.redirect_uri,
            )
        )
    except TransportError as error:
        fix = error.fix.replace("; nothing is lost", "")
        raise type(error)(
            error.what, why=error.why, fix=f"Sign in again. {fix}".strip(), retryable=False
        ) from None


def refresh_tokens(context: FlowContext, old: TokenSet) -> Generator[Step, Response, TokenSet]:
    """Refresh (RFC 6749 §6).

    A response without a refresh token keeps the old one; one without an id_token keeps the
    identity; one with somebody else's id_token is refused whole (OpenID Connect Core §12.2).

    Parameters
    ----------
    context
        The profile and its authorization server.
    old
        Its ``refresh_token`` is used.

    Raises
    ------
    InvalidGrantError
        It has none, or the server no longer takes it.

    """
    if old.refresh_token is None:
        raise InvalidGrantError(
            "The sign-in has ended.",
            why="The identity provider gave no refresh token, so it cannot be prolonged.",
            fix="Sign in again; the scope offline_access often makes sign-ins last longer.",
        )
    # A lost answer may hide a rotation; many servers honour one repetition (RFC 9700 §4.14.2).
    new = yield from request_unverified(
        context,
        "refresh_token",
        replay=True,
        granted=old.scopes,
        refresh_token=old.refresh_token,
    )
    # An answer that rotates the refresh token must not be lost for want of keys.
    new = yield from verified(context, new, without_keys=True)
    same_identity(old.identity, new.identity)
    return replace(
        new,
        refresh_token=new.refresh_token or old.refresh_token,
        id_token=new.id_token or old.id_token,
        identity=new.identity or old.identity,
    )


def revoke(context: FlowContext, token: Secret, hint: str) -> Generator[Step, Response, None]:
    """Revoke one token (RFC 7009 §2.1), where the server can.

    Parameters
    ----------
    context
        The profile and its authorization server.
    token
        To be revoked.
    hint
        ``refresh_token`` or ``access_token``.

    """
    url = context.metadata.revocation_endpoint
    if url is None:
        return
    body, _headers = prepare_revoke_token_request(token.reveal(), hint)
    response = yield from ask_authenticated(context, url, Secret(body), replay=True)
    if response.status >= 400:  # noqa: PLR2004 - client and server errors
        oauth_json(response)
