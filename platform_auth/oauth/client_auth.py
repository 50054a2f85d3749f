"""Telling the authorization server who the client is (RFC 6749 §2.3)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from authlib.oauth2.auth import ClientAuth

from ..errors import ConfigError
from .metadata import ServerMetadata, is_secure
from .steps import Request, origin_of

if TYPE_CHECKING:
    from ..config import PlatformConfig

_FORM: Final = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/json",
    "Cache-Control": "no-store",
}


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
        fix="Set admin.clientId (FLYTE_CREDENTIALS_CLIENT_ID) to the client registered for it.",
    )


def authenticated(
    config: PlatformConfig, metadata: ServerMetadata, url: str, body: str, *, replay: bool = False
) -> Request:
    """Return the form POST with the client's credentials in it, in one way only (§2.3).

    Parameters
    ----------
    config, metadata
        Who we are; which methods the server takes.
    url, body
        The endpoint and its form, encoded.
    replay
        See `Request`.

    Raises
    ------
    ConfigError
        The credentials are incomplete, or would travel unprotected.

    """
    if not is_secure(url):
        what = f"Credentials are not sent to {origin_of(url)} over plain http."
        raise ConfigError(what, fix="Use an https address; http is for this machine only.")
    secret = config.client_secret()
    method = config.oauth.token_endpoint_auth_method or _method(metadata, has_secret=bool(secret))
    if method != "none" and not secret:
        what = f"The client authentication {method} needs a client secret, and there is none."
        fix = "Set admin.clientSecretLocation or admin.clientSecretEnvVar in the profile."
        raise ConfigError(what, fix=fix)
    auth = ClientAuth(client_id(config), secret.reveal() if secret else "", _how(method))
    url, headers, body = auth.prepare("POST", url, dict(_FORM), body)
    return Request("POST", url, headers, body, replay=replay)


def _method(metadata: ServerMetadata, *, has_secret: bool) -> str:
    if not has_secret:
        return "none"
    offered = metadata.token_endpoint_auth_methods_supported
    if offered and "client_secret_basic" not in offered and "client_secret_post" in offered:
        return "client_secret_post"
    return "client_secret_basic"  # what RFC 8414 §2 says holds where a server is silent


def _how(method: str) -> str | _Method:
    if method in {"client_secret_post", "none"}:
        return method
    if method == "client_secret_basic":
        return _basic
    raise ConfigError(
        f"oauth.token_endpoint_auth_method: {method!r} is not known.",
        fix="Use client_secret_basic, client_secret_post or none.",
    )


def _basic(
    client: ClientAuth, _method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    # §2.3.1 form-encodes both halves first; Authlib does not, and fails beyond latin-1.
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return uri, headers, body
