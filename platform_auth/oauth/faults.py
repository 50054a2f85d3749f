"""What went wrong on the way to a server, for people: theirs, the network's, or the proxy's."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx2

from ..config.tls import trusted_by
from ..errors import ConfigError, PlatformAuthError, ProxyError, TLSError, TransportError
from . import redaction
from .route import shown_proxy
from .steps import origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import PlatformConfig
    from .certificate import Certificate


@dataclass(slots=True)
class Way:
    """How far a request has come.

    Parameters
    ----------
    url
        Where it goes.
    proxy
        What it goes through; None for the direct way.
    beyond
        Whether it has got through the proxy.

    """

    url: str
    proxy: str | None = None
    beyond: bool = False

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """Follow it (httpx2's extension ``trace``)."""
        # With https proxies "connection.start_tls" is about the connection to the proxy itself.
        if event in {"proxy.start_tls.started", "socks.start_tls.started"}:
            self.beyond = True

    @property
    def at_proxy(self) -> bool:
        """Whether whatever happens now happens between us and the proxy."""
        return self.proxy is not None and not self.beyond

    @property
    def where(self) -> str:
        """Who is spoken to, for people."""
        return shown_proxy(self.proxy) if self.proxy and not self.beyond else origin_of(self.url)


async def explained(
    error: Exception, way: Way, config: PlatformConfig, trusted: ssl.SSLContext
) -> PlatformAuthError:
    """Return the error of ours for one of httpx2's.

    Parameters
    ----------
    error
        What was raised.
    way
        How far the request had come.
    config, trusted
        For what is trusted, and why.

    """
    cause = redaction.redact(str(error)) or type(error).__name__
    problem = _tls_error(error)
    if problem is not None:
        return await _not_trusted(problem, way, trusted_by(config, trusted))
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return ConfigError(f"{origin_of(way.url)} is not an address that can be reached.")
    if way.proxy is not None and (way.at_proxy or isinstance(error, httpx2.ProxyError)):
        return _proxy_failed(error, cause, way)
    if isinstance(error, httpx2.TimeoutException):
        return too_slow(way)
    via = f" (through the proxy {shown_proxy(way.proxy)})" if way.proxy else ""
    what = f"{origin_of(way.url)} cannot be reached{via}."
    return TransportError(what, why=cause, fix=_NETWORK)


_NETWORK: Final = "Check the address, the network, the VPN and the proxy; nothing is lost."


def too_slow(way: Way) -> TransportError:
    """Return the error for an answer that did not come in time."""
    via = f" (through the proxy {shown_proxy(way.proxy)})" if way.proxy else ""
    what = f"{origin_of(way.url)} does not answer in time{via}."
    return TransportError(what, fix="Check the network, the VPN and the proxy; nothing is lost.")


# The proxy


def _proxy_failed(error: Exception, cause: str, way: Way) -> ProxyError:
    name, target = shown_proxy(way.proxy or ""), origin_of(way.url)
    if not isinstance(error, httpx2.ProxyError):
        what = f"The HTTP proxy {name} cannot be reached."
        fix = f"Check {_WHERE_PROXIES_ARE}, the network and the VPN; nothing is lost."
        return ProxyError(what, why=f"{cause}, on the way to {target}.", fix=fix, retryable=True)
    # Some proxies take 401 for a password that is wrong.
    if cause.startswith(("407", "401")) or "username/password" in cause:
        known = "@" in (way.proxy or "")
        said = "does not accept the" if known else "wants a"
        what = f"The HTTP proxy {name} {said} user name and password."
        fix = f"Correct them in {_WHERE_PROXIES_ARE}: http://user:password@host:port."
        return ProxyError(what, why=f"{cause}.", fix=fix, retryable=False)
    what = f"The HTTP proxy {name} does not let requests through to {target}."
    fix = f"Ask those who run the proxy, or name another in {_WHERE_PROXIES_ARE}."
    # 403 and its like will not change by themselves; 502 may.
    return ProxyError(what, why=f"{cause}.", fix=fix, retryable=not cause.startswith("4"))


_WHERE_PROXIES_ARE: Final = "admin.httpProxyURL or HTTPS_PROXY"


def bad_proxy(proxy: str | None, error: Exception) -> ConfigError:
    """Return the error for the address of a proxy that cannot be one."""
    if isinstance(error, ImportError):  # one of the environment's
        what = "A SOCKS proxy needs a package that is not installed."
        fix = 'Run pip install "httpx2[socks]" where Jupyter runs, or name an HTTP proxy.'
        return ConfigError(what, fix=fix)
    return ConfigError(
        f"The HTTP proxy's address {shown_proxy(proxy or '')} cannot be used.",
        fix=f"Write it as http://host:port in {_WHERE_PROXIES_ARE}.",
    )


# Certificates


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            # Who hangs up while hands are shaken is a fault of the network's, not of trust.
            return None if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) else error
        error = error.__cause__ or error.__context__
    return None


async def _not_trusted(problem: ssl.SSLError, way: Way, trusted: str) -> TLSError:
    certificate = None
    if isinstance(problem, ssl.SSLCertVerificationError) and not way.at_proxy:
        from .certificate import shown_certificate  # late: what it needs is large, and rarely used

        certificate = await shown_certificate(way.url, way.proxy)
    what, fix = _meaning(problem, certificate)
    why = redaction.redact(getattr(problem, "verify_message", "") or problem.reason or str(problem))
    shown = f" The certificate: {certificate}." if certificate else ""
    whom = f" Trusted: {trusted}." if _is_about_trust(problem) else ""
    what = f"The connection to {way.where} is not trusted: {what}."
    return TLSError(what, why=f"{why}.{shown}{whom}", fix=fix)


def _is_about_trust(problem: ssl.SSLError) -> bool:
    return getattr(problem, "verify_code", None) not in {None, _MISMATCH, _MISMATCH_ADDRESS}


# The codes of OpenSSL's x509_vfy.h.
_NOT_YET, _EXPIRED, _MISMATCH, _MISMATCH_ADDRESS = 9, 10, 62, 64


def _meaning(problem: ssl.SSLError, certificate: Certificate | None) -> tuple[str, str]:
    """Return what is wrong and what to do about it."""
    code = getattr(problem, "verify_code", None)
    if code is None:
        return _without_certificate(problem)
    if code == _EXPIRED:
        whose = "an authority behind its certificate has expired"
        if certificate is None or certificate.is_expired:
            whose = "its certificate has expired"
        return whose, "Check this machine's clock, or have the certificate renewed."
    if code == _NOT_YET:
        return "its certificate is not valid yet", "Check this machine's clock."
    if code in {_MISMATCH, _MISMATCH_ADDRESS}:
        names = ", ".join(certificate.names) if certificate else ""
        fix = f"Use a host name that the certificate was made for{names and ': '}{names}."
        return "its certificate is for another host name", fix
    by = f" ({certificate.issuer})" if certificate else ""
    return f"nobody here knows who signed its certificate{by}", _UNKNOWN_AUTHORITY


_UNKNOWN_AUTHORITY: Final = (
    "Set admin.caCertFilePath (or SSL_CERT_FILE) to the CA that signed its certificate;"
    " on a slim image install the package ca-certificates."
)
_OLD: Final = ("PROTOCOL", "CIPHER", "HANDSHAKE_FAILURE", "KEY_TOO_SMALL", "LEGACY", "SSL_VERSION")
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER", "PACKET_LENGTH")


def _without_certificate(problem: ssl.SSLError) -> tuple[str, str]:
    reason = problem.reason or str(problem)
    if any(word in reason for word in _NO_TLS):
        return "it does not speak TLS", "Check scheme and port: this does not speak TLS."
    if "CERTIFICATE" in reason:
        fix = "Ask for an address that takes tokens alone: client certificates are not supported."
        return "it wants a certificate of ours", fix
    if any(word in reason for word in _OLD):
        fix = "The server must be taught TLS 1.2 or newer; tell those who run it."
        return "it offers no TLS that is safe", fix
    return "TLS failed", "Check the address, and what is in between."
