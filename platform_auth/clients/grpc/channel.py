"""Making a channel: where to, whom to trust, and with which options."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from ...config.endpoint import Endpoint
from ...config.tls import tls_context
from ...errors import ConfigError, PlatformAuthError, TransportError
from .aio import aio_interceptors
from .interceptor import AuthInterceptor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...config import PlatformConfig
    from .. import TokenSource

Options = "Sequence[tuple[str, Any]]"

DEFAULT_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.max_metadata_size", 32 * 1024),
    ("grpc.max_receive_message_length", 20 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)
"""flytekit's (``clients/raw.py``), sizes in bytes: servers of the platform are set up for them."""

_HANDSHAKE: Final = 10.0  # seconds


def channel(
    config: PlatformConfig, source: TokenSource, options: Sequence[tuple[str, Any]] = ()
) -> grpc.Channel:
    """Return a channel whose calls are authenticated.

    Parameters
    ----------
    config
        Gives the address, CA and certificate checks. Its HTTP proxy is for identity providers
        alone, as with flytekit; gRPC itself follows ``https_proxy`` of the environment.
    source
        Gives the tokens.
    options
        Channel arguments besides `DEFAULT_OPTIONS`; they win.

    Raises
    ------
    ConfigError
        The CA file cannot be used.
    TransportError
        Certificates are not to be checked, and the platform could not be asked for its own.

    """
    target, credentials, settings = _place(config, options)
    if credentials is None:
        bare = grpc.insecure_channel(target, settings)
    else:
        bare = grpc.secure_channel(target, credentials, settings)
    return grpc.intercept_channel(bare, AuthInterceptor(source))


def aio_channel(
    config: PlatformConfig, source: TokenSource, options: Sequence[tuple[str, Any]] = ()
) -> grpc.aio.Channel:
    """Return the asynchronous twin of `channel`, of the running event loop."""
    target, credentials, settings = _place(config, options)
    interceptors = aio_interceptors(source)
    if credentials is None:
        return grpc.aio.insecure_channel(target, settings, interceptors=interceptors)
    return grpc.aio.secure_channel(target, credentials, settings, interceptors=interceptors)


class _TokenPlugin(grpc.AuthMetadataPlugin):
    def __init__(self, source: TokenSource) -> None:
        self._source = source

    def __call__(self, context: object, callback: Callable[[Any, Any], None]) -> None:
        del context
        try:
            headers = tuple(self._source.token().headers.items())
        except PlatformAuthError as error:
            callback((), error)
        else:
            callback(headers, None)


def call_credentials(source: TokenSource) -> grpc.CallCredentials:
    """Return the credentials alone, for a TLS channel of your own.

    Each call gets a fresh token. One that is refused is not made again: gRPC tells credentials
    nothing of what becomes of a call. Our own channels therefore use interceptors, which also take
    less time.
    """
    return grpc.metadata_call_credentials(_TokenPlugin(source), name="platform-auth")


def _place(
    config: PlatformConfig, options: Sequence[tuple[str, Any]]
) -> tuple[str, grpc.ChannelCredentials | None, list[tuple[str, Any]]]:
    endpoint = Endpoint.parse(config.endpoint)
    plain = config.base_url.startswith("http:")
    target = Endpoint(endpoint.host, endpoint.effective_port(plain=plain)).authority
    settings = dict(DEFAULT_OPTIONS)
    credentials = None
    if not plain:
        credentials, name = _trust(config, endpoint)
        # Who does not check certificates does not check the name in them either.
        settings |= {"grpc.ssl_target_name_override": name} if name else {}
    settings |= dict(options)
    return f"dns:///{target}", credentials, list(settings.items())


def _trust(config: PlatformConfig, endpoint: Endpoint) -> tuple[grpc.ChannelCredentials, str]:
    if config.insecure_skip_verify:
        served, name = _served(endpoint)
        return grpc.ssl_channel_credentials(root_certificates=served), name
    if config.ca_cert_file_path is None:
        return grpc.ssl_channel_credentials(root_certificates=_system_roots()), ""
    tls_context(config)  # says what is wrong with the file; gRPC would only ever say "unavailable"
    path = Path(config.ca_cert_file_path).expanduser()
    return grpc.ssl_channel_credentials(root_certificates=path.read_bytes()), ""


def _system_roots() -> bytes | None:
    """Return what Python itself trusts (also by SSL_CERT_FILE): gRPC brings a list of its own.

    None where Python finds nothing, which leaves gRPC its list.
    """
    loaded = ssl.create_default_context()
    roots = loaded.get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, roots)).encode() or None


def _served(endpoint: Endpoint) -> tuple[bytes, str]:
    """Return the certificate that the platform shows, and a name that is in it."""
    from cryptography import x509

    try:
        pem = ssl.get_server_certificate(
            (endpoint.host, endpoint.effective_port()), timeout=_HANDSHAKE
        )
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except (OSError, ValueError) as error:
        raise TransportError(
            f"{endpoint.authority} could not be asked for its certificate.",
            why=str(getattr(error, "strerror", None) or error),
            fix="Check the endpoint, or name a CA file instead of skipping the check.",
        ) from None
    return pem.encode(), _name_in(certificate)


def _name_in(certificate: Any) -> str:
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
