"""Whether a server's certificate is trusted, who signed it, and for how long it is valid."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import httpx2

from ...config.tls import tls_context
from ...errors import PlatformAuthError
from ...oauth.certificate import Certificate
from ...oauth.steps import Request
from ...oauth.transport import Transport
from .finding import Finding, Level

if TYPE_CHECKING:
    from ...config import PlatformConfig

_PATIENCE: Final = 10.0
_SOON: Final = 14  # days


def check(url: str, config: PlatformConfig, proxy: str | None) -> Finding:
    """Shake hands with a server, and look at what it shows.

    Parameters
    ----------
    url
        Whose; not a byte of HTTP is said to it.
    config
        Which certificates to trust.
    proxy
        What to go through.

    """
    try:
        chain = _chain(url, config, proxy)
    except PlatformAuthError as error:
        return Finding.of(error, "TLS")
    except (httpx2.HTTPError, OSError, ValueError, ImportError):
        return asyncio.run(_explained(url, config))
    return _verdict(chain, config) if chain else Finding(Level.WARN, "TLS: no certificate was seen")


def _verdict(chain: list[Certificate], config: PlatformConfig) -> Finding:
    first = min(chain, key=lambda each: each.not_after)
    days = (first.not_after - datetime.now(UTC)).days
    signed = " ← ".join(each.subject for each in chain)
    whose = "" if first is chain[0] else f" ({first.subject})"
    if config.insecure_skip_verify:
        return Finding(Level.OK, f"TLS: {signed}, which nobody has verified")
    what = f"TLS: {signed}, {days} day{'' if days == 1 else 's'} left{whose}"
    if days < _SOON:
        fix = "Have it renewed: from that day on nobody gets in."
        return Finding(Level.WARN, what, f"It ends on {first.not_after:%Y-%m-%d %H:%M} UTC.", fix)
    return Finding(Level.OK, what)


def _chain(url: str, config: PlatformConfig, proxy: str | None) -> list[Certificate]:
    """Return the certificates from the server's own to the authority's, as far as they are told."""
    trusted = httpx2.create_ssl_context(tls_context(config))
    seen: list[Any] = []

    def look(event: str, info: dict[str, Any]) -> None:
        if event.endswith("start_tls.complete"):
            stream = info["return_value"]
            seen.append(stream.get_extra_info("ssl_object"))
            stream.close()
            raise _SeenError

    over = httpx2.Proxy(proxy) if proxy else None
    with httpx2.Client(verify=trusted, proxy=over, trust_env=False, timeout=_PATIENCE) as client:
        try:
            client.head(url, extensions={"trace": look})
        except _SeenError:
            found = map(Certificate.of, _shown(seen[0]))
            return [each for each in found if each is not None]
    return []


def _shown(connection: Any) -> list[bytes]:  # noqa: ANN401 - of the ssl module's inner ones
    # The whole chain is public in Python 3.13 only, but what that stands on is there before.
    whole = getattr(connection, "get_verified_chain", lambda: None)()
    if whole:
        return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in whole]
    own = connection.getpeercert(True)  # noqa: FBT003 - it takes no other
    return [own] if own else []


async def _explained(url: str, config: PlatformConfig) -> Finding:
    """Return what a sign-in would say, in its own words."""
    try:
        transport = Transport(config, total=_PATIENCE)
        try:
            await transport.send(Request("GET", url))
        finally:
            await transport.close()
    except PlatformAuthError as error:
        return Finding.of(error, "TLS")
    return Finding(Level.WARN, "TLS: it failed once, and worked the second time")


class _SeenError(Exception):
    """Enough has been seen."""
