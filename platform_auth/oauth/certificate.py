"""What a server that is not trusted shows as its proof, so that an error can name it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import httpx2
from cryptography import x509
from cryptography.x509.oid import NameOID

from .responses import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = 5.0
_MOST_NAMES: Final = 5


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's certificate; whatever it says is the server's own word.

    Parameters
    ----------
    subject, issuer
        For people.
    names
        The hosts and addresses it is for (RFC 9525 §6).
    not_before, not_after
        When it is valid.

    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    @classmethod
    def of(cls, der: bytes) -> Certificate | None:
        """Return what a certificate says; None where nothing can be made of it."""
        try:
            found = x509.load_der_x509_certificate(der)
            return cls(
                _name(found.subject),
                _name(found.issuer),
                _names(found),
                found.not_valid_before_utc,
                found.not_valid_after_utc,
            )
        except (ValueError, TypeError, x509.DuplicateExtension):
            return None

    @property
    def is_expired(self) -> bool:
        """Whether it is too old by now."""
        return self.not_after < datetime.now(UTC)

    def __str__(self) -> str:
        names = ", ".join(self.names[:_MOST_NAMES]) or "no host"
        more = ", …" if len(self.names) > _MOST_NAMES else ""
        period = f"{self.not_before:%Y-%m-%d} to {self.not_after:%Y-%m-%d %H:%M} UTC"
        by = "by itself" if self.issuer == self.subject else f"by {self.issuer}"
        return f"{self.subject}, for {names}{more}, valid {period}, signed {by}"


async def shown_certificate(url: str, proxy: str | None) -> Certificate | None:
    """Connect to a server, look at its certificate, and hang up before a word of HTTP is said.

    Parameters
    ----------
    url
        Whose.
    proxy
        The HTTP proxy to go through.

    """
    seen: list[bytes] = []

    async def look(event: str, info: Mapping[str, Any]) -> None:
        if not event.endswith("start_tls.complete"):
            return
        stream = info["return_value"]
        seen.append(stream.get_extra_info("ssl_object").getpeercert(binary_form=True) or b"")
        await stream.aclose()
        raise _SeenError

    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(httpx2.HTTPError, OSError, _SeenError):
        async with (
            asyncio.timeout(_SECONDS),
            httpx2.AsyncClient(verify=trusting, proxy=proxy, trust_env=False) as client,
        ):
            await client.head(url, extensions={"trace": look})
    return Certificate.of(seen[0]) if seen else None


class _SeenError(Exception):
    """Enough has been seen."""


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return plain(f"CN={common[0].value!s}" if common else name.rfc4514_string() or "no name", 80)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    hosts = found.get_values_for_type(x509.DNSName)
    addresses = found.get_values_for_type(x509.IPAddress)
    return tuple(plain(str(each), 80) for each in (*hosts, *addresses))
