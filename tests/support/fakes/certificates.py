"""A private certificate authority, and what goes wrong with certificates."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

_HERE = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
)
_ELSEWHERE = x509.SubjectAlternativeName([x509.DNSName("other.example.com")])


@dataclass(frozen=True)
class Authority:
    """An authority that signs certificates for this machine."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: bytes = b""

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def server(
        self,
        directory: Path,
        *,
        elsewhere: bool = False,
        expired: bool = False,
        days: int = 1,
        host: str = "",
    ) -> ssl.SSLContext:
        """Return what a server needs to serve with a certificate of this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = _ELSEWHERE if elsewhere else _HERE
        if host:
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
        ends = timedelta(days=-1 if expired else days)
        certificate = (
            _begun("a test's server", self.certificate.subject, key, ends)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        file = directory / "server.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + certificate.public_bytes(Encoding.PEM) + self.chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def subordinate(self, name: str, *, expired: bool = False) -> Authority:
        """Return an authority below this one; servers show its certificate beside their own."""
        below = _authority(name, timedelta(days=-1 if expired else 1), self)
        return Authority(below.certificate, below.key, below.pem + self.chain)


@cache
def authority(name: str = "a test's authority", days: int = 1) -> Authority:
    """Return an authority."""
    return _authority(name, timedelta(days=days))


def _authority(name: str, ends: timedelta, above: Authority | None = None) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        key_cert_sign=True, crl_sign=True, digital_signature=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _begun(name, above.certificate.subject if above else subject, key, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(above.key if above else key, hashes.SHA256())
    )
    return Authority(certificate, key)


def _begun(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, ends: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + ends)
    )
