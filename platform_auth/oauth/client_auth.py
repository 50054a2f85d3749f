"""Telling the authorization server who the client is (RFC 6749 §2.3)."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from authlib.common.urls import add_params_to_qs
from authlib.oauth2.auth import ClientAuth

from ..errors import (
    ConfigError,
    InvalidClientError,
    InvalidGrantError,
    OAuthError,
    PlatformAuthError,
    TransportError,
)
from ..secret import Secret
from .client_assertion import client_assertion, import_key
from .metadata import ServerMetadata, is_secure
from .responses import LOST, hide_what_was_sent, oauth_json, plain, show_what_was_sent
from .steps import Request, origin_of
from .workload import ASSERTION_TYPE, FLOWS

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..config import PlatformConfig
    from .context import FlowContext
    from .steps import Now, Response, Step

_FORM: Final = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/json",
    "Cache-Control": "no-store",
}
_OK, _UNAUTHORIZED = 200, 401

_Method = Callable[[ClientAuth, str, str, dict[str, str], str], tuple[str, dict[str, str], str]]


def client_id(config: PlatformConfig) -> str:
    """Return the profile's client id.

    Raises
    ------
    ConfigError
        It has none.

    """
    if config.client_id:
        return config.client_id
    raise ConfigError(
        f"The profile for {config.host} names no client id.",
        why="The identity provider must know which client is asking.",
        fix="Set admin.clientId (in code: client_id) to the client registered for it.",
    )


def ask_authenticated(
    context: FlowContext, url: str, body: Secret, *, replay: bool = False
) -> Generator[Step, Response, Response]:
    """Send a form with the client's credentials, and return the answer.

    Secrets in files rotate: if the server does not know the client, and its secret is another one
    by now, the form is sent once more.

    Parameters
    ----------
    context
        The profile and its authorization server.
    url, body
        The endpoint and its form, encoded.
    replay
        Whether it may be sent twice after a failure that leaves open if it had an effect.

    Raises
    ------
    ConfigError
        The credentials are incomplete, or would travel unprotected.
    InvalidClientError
        The server does not accept the client.
    TransportError
        There is no answer.

    """
    known = _credential(context.config)
    response = yield from _send(context, url, body, replay=replay)
    error = _refusal(response)
    if _is_unknown_client(response, error) and _credential(context.config) != known:
        response = yield from _send(context, url, body, replay=replay)
        error = _refusal(response)
    if error is not None and error.oauth_code:
        _explain(context, response, body)
    return response


def _refusal(response: Response) -> PlatformAuthError | None:
    if response.status == _OK and b"error" not in response.body and b"\\" not in response.body:
        return None  # tokens, as nearly always: they are read once, by who asked for them
    try:
        oauth_json(response)
    except PlatformAuthError as error:
        return error.with_traceback(None)
    return None


def _explain(context: FlowContext, response: Response, body: Secret) -> None:
    """Raise the server's refusal with what was sent, or with what it would have taken."""
    offered = context.metadata.token_endpoint_auth_methods_supported
    try:
        _refuse(response, body, _credential(context.config))
    except InvalidClientError as error:
        if offered:
            used = chosen_method(context.config, context.metadata)
            error.fix += f" It takes {', '.join(offered[:8])}; {used} was used."
            error.fix = plain(error.fix, 400)
        raise
    except OAuthError as error:
        show_what_was_sent(error, body.reveal())
        if isinstance(error, InvalidGrantError) and response.attempts > 1:
            error.why += f" {LOST}"
        raise


def _refuse(response: Response, body: Secret, credential: Secret | None) -> None:
    try:
        oauth_json(response)
    except PlatformAuthError as error:
        hide_what_was_sent(error, body.reveal(), credential)
        raise


def _send(
    context: FlowContext, url: str, body: Secret, *, replay: bool
) -> Generator[Step, Response, Response]:
    def request() -> Request:
        config, metadata = context.config, context.metadata
        return authenticated(config, metadata, url, body.reveal(), replay=replay, now=context.now)

    first = request()
    try:
        return (yield first)
    except TransportError as error:
        if first.replay or not replay or not error.retryable:
            raise
    second = yield request()  # an assertion serves once (RFC 7523 §3): this one is new
    return replace(second, attempts=second.attempts + 1)


def _credential(config: PlatformConfig) -> Secret | None:
    return config.oauth.signing_key() or config.client_secret() or config.oauth.identity_token()


def _is_unknown_client(response: Response, error: PlatformAuthError | None) -> bool:
    if error is None:
        return False
    return error.oauth_code == "invalid_client" or response.status == _UNAUTHORIZED


def authenticated(  # noqa: PLR0913 - what and whom, by name
    config: PlatformConfig,
    metadata: ServerMetadata,
    url: str,
    body: str,
    *,
    replay: bool = False,
    now: Now = time.time,
) -> Request:
    """Return the form POST with the client's credentials in it, in one way only (§2.3).

    Parameters
    ----------
    config, metadata
        Who we are; which methods the server takes.
    url, body
        The endpoint and its form, encoded.
    replay
        See `Request`; never so with an assertion, which serves once.
    now
        Seconds since the epoch, for what an assertion says of itself.

    Raises
    ------
    ConfigError
        The credentials are incomplete, or would travel unprotected.

    """
    if not is_secure(url):
        what = f"Credentials are not sent to {origin_of(url)} over plain http."
        raise ConfigError(what, fix="Use an https address; http is for this machine only.")
    method = chosen_method(config, metadata)
    if method == "none" and config.flow in FLOWS and not config.client_id:
        return Request("POST", url, dict(_FORM), body, replay=replay)
    client, credential = client_id(config), _needed(method, config)
    if method == "private_key_jwt" and _is_vouched_for(config):
        body = add_params_to_qs(body, _vouched(client, credential))
        return Request("POST", url, dict(_FORM), body, replay=replay)
    if method != "private_key_jwt":
        auth = ClientAuth(client, credential.reveal(), _OURS.get(method, method))
    else:
        key, audience, replay = import_key(credential), _audience(config, metadata, url), False
        auth = ClientAuth(client, key, client_assertion(config.oauth, key, audience, now=now()))
        # RFC 7521 §4.2 leaves it to the client; some servers need it to find the key.
        body = add_params_to_qs(body, [("client_id", client)])
    url, headers, body = auth.prepare("POST", url, dict(_FORM), body)
    return Request("POST", url, headers, body, replay=replay)


def chosen_method(config: PlatformConfig, metadata: ServerMetadata) -> str:
    """Return how the client authenticates: as the profile says, else by what there is."""
    if config.oauth.token_endpoint_auth_method:
        return config.oauth.token_endpoint_auth_method
    if config.oauth.signing_key() or _is_vouched_for(config):
        return "private_key_jwt"
    if not config.client_secret():
        return "none"
    offered = metadata.token_endpoint_auth_methods_supported
    if offered and "client_secret_basic" not in offered and "client_secret_post" in offered:
        return "client_secret_post"
    return "client_secret_basic"  # what RFC 8414 §2 says holds where a server is silent


def _needed(method: str, config: PlatformConfig) -> Secret:
    """Return what a method authenticates with."""
    if method == "none":
        return Secret("")
    if method == "private_key_jwt":
        vouched = _is_vouched_for(config)
        found = config.oauth.identity_token() if vouched else config.oauth.signing_key()
        name, where = "private key", "oauth.private_key_file"
    else:
        found, name = config.client_secret(), "client secret"
        where = "admin.clientSecretLocation or admin.clientSecretEnvVar"
    if not found:
        what = f"The client authentication {method} needs a {name}, and there is none."
        raise ConfigError(what, fix=f"Set {where} in the profile.")
    return found


def _is_vouched_for(config: PlatformConfig) -> bool:
    """Tell whether somebody else signs what the client says of itself (RFC 7523 §2.2)."""
    settings = config.oauth
    has_own = settings.private_key or settings.private_key_file or config.client_secret()
    return config.flow not in FLOWS and bool(settings.identity_token_file) and not has_own


def _vouched(client: str, assertion: Secret) -> list[tuple[str, str]]:
    # Unlike one's own it may be sent twice: it is not for one request, but for an hour.
    return [
        ("client_id", client),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.reveal()),
    ]


def _audience(config: PlatformConfig, metadata: ServerMetadata, url: str) -> str:
    # An assertion for one server must be of no use at another: only the issuer is one's own.
    wants_url = config.oauth.client_assertion_audience == "token_endpoint"
    named = metadata.token_endpoint if wants_url else metadata.issuer
    return named or metadata.token_endpoint or url


def _basic(
    client: ClientAuth, _method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    # §2.3.1 form-encodes both halves first; Authlib does not, and fails beyond latin-1.
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return uri, headers, body


_OURS: Final[dict[str, _Method]] = {"client_secret_basic": _basic}
