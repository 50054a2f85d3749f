"""The one way out: every OAuth request of every flow goes through here.

It knows the profile's CA file, certificate checks and HTTP proxy, gives each request a total time,
tries again what may be tried again, follows no redirects, stops reading at a limit, and turns
whatever a library raises into the tree of `platform_auth.errors`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final

import httpx2
import stamina

from .._version import __version__
from ..config.endpoint import check_proxy
from ..config.tls import bad_certificates, tls_context
from ..errors import ConfigError, TransportError
from . import redaction
from .faults import Way, bad_proxy, explained, too_slow
from .metadata import is_secure
from .responses import refuse_busy
from .route import Routes
from .steps import Request, Response, origin_of

if TYPE_CHECKING:
    from ..config import PlatformConfig

TOTAL_SECONDS: Final = 30.0
"""Seconds one request may take, from connecting to the last byte."""

MAX_BODY: Final = 1024 * 1024
"""Bytes of an answer that are read."""

_TIMEOUT = httpx2.Timeout(15.0, connect=5.0, pool=5.0)
_ATTEMPTS: Final = {"GET": 3, "POST": 2}
_LONGEST_PAUSE = 5.0  # seconds between two attempts; who asks for more is asked another time

# Where nobody has set up logging, Python would print its bare event's name at the person.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class Transport:
    """Sends the requests of flows for one profile.

    Parameters
    ----------
    config
        Its CA file, certificate checks and proxy.
    total
        Seconds for each request, with all its attempts.

    Raises
    ------
    ConfigError
        A CA file (its own or ``SSL_CERT_FILE``) or proxy address that cannot be used.

    """

    def __init__(self, config: PlatformConfig, *, total: float = TOTAL_SECONDS) -> None:
        redaction.install()
        self._config, self._total = config, total
        self._routes = Routes(config.http_proxy_url)
        trusted = tls_context(config)
        try:
            # Made once: reading the machine's certificate authorities takes 30 ms.
            self._trusted = httpx2.create_ssl_context(trusted)
        except OSError as error:
            raise bad_certificates(error) from None
        self._clients: dict[str | None, httpx2.AsyncClient] = {}
        self._client(config.http_proxy_url)  # what cannot be used is said at once

    def _client(self, proxy: str | None) -> httpx2.AsyncClient:
        """Return the client that goes through a proxy, or through none."""
        if proxy not in self._clients:
            try:
                self._clients[proxy] = self._new_client(proxy and check_proxy(proxy))
            except (ValueError, ImportError, ConfigError) as error:
                raise bad_proxy(proxy, error) from None
        return self._clients[proxy]

    def _new_client(self, proxy: str | None) -> httpx2.AsyncClient:
        # A proxy that is spoken to over TLS is trusted as the provider is.
        tls = self._trusted if proxy and proxy.startswith("https:") else None
        return httpx2.AsyncClient(
            verify=self._trusted,
            proxy=httpx2.Proxy(proxy, ssl_context=tls) if proxy else None,
            trust_env=False,  # the environment has been read by now
            timeout=_TIMEOUT,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # none
            # Uncompressed, so that no answer can grow beyond what was read.
            headers={"User-Agent": f"platform-auth/{__version__}", "Accept-Encoding": "identity"},
            # A rotated token's answer must not be lost to a connection that died meanwhile.
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    async def send(self, request: Request) -> Response:
        """Send one request and return whatever the server answered, errors of its own included.

        Raises
        ------
        TransportError, TLSError, ProxyError
            There was no answer.
        ConfigError
            The address is plain http to another machine.

        """
        if not (is_secure(request.url) or request.plain):
            what = f"{origin_of(request.url)} is plain http and not on this machine: refused."
            raise ConfigError(what, fix="Use the https address of the identity provider.")
        way = Way(request.url, self._routes.proxy_for(request.url))
        try:
            async with asyncio.timeout(min(self._total, request.timeout or self._total)):
                return await self._send_repeatedly(request, way)
        except TimeoutError:
            raise too_slow(way) from None

    async def _send_repeatedly(self, request: Request, way: Way) -> Response:
        attempts = _ATTEMPTS.get(request.method, 1) if request.replay else 1
        async for attempt in stamina.retry_context(
            on=_worth_another_try, attempts=attempts, wait_initial=0.2, wait_max=_LONGEST_PAUSE
        ):
            with attempt:
                response = await self._send_once(request, Way(way.url, way.proxy))
                if request.replay and request.method == "GET":
                    refuse_busy(response)
                return replace(response, attempts=attempt.num)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _send_once(self, request: Request, way: Way) -> Response:
        client = self._client(way.proxy)
        try:
            return await _exchange(client, request, way)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ssl.SSLError) as error:
            problem = await explained(error, way, self._config, self._trusted)
        # Not inside: a library's exception may hold the request, and that the credentials.
        raise problem

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()


async def _exchange(client: httpx2.AsyncClient, request: Request, way: Way) -> Response:
    async with client.stream(
        request.method,
        request.url,
        headers=dict(request.headers),
        content=request.body.encode(),
        extensions={"trace": way.trace},
    ) as answer:
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise TransportError(f"{origin_of(request.url)} compresses what must not be.")
        body = bytearray()
        async for chunk in answer.aiter_raw(64 * 1024):
            body += chunk
            if len(body) > MAX_BODY:
                raise TransportError(f"{origin_of(request.url)} answers without end.")
        said = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, said, bytes(body), request.url)


def _worth_another_try(error: Exception) -> bool | float:
    if not (isinstance(error, TransportError) and error.retryable):
        return False
    pause = error.retry_after
    return True if pause is None else pause <= _LONGEST_PAUSE and pause
