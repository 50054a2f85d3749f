"""The one way out: every OAuth request of every flow goes through here.

It knows the profile's CA file, certificate checks and HTTP proxy, gives each request a total time,
tries again what may be tried again, follows no redirects, stops reading at a limit, and turns
whatever a library raises into the tree of `platform_auth.errors`.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx2
import stamina

from .._version import __version__
from ..config.tls import tls_context
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
"""Bytes of an answer that are read, after any content coding is undone."""

_TIMEOUT = httpx2.Timeout(15.0, connect=5.0, pool=5.0)
_ATTEMPTS = 3


class Transport:
    """Sends the requests of flows for one profile.

    Parameters
    ----------
    config
        Its CA file, certificate checks and proxy.
    total
        Seconds for each request.

    Raises
    ------
    ConfigError
        A CA file (its own or ``SSL_CERT_FILE``) or proxy address that cannot be used.

    """

    def __init__(self, config: PlatformConfig, *, total: float = TOTAL_SECONDS) -> None:
        redaction.install()
        self._total = total
        self._proxy = config.http_proxy_url
        self._verify = tls_context(config)
        try:
            self._client = self._new_client(self._proxy)
            self._direct = self._new_client(None, trust_env=False)
        except OSError as error:
            raise _bad_certificates(error) from None
        except (ValueError, ImportError) as error:
            raise _bad_proxy(error) from None

    def _new_client(self, proxy: str | None, *, trust_env: bool = True) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            verify=self._verify,
            proxy=proxy,
            trust_env=trust_env,
            timeout=_TIMEOUT,
            follow_redirects=False,
            headers={"User-Agent": f"platform-auth/{__version__}"},
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
        attempts = _ATTEMPTS if request.replay else 1
        async for attempt in stamina.retry_context(
            on=_worth_another_try, attempts=attempts, wait_initial=0.2, wait_max=5.0
        ):
            with attempt:
                response = await self._send_once(request)
                if request.replay and request.method == "GET":
                    refuse_busy(response)
                return response
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _send_once(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(self._total):
                return await self._exchange(request)
        except PlatformAuthError:
            raise
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, TimeoutError) as error:
            # "from None": a library's exception may hold the request, and that the credentials.
            raise self._explained(error, request.url) from None

    async def _exchange(self, request: Request) -> Response:
        client = self._direct if is_loopback(urlsplit(request.url).hostname) else self._client
        async with client.stream(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=request.body.encode(),
        ) as answer:
            body = bytearray()
            async for chunk in answer.aiter_bytes(64 * 1024):
                body += chunk
                if len(body) > MAX_BODY:
                    raise TransportError(f"{origin_of(request.url)} answers without end.")
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status_code, headers, bytes(body), request.url)

    def _explained(self, error: Exception, url: str) -> PlatformAuthError:
        where, cause = origin_of(url), str(error)
        if isinstance(error, httpx2.ProxyError):
            return _proxy_refused(self._proxy, cause)
        if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
            return ConfigError(f"{where} is not an address that can be reached.")
        if _is_tls(error, cause):
            return _not_trusted(where, cause)
        if isinstance(error, httpx2.TimeoutException | TimeoutError):
            return TransportError(
                f"{where} does not answer in time.",
                fix="Check the network, the VPN and the proxy; nothing is lost.",
            )
        return TransportError(
            f"{where} cannot be reached.",
            why=redaction.redact(cause) or type(error).__name__,
            fix="Check the address, the network, the VPN and the proxy; nothing is lost.",
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        await self._direct.aclose()


def _worth_another_try(error: Exception) -> bool | float:
    if not (isinstance(error, TransportError) and error.retryable):
        return False
    return error.retry_after if error.retry_after is not None else True


def _is_tls(error: BaseException | None, text: str) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return "CERTIFICATE_VERIFY_FAILED" in text


def _not_trusted(where: str, cause: str) -> TLSError:
    return TLSError(
        f"The connection to {where} is not trusted.",
        why=redaction.redact(cause),
        fix="Set admin.caCertFilePath (or SSL_CERT_FILE) to the CA that signed its certificate;"
        " on a slim image install the package ca-certificates.",
    )


def _proxy_refused(proxy: str | None, cause: str) -> ProxyError:
    name = origin_of(proxy) if proxy else "set in the environment"
    return ProxyError(
        f"The HTTP proxy ({name}) does not let the request through.",
        why=redaction.redact(cause),
        fix="Check admin.httpProxyURL or HTTPS_PROXY, and its user name and password.",
    )


def _bad_proxy(error: Exception) -> ConfigError:
    return ConfigError(
        "The HTTP proxy's address cannot be used.",
        why=redaction.redact(str(error)),
        fix="Write it as http://host:port in admin.httpProxyURL or HTTPS_PROXY.",
    )


def _bad_certificates(error: OSError) -> ConfigError:
    return ConfigError(
        "The certificates that the environment names cannot be used.",
        why=error.strerror or type(error).__name__,
        fix="Correct SSL_CERT_FILE or SSL_CERT_DIR, or unset it.",
    )
