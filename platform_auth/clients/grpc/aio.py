"""Authentication of the four kinds of call (asynchronous)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio

from .async_attempts import AsyncAttempts
from .async_pending import RetriedStreamCall, RetriedUnaryCall
from .attempts import OneRequest
from .replay import AsyncReplay

if TYPE_CHECKING:
    from collections.abc import Callable

    from .. import TokenSource


class _UnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], details: Any, request: object
    ) -> Any:
        """Authenticate a call, and see to its outcome before anybody else does."""
        attempts = AsyncAttempts(self._source, continuation, details, OneRequest(request))
        call = await attempts.first()
        while True:
            try:
                await call.code()
            except asyncio.CancelledError:
                call.cancel()
                raise
            another = await attempts.again(call)
            if another is None:
                return call
            call = another


class _StreamUnary(grpc.aio.StreamUnaryClientInterceptor):
    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def intercept_stream_unary(
        self, continuation: Callable[..., Any], details: Any, requests: Any
    ) -> Any:
        """Authenticate a call."""
        attempts = AsyncAttempts(self._source, continuation, details, AsyncReplay(requests))
        return RetriedUnaryCall(attempts, await attempts.first())


class _UnaryStream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def intercept_unary_stream(
        self, continuation: Callable[..., Any], details: Any, request: object
    ) -> Any:
        """Authenticate a call."""
        attempts = AsyncAttempts(self._source, continuation, details, OneRequest(request))
        return RetriedStreamCall(attempts, await attempts.first())


class _StreamStream(grpc.aio.StreamStreamClientInterceptor):
    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def intercept_stream_stream(
        self, continuation: Callable[..., Any], details: Any, requests: Any
    ) -> Any:
        """Authenticate a call."""
        attempts = AsyncAttempts(self._source, continuation, details, AsyncReplay(requests))
        return RetriedStreamCall(attempts, await attempts.first())


def aio_interceptors(source: TokenSource) -> list[grpc.aio.ClientInterceptor]:
    """Return what puts a fresh token on every call, and makes a refused one once more.

    There is one for each kind of call: grpc takes an object for one kind alone.
    """
    kinds = (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)
    return [kind(source) for kind in kinds]
