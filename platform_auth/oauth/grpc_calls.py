"""gRPC calls to a platform that need no token: how it tells clients to sign in."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from ..errors import MissingExtraError, TransportError
from .redaction import redact
from .responses import plain
from .steps import RpcReply

if TYPE_CHECKING:
    from collections.abc import Mapping

    import grpc

    from ..config import PlatformConfig
    from .steps import Rpc

MAX_MESSAGE: Final = 1024 * 1024
"""Bytes of an answer that are read."""

_UNANSWERED: Final = frozenset(
    {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED", "UNKNOWN", "INTERNAL"}
)
# What gRPC says of an answer that no gRPC server gave, under a status of its own choice.
_BY_HTTP: Final = re.compile(r"http2 header with status: (\d{3})\b")


class GrpcCalls:
    """Makes a profile's calls, each through a channel of its own.

    As with flytekit, ``http_proxy_url`` is not for gRPC, which follows the environment instead.

    Parameters
    ----------
    config
        The platform, its CA file and certificate checks.

    """

    def __init__(self, config: PlatformConfig) -> None:
        self._config = config

    async def __call__(self, rpc: Rpc, metadata: Mapping[str, str]) -> RpcReply:
        """Make a call and return the platform's answer, errors of its own included.

        Parameters
        ----------
        rpc
            The call.
        metadata
            What goes with it.

        Raises
        ------
        MissingExtraError
            gRPC is not installed.
        TransportError
            There was no answer.
        ConfigError
            The CA file cannot be used.

        """
        try:
            async with asyncio.timeout(rpc.timeout):
                # In a thread: a certificate that is not to be checked must be asked for first.
                channel = await asyncio.to_thread(self._channel)
                try:
                    return await self._reply(channel, rpc, metadata)
                finally:
                    channel.close()
        except TimeoutError:
            what = f"{self._config.host} does not answer in time (gRPC)."
            raise TransportError(what, fix="Check the network; nothing is lost.") from None

    def _channel(self) -> grpc.Channel:
        try:
            import grpc

            from ..config.grpc_place import GrpcPlace
        except ImportError:
            from .flyte_messages import INSTALL

            raise MissingExtraError("gRPC is not installed here.", fix=INSTALL) from None
        place = GrpcPlace.of(self._config)
        settings = [*place.options, ("grpc.max_receive_message_length", MAX_MESSAGE)]
        if place.credentials is None:
            return grpc.insecure_channel(place.target, settings)
        return grpc.secure_channel(place.target, place.credentials, settings)

    async def _reply(
        self, channel: grpc.Channel, rpc: Rpc, metadata: Mapping[str, str]
    ) -> RpcReply:
        """Wait for a call of gRPC's own threads: its event loops cannot be many in one process."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        call = channel.unary_unary(rpc.method).future(
            rpc.message, timeout=rpc.timeout, metadata=tuple(metadata.items())
        )
        call.add_done_callback(lambda _: loop.call_soon_threadsafe(_set, ended))
        await ended  # who goes away closes the channel, and that ends the call
        status, by_http = call.code().name, _BY_HTTP.search(call.details() or "")
        if by_http:
            return RpcReply(f"HTTP {by_http[1]}")
        if status in _UNANSWERED:
            raise self._unanswered(status, call.details())
        return RpcReply(status, call.result() if status == "OK" else b"")

    def _unanswered(self, status: str, details: str | None) -> TransportError:
        return TransportError(
            f"{self._config.host} cannot be reached by gRPC.",
            why=redact(plain(f"{status}: {details or 'no reason given'}")),
            fix="Check the address, the network, the VPN and the CA file; nothing is lost.",
        )


def _set(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
