"""Authentication of the four kinds of call (synchronous)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from .attempts import Attempts, OneRequest
from .pending import PendingCall, RetriedStream
from .replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .. import TokenSource


class AuthInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Puts a fresh token on every call, and makes a refused one once more.

    Parameters
    ----------
    source
        Gives the tokens.

    """

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    def intercept_unary_unary(
        self, continuation: Callable[..., Any], details: grpc.ClientCallDetails, request: object
    ) -> Any:
        """Authenticate a call; see the class."""
        return _one(Attempts(self._source, continuation, details, OneRequest(request)))

    def intercept_stream_unary(
        self,
        continuation: Callable[..., Any],
        details: grpc.ClientCallDetails,
        requests: Iterator[Any],
    ) -> Any:
        """Authenticate a call; see the class."""
        return _one(Attempts(self._source, continuation, details, Replay(requests)))

    def intercept_unary_stream(
        self, continuation: Callable[..., Any], details: grpc.ClientCallDetails, request: object
    ) -> RetriedStream:
        """Authenticate a call; see the class."""
        return RetriedStream(Attempts(self._source, continuation, details, OneRequest(request)))

    def intercept_stream_stream(
        self,
        continuation: Callable[..., Any],
        details: grpc.ClientCallDetails,
        requests: Iterator[Any],
    ) -> RetriedStream:
        """Authenticate a call; see the class."""
        return RetriedStream(Attempts(self._source, continuation, details, Replay(requests)))


def _one(attempts: Attempts) -> Any:
    call = attempts.first()
    well = call.done() and not call.cancelled() and call.exception() is None
    return call if well else PendingCall(attempts, call)
