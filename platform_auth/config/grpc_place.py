"""Where a platform speaks gRPC, and how its certificate is checked there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc

from ..errors import ConfigError, TransportError
from .endpoint import Endpoint
from .tls import tls_context

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from .model import PlatformConfig

_HANDSHAKE: Final = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class GrpcPlace:
    """What a channel is made of.

    Parameters
    ----------
    target
        The address, in gRPC's own form.
    credentials
        Whom to trust; None for plaintext.
    options
        Channel arguments that go with them.

    """

    target: str
    credentials: grpc.ChannelCredentials | None
    options: tuple[tuple[str, str | int], ...]

    @classmethod
    def of(cls, config: PlatformConfig) -> GrpcPlace:
        """Return a profile's; it may have to ask the platform for its certificate.

        Raises
        ------
        ConfigError
            The CA file cannot be used.
        TransportError
            Certificates are not to be checked, and the platform could not be asked for its own.

        """
        endpoint, plain = Endpoint.parse(config.endpoint), config.base_url.startswith("http:")
        port = endpoint.effective_port(plain=plain)
        target = f"dns:///{Endpoint(endpoint.host, port).authority}"
        # As over HTTP, what is on this machine is not reached through a proxy elsewhere.
        here = (("grpc.enable_http_proxy", 0),) if endpoint.is_loopback else ()
        if plain:
            return cls(target, None, here)
        if not config.insecure_skip_verify:
            return cls(target, grpc.ssl_channel_credentials(_roots(config)), here)
        served, name = _served(endpoint)
        # Who does not check certificates does not check the name in them either.
        named = ("grpc.ssl_target_name_override", name)
        return cls(target, grpc.ssl_channel_credentials(served), (*here, named))


def _roots(config: PlatformConfig) -> bytes | None:
    """Return the authorities to trust: the CA file's, else those that Python itself trusts.

    The latter also by ``SSL_CERT_FILE``, for gRPC brings a list of its own. None where Python finds
    nothing, which leaves gRPC its list.
    """
    if config.ca_cert_file_path is not None:
        tls_context(config)  # says what is wrong with it; gRPC would only ever say "unavailable"
        return Path(config.ca_cert_file_path).expanduser().read_bytes()
    roots = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, roots)).encode() or None


def _served(endpoint: Endpoint) -> tuple[bytes, str]:
    """Return the certificate that the platform shows, and a name that is in it."""
    from cryptography import x509

    address = endpoint.host, endpoint.effective_port()
    try:
        pem = ssl.get_server_certificate(address, timeout=_HANDSHAKE).encode()
        certificate = x509.load_pem_x509_certificate(pem)
    except (OSError, ValueError) as error:
        raise TransportError(
            f"{endpoint.authority} could not be asked for its certificate.",
            why=str(getattr(error, "strerror", None) or error),
            fix="Check the endpoint, or name a CA file instead of skipping the check.",
        ) from None
    return pem, _name_in(certificate)


def _name_in(certificate: Certificate) -> str:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise ConfigError(
            "The platform's certificate names no host.",
            why="It has no subject alternative name, and gRPC takes no other.",
            fix="Have the platform's certificate made anew, with its host name in it.",
        ) from None
    hosts = names.get_values_for_type(x509.DNSName)
    addresses = names.get_values_for_type(x509.IPAddress)
    return str([*hosts, *addresses][0]).replace("*.", "any.", 1)
