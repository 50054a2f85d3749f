"""An httpx2 client on the platform: authenticated, and only there."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final

import httpx2

from ..config.endpoint import is_loopback
from ..config.tls import bad_certificates, tls_context
from ..oauth.responses import plain

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from ..broker.access_token import AccessToken
    from ..config import PlatformConfig
    from ..connection import Connection
    from . import TokenSource

log = logging.getLogger("platform_auth")

_FORBIDDEN: Final = 403
_OURS: Final = "platform_auth.headers"  # an extension outlives redirects, as headers do


class PlatformHttpAuth(httpx2.Auth):
    """Puts a fresh token on every request to the platform, and on no other.

    A 401 is answered once: with the token that replaces the refused one, if the body can be sent
    again. So is a refusal of a proxy in front of the platform, which the profile's
    ``proxy_command`` makes tokens for. Use it in a session of your own, too:
    ``httpx2.Client(auth=connection.http_auth())``.

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
        token, answered = self._source.token(), set[bool]()
        response = yield _with(token, request)
        while (stale := self._stale(token, response, answered)) is not None:
            fresh = self._source.token(stale=stale)
            if fresh.headers == token.headers:
                return
            token = fresh
            response = yield _with(token, request)
        _tell_missing_scope(response)

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Authenticate a request; see the class."""
        if not self.covers(request.url):
            yield request
            return
        token, answered = await self._source.token_async(), set[bool]()
        response = yield _with(token, request)
        while (stale := self._stale(token, response, answered)) is not None:
            fresh = await self._source.token_async(stale=stale)
            if fresh.headers == token.headers:
                return
            token = fresh
            response = yield _with(token, request)
        _tell_missing_scope(response)

    def covers(self, url: httpx2.URL) -> bool:
        """Tell whether tokens may go there."""
        return _origin(url) == self._origin

    def keep_home(self, request: httpx2.Request) -> None:
        """Take a token off a request that is about to go elsewhere, as after a redirect.

        httpx2 drops ``Authorization`` by itself, but neither a platform's own header nor a proxy's.
        """
        if not self.covers(request.url):
            for name in request.extensions.get(_OURS, ()):
                request.headers.pop(name, None)

    def _stale(
        self, token: AccessToken, response: httpx2.Response, answered: set[bool]
    ) -> str | None:
        """Return the fingerprint of what is refused, of the platform's and the proxy's once each.

        None where it cannot be replaced, or the request cannot be sent again.
        """
        refused = token.refused_by(response.status_code, response.headers)
        by_platform = refused == token.fingerprint
        # After a redirect it may be somebody else who refuses.
        if refused is None or by_platform in answered or not self.covers(response.url):
            return None
        answered.add(by_platform)
        return refused if isinstance(response.request.stream, httpx2.ByteStream) else None


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
        "verify": _trusted(config),
        "proxy": config.http_proxy_url,
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


def _tell_missing_scope(response: httpx2.Response) -> None:
    """Say which scope the platform wants (RFC 6750 §3.1); a fresh token would lack it, too."""
    challenge = response.headers.get("www-authenticate", "")
    if response.status_code != _FORBIDDEN or "insufficient_scope" not in challenge:
        return
    named = re.search(r'\bscope="([^"]*)"', challenge)
    scope = plain(named[1], 200) if named else "more"
    log.warning(
        "%s wants the scope %s for this. Ask for it (%%platform_login --scopes %s), or have it"
        " granted to you.",
        response.url.host,
        *(scope, scope if named else "SCOPE"),
    )


def _with(token: AccessToken, request: httpx2.Request) -> httpx2.Request:
    request.headers.update(token.headers)
    request.extensions[_OURS] = tuple(token.headers)
    return request


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host.lower(), port
