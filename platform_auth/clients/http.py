"""An httpx2 client on the platform: authenticated, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2

from ..config.endpoint import is_loopback
from ..config.tls import bad_certificates, tls_context
from .auth_flow import AuthFlow

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from ..config import PlatformConfig
    from ..connection import Connection
    from . import TokenSource


class PlatformHttpAuth(AuthFlow, httpx2.Auth):
    """Authenticates requests of an `httpx2.Client` or `httpx2.AsyncClient`; see `AuthFlow`."""

    replayable = httpx2.ByteStream


def make(connection: Connection) -> httpx2.Client:
    """Return the client of `Connection.http`."""
    return http_client(connection.config, connection.tokens)


def http_client(
    config: PlatformConfig,
    source: TokenSource,
    **options: Any,  # noqa: ANN401 - httpx2's own
) -> httpx2.Client:
    """Return a client whose relative URLs start at the platform.

    Parameters
    ----------
    config
        Gives the address, CA and certificate checks. Its ``http_proxy_url`` is for the identity
        provider, as flytekit has it: proxies for the platform are the environment's.
    source
        Gives the tokens.
    options
        For `httpx2.Client`; they win.

    """
    auth = PlatformHttpAuth(source, config.base_url, guarded=True)
    return httpx2.Client(**_settings(config, auth, auth.keep_home, options))


def async_http_client(
    config: PlatformConfig,
    source: TokenSource,
    **options: Any,  # noqa: ANN401 - httpx2's own
) -> httpx2.AsyncClient:
    """Return the asynchronous twin of `http_client`."""
    auth = PlatformHttpAuth(source, config.base_url, guarded=True)

    async def keep_home(request: httpx2.Request) -> None:
        auth.keep_home(request)

    return httpx2.AsyncClient(**_settings(config, auth, keep_home, options))


def _settings(
    config: PlatformConfig,
    auth: PlatformHttpAuth,
    keep_home: Callable[[httpx2.Request], object],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    settings = {
        "base_url": config.base_url,
        "auth": auth,
        "verify": _trusted(config),
        # A proxy of the environment's could not reach this very machine.
        "trust_env": not is_loopback(httpx2.URL(config.base_url).host),
        "timeout": httpx2.Timeout(30.0, connect=10.0),
        **options,
    }
    hooks = dict(options.get("event_hooks") or {})
    settings["event_hooks"] = hooks | {"request": [*hooks.get("request", ()), keep_home]}
    return settings


def _trusted(config: PlatformConfig) -> ssl.SSLContext:
    trusted = tls_context(config)
    try:
        return httpx2.create_ssl_context(trusted)
    except OSError as error:
        raise bad_certificates(error) from None
