"""gRPC channels to a platform: authenticated for as long as they live.

A channel is TLS with the profile's certificates, and has flytekit's options. Each call carries a
fresh token; one that is refused as UNAUTHENTICATED is made once more with the token that replaces
the refused one, where its requests can be sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import grpc

from .channel import aio_channel, call_credentials, channel

if TYPE_CHECKING:
    from ...connection import Connection

__all__ = ["MODEL", "aio_channel", "call_credentials", "channel", "make"]

MODEL: Final = grpc.Channel
"""See `platform_auth.clients.model_of`."""


def make(connection: Connection) -> grpc.Channel:
    """Return the channel of `Connection.grpc_channel`."""
    return connection.grpc_channel()
