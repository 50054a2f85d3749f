"""Making a channel: where to, whom to trust, and with which options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from ...config.grpc_place import GrpcPlace
from ...errors import PlatformAuthError
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


def _place(config: PlatformConfig, options: Sequence[tuple[str, Any]]) -> tuple[str, Any, Any]:
    place = GrpcPlace.of(config)
    settings = {**dict(DEFAULT_OPTIONS), **dict(place.options), **dict(options)}
    return place.target, place.credentials, list(settings.items())
