"""The authorization request and its response (RFC 6749 §4.1, RFC 7636, RFC 9207)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ..errors import CallbackError
from ..secret import Secret
from .client_auth import client_id
from .responses import oauth_error, show_what_was_sent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .context import FlowContext

_MAX_URL, _MAX_VALUE = 16 * 1024, 4 * 1024
_KNOWN: Final = ("code", "state", "iss", "error", "error_description", "error_uri")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One trip of a browser to the authorization server, and what must come back from it.

    Parameters
    ----------
    url
        Where to send the browser.
    state, verifier, nonce
        Made for this request alone; 256 bits each, and the context's mark before the state's.
    redirect_uri
        Where it comes back to; repeated in the token request as it is (RFC 6749 §4.1.3).
    issuer
        Who must answer, where known.
    iss_required
        Whether the server promised to name itself (RFC 9207 §3).

    """

    url: str = field(repr=False)
    state: Secret
    verifier: Secret
    nonce: Secret
    redirect_uri: str
    issuer: str | None = None
    iss_required: bool = False

    @classmethod
    def new(cls, context: FlowContext) -> AuthorizationRequest:
        """Make a request with a fresh state, verifier and nonce; the challenge is always S256."""
        state, nonce = context.mark + secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(48)  # 64 characters of the 43 to 128 of RFC 7636 §4.1
        metadata, config = context.metadata, context.config
        redirect_uri = context.redirect_uri or ""
        url = prepare_grant_uri(
            metadata.endpoint("authorization_endpoint"),
            client_id=client_id(config),
            response_type="code",
            redirect_uri=redirect_uri,
            scope=" ".join(config.scopes) or None,
            state=state,
            nonce=nonce if "openid" in config.scopes else None,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            audience=config.audience,
            resource=list(config.oauth.resource) or None,
            prompt=_prompt(config.scopes),
        )
        return cls(
            url=url,
            state=Secret(state),
            verifier=Secret(verifier),
            nonce=Secret(nonce),
            redirect_uri=redirect_uri,
            issuer=metadata.issuer,
            iss_required=metadata.authorization_response_iss_parameter_supported,
        )

    def validate_callback(self, url: str) -> Secret:
        """Check the URL the browser came back to and return its code.

        The order is fixed: its parameters, who answers, whose request it answers, whether it is an
        error, and only then the code.

        Raises
        ------
        CallbackError
            It does not answer this request. The request is not used up by it.
        AccessDeniedError, OAuthError
            It answers with an error.

        """
        answer = callback_parameters(url)
        self._check_issuer(answer)
        if not self._is_ours(answer.get("state", "")):
            raise _refused("its state is not the one that was sent")
        if "error" in answer:
            error = oauth_error(answer)
            show_what_was_sent(error, urlsplit(self.url).query)
            raise error
        if not answer.get("code"):
            raise _refused("it holds neither a code nor an error")
        return Secret(answer["code"])

    def is_answered_by(self, url: str) -> bool:
        """Tell whether a URL carries this request's state, whatever else is wrong with it."""
        try:
            parts = urlsplit(url[:_MAX_URL])
        except ValueError:
            return False
        return any(
            self._is_ours(value) for name, value in parse_qsl(parts.query) if name == "state"
        )

    def _is_ours(self, state: str) -> bool:
        return self.state == Secret(state)

    def _check_issuer(self, answer: Mapping[str, str]) -> None:
        said = answer.get("iss")
        if said is None and self.iss_required:
            raise _refused("the identity provider did not name itself, though it promised to")
        if said is not None and self.issuer is not None and said != self.issuer:
            raise _refused("another identity provider answered")


def _prompt(scopes: tuple[str, ...]) -> str | None:
    # OpenID Connect Core §11: offline access is granted only where consent is asked for.
    return "consent" if {"openid", "offline_access"} <= set(scopes) else None


def callback_parameters(url: str) -> dict[str, str]:
    """Return the parameters of an authorization response (RFC 6749 §4.1.2).

    Parameters
    ----------
    url
        Absolute or only path and query.

    Raises
    ------
    CallbackError
        It is too long, one appears twice (§3.1), or they sit in the fragment, where only the
        implicit flow puts them.

    """
    if len(url) > _MAX_URL:
        raise _refused("it is too long")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _refused("it is not an address") from None
    if not parts.query and "=" in parts.fragment:
        raise _refused("its parameters follow a '#', where they never reach a server")
    found: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _KNOWN:
            continue
        if name in found:
            raise _refused(f"{name} appears twice")
        if len(value) > _MAX_VALUE:
            raise _refused(f"{name} is too long")
        found[name] = value
    return found


def _refused(why: str) -> CallbackError:
    return CallbackError(
        "This answer does not belong to a sign-in that is under way.",
        why=f"Of the address the browser came back to: {why}.",
        fix="Start the sign-in again, and finish it in the same browser.",
    )
