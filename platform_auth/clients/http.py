"""An httpx2 client on the platform: authenticated, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import httpx2

from ..config.endpoint import is_loopback
from ..config.tls import bad_certificates, tls_context
from .auth_flow import AuthFlow

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from ..broker.source import TokenSource as BrokerTokens
    from ..config import PlatformConfig
    from ..connection import Connection
    from . import TokenSource


MODEL: Final = httpx2.Client
"""See `platform_auth.clients.model_of`."""


class PlatformHttpAuth(AuthFlow, httpx2.Auth):
    """Authenticates requests of an `httpx2.Client` or `httpx2.AsyncClient`; see `AuthFlow`."""

    replayable = httpx2.ByteStream


def make(connection: Connection) -> httpx2.Client:
    """Return the client of `Connection.http`."""
    return http_client(connection.config, connection.tokens)


class _Client(httpx2.Client):
    """A client that pickles as a reference: whoever unpickles it asks their own broker."""

    reopened_by: tuple[TokenSource, Mapping[str, Any]]

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, self.reopened_by


class _AsyncClient(httpx2.AsyncClient):
    """Its asynchronous twin."""

    reopened_by: tuple[TokenSource, Mapping[str, Any]]

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened_async, self.reopened_by


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
    client = _Client(**_settings(config, auth, auth.keep_home, options))
    client.reopened_by = source, options
    return client


def async_http_client(
    config: PlatformConfig,
    source: TokenSource,
    **options: Any,  # noqa: ANN401 - httpx2's own
) -> httpx2.AsyncClient:
    """Return the asynchronous twin of `http_client`."""
    auth = PlatformHttpAuth(source, config.base_url, guarded=True)

    async def keep_home(request: httpx2.Request) -> None:
        auth.keep_home(request)

    client = _AsyncClient(**_settings(config, auth, keep_home, options))
    client.reopened_by = source, options
    return client


def _reopened(source: TokenSource, options: Mapping[str, Any]) -> httpx2.Client:
    return _connection(source).http(**options)


def _reopened_async(source: TokenSource, options: Mapping[str, Any]) -> httpx2.AsyncClient:
    return _connection(source).http_async(**options)


def _connection(source: TokenSource) -> Connection:
    # The configuration is not pickled: an HTTP proxy's password may be in it.
    from ..connection import connection_of

    return connection_of(cast("BrokerTokens", source))  # others were not made by `Connection.http`


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
