"""An httpx2 client on the platform: authenticated, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx2

from ..config.endpoint import is_loopback
from ..config.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from ..broker.access_token import AccessToken
    from ..config import PlatformConfig
    from ..connection import Connection
    from . import TokenSource

_UNAUTHORIZED: Final = 401
_OURS: Final = "platform_auth.header"  # an extension outlives redirects, as headers do


class PlatformHttpAuth(httpx2.Auth):
    """Puts a fresh token on every request to the platform, and on no other.

    A 401 is answered once: with the token that replaces the refused one, if the body can be sent
    again. Use it in a session of your own, too: ``httpx2.Client(auth=connection.http_auth())``.

    Parameters
    ----------
    source
        Where tokens come from.
    base_url
        The platform; tokens go to its origin (RFC 6454) alone.

    """

    def __init__(self, source: TokenSource, base_url: str) -> None:
        self._source, self._origin = source, _origin(httpx2.URL(base_url))

    def sync_auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Authenticate a request; see the class."""
        if not self.covers(request.url):
            yield request
            return
        token = self._source.token()
        response = yield _with(token, request)
        if self._is_refused(response) and _can_repeat(request):
            fresh = self._source.token(stale=token.fingerprint)
            if fresh.fingerprint != token.fingerprint:
                yield _with(fresh, request)

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Authenticate a request; see the class."""
        if not self.covers(request.url):
            yield request
            return
        token = await self._source.token_async()
        response = yield _with(token, request)
        if self._is_refused(response) and _can_repeat(request):
            fresh = await self._source.token_async(stale=token.fingerprint)
            if fresh.fingerprint != token.fingerprint:
                yield _with(fresh, request)

    def covers(self, url: httpx2.URL) -> bool:
        """Tell whether tokens may go there."""
        return _origin(url) == self._origin

    def keep_home(self, request: httpx2.Request) -> None:
        """Take a token off a request that is about to go elsewhere, as after a redirect.

        httpx2 drops ``Authorization`` by itself, but not a platform's own header.
        """
        if _OURS in request.extensions and not self.covers(request.url):
            request.headers.pop(request.extensions[_OURS], None)

    def _is_refused(self, response: httpx2.Response) -> bool:
        # After a redirect it may be somebody else who refuses.
        return response.status_code == _UNAUTHORIZED and self.covers(response.url)


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
        Gives the address, CA, certificate checks and proxy.
    source
        Gives the tokens.
    options
        For `httpx2.Client`; they win.

    """
    auth = PlatformHttpAuth(source, config.base_url)
    return httpx2.Client(**_settings(config, auth, auth.keep_home, options))


def async_http_client(
    config: PlatformConfig,
    source: TokenSource,
    **options: Any,  # noqa: ANN401 - httpx2's own
) -> httpx2.AsyncClient:
    """Return the asynchronous twin of `http_client`."""
    auth = PlatformHttpAuth(source, config.base_url)

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
        "verify": tls_context(config),
        "proxy": config.http_proxy_url,
        # A proxy of the environment's could not reach this very machine.
        "trust_env": not is_loopback(httpx2.URL(config.base_url).host),
        "timeout": httpx2.Timeout(30.0, connect=10.0),
        **options,
    }
    hooks = dict(options.get("event_hooks") or {})
    settings["event_hooks"] = hooks | {"request": [*hooks.get("request", ()), keep_home]}
    return settings


def _with(token: AccessToken, request: httpx2.Request) -> httpx2.Request:
    request.headers[token.header] = token.authorization
    request.extensions[_OURS] = token.header
    return request


def _can_repeat(request: httpx2.Request) -> bool:
    return isinstance(request.stream, httpx2.ByteStream)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host.lower(), port
