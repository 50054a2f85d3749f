"""The one way out: every OAuth request of every flow goes through here.

It knows the profile's CA file, certificate checks and HTTP proxy, gives each request a total time,
tries again what may be tried again, follows no redirects, stops reading at a limit, and turns
whatever a library raises into the tree of `platform_auth.errors`.
"""

from __future__ import annotations

import asyncio
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx2
import stamina

from .._version import __version__
from ..config.tls import bad_certificates, tls_context
from ..errors import ConfigError, PlatformAuthError, ProxyError, TLSError, TransportError
from . import redaction
from .metadata import is_loopback, is_secure
from .responses import refuse_busy
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
        self._total, self._proxy = total, config.http_proxy_url
        trusted = tls_context(config)
        try:
            # Made once: reading the machine's certificate authorities takes 30 ms.
            self._verify = httpx2.create_ssl_context(trusted)
            self._client = self._new_client(self._proxy)
            self._direct = self._new_client(None, trust_env=False)
        except OSError as error:
            raise bad_certificates(error) from None
        except (ValueError, ImportError) as error:
            raise _bad_proxy(error) from None

    def _new_client(self, proxy: str | None, *, trust_env: bool = True) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            verify=self._verify,
            proxy=proxy,
            trust_env=trust_env,
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
        if not is_secure(request.url):
            what = f"{origin_of(request.url)} is plain http and not on this machine: refused."
            raise ConfigError(what, fix="Use the https address of the identity provider.")
        try:
            async with asyncio.timeout(self._total):
                return await self._send_repeatedly(request)
        except TimeoutError:
            raise _too_slow(request.url) from None

    async def _send_repeatedly(self, request: Request) -> Response:
        attempts = _ATTEMPTS.get(request.method, 1) if request.replay else 1
        async for attempt in stamina.retry_context(
            on=_worth_another_try, attempts=attempts, wait_initial=0.2, wait_max=_LONGEST_PAUSE
        ):
            with attempt:
                response = await self._send_once(request)
                if request.replay and request.method == "GET":
                    refuse_busy(response)
                return response
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _send_once(self, request: Request) -> Response:
        try:
            return await self._exchange(request)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            problem = self._explained(error, request.url)
        # Not inside: a library's exception may hold the request, and that the credentials.
        raise problem

    async def _exchange(self, request: Request) -> Response:
        headers, content = dict(request.headers), request.body.encode()
        async with self._route(request.url).stream(
            request.method, request.url, headers=headers, content=content
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

    def _route(self, url: str) -> httpx2.AsyncClient:
        return self._direct if _is_here(url) else self._client

    def _explained(self, error: Exception, url: str) -> PlatformAuthError:
        where, cause = origin_of(url), str(error)
        if isinstance(error, httpx2.ProxyError):
            return _proxy_refused(self._proxy, cause)
        if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
            return ConfigError(f"{where} is not an address that can be reached.")
        if _is_tls(error, cause):
            return _not_trusted(where, cause)
        if isinstance(error, httpx2.TimeoutException):
            return _too_slow(url)
        through = origin_of(self._proxy) if self._proxy else ""
        via = f" (through the proxy {through})" if through and not _is_here(url) else ""
        return TransportError(
            f"{where} cannot be reached{via}.",
            why=redaction.redact(cause) or type(error).__name__,
            fix="Check the address, the network, the VPN and the proxy; nothing is lost.",
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        await self._direct.aclose()


def _is_here(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname)


def _worth_another_try(error: Exception) -> bool | float:
    if not (isinstance(error, TransportError) and error.retryable):
        return False
    pause = error.retry_after
    return True if pause is None else pause <= _LONGEST_PAUSE and pause


def _too_slow(url: str) -> TransportError:
    what = f"{origin_of(url)} does not answer in time."
    return TransportError(what, fix="Check the network, the VPN and the proxy; nothing is lost.")


def _is_tls(error: BaseException | None, text: str) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return "CERTIFICATE_VERIFY_FAILED" in text


def _not_trusted(where: str, cause: str) -> TLSError:
    fix = next((fix for word, fix in _TLS_FIXES if word in cause), _UNKNOWN_AUTHORITY)
    what = f"The connection to {where} is not trusted."
    return TLSError(what, why=redaction.redact(cause), fix=fix)


_TLS_FIXES: Final = (
    ("expired", "Check this machine's clock, or have the certificate renewed."),
    ("mismatch", "Use the host name that the certificate was made for."),
    ("WRONG_VERSION_NUMBER", "Check scheme and port: this does not speak TLS."),
)
_UNKNOWN_AUTHORITY: Final = (
    "Set admin.caCertFilePath (or SSL_CERT_FILE) to the CA that signed its certificate;"
    " on a slim image install the package ca-certificates."
)


def _proxy_refused(proxy: str | None, cause: str) -> ProxyError:
    name = origin_of(proxy) if proxy else "set in the environment"
    return ProxyError(
        f"The HTTP proxy ({name}) does not let the request through.",
        why=redaction.redact(cause),
        fix="Check admin.httpProxyURL or HTTPS_PROXY, and its user name and password.",
        retryable=not cause.startswith("4"),  # 407 and its like will not change by themselves
    )


def _bad_proxy(error: Exception) -> ConfigError:
    return ConfigError(
        "The HTTP proxy's address cannot be used.",
        why=redaction.redact(str(error)),
        fix="Write it as http://host:port in admin.httpProxyURL or HTTPS_PROXY.",
    )
