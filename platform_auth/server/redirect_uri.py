"""Where the identity provider sends a browser back to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_server.utils import url_path_join

from ..errors import ConfigError
from .hub_place import HubPlace

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

_CALLBACK = "platform-auth/callback"


def redirect_uri(request: HTTPServerRequest, base_url: str, configured: str | None) -> str:
    """Return the server's own redirect URI, as the browser must see it; a Hub's for all servers.

    Parameters
    ----------
    request
        The sign-in's; its scheme and host count where nothing better is known. Behind a proxy that
        ends TLS its scheme is right only with ``ServerApp.trust_xheaders``.
    base_url
        The server's; its escapes stay as they are, providers compare byte for byte.
    configured
        ``c.PlatformAuth.redirect_base_url``.

    """
    hub = None if configured else HubPlace.of_environment(base_url)
    if hub is not None:
        return hub.redirect_uri(request)
    base = configured or f"{request.protocol}://{request.host}{base_url}"
    uri: str = url_path_join(base, _CALLBACK)
    return uri


def check_base_url(url: str) -> None:
    """Check what is configured.

    Raises
    ------
    ConfigError
        It is not the beginning of an http(s) address.

    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            f"c.PlatformAuth.redirect_base_url is {url!r}, which no address can begin with.",
            fix="Write https://jupyter.example.com/base/, as people see it in their browsers.",
        )
