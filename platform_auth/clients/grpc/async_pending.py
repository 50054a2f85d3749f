"""Calls of an event loop that may be made once more while their caller waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from .async_attempts import AsyncAttempts


class _Delegate:
    """A call that is answered by its latest attempt.

    A task of its own makes the attempts: whoever writes to a call must not wait for what it reads.

    Parameters
    ----------
    attempts
        Makes it again.
    call
        The first attempt.

    """

    def __init__(self, attempts: AsyncAttempts, call: Any) -> None:
        self._attempts, self._call = attempts, call
        self._settled = asyncio.ensure_future(self._settle())
        self._settled.add_done_callback(self._release)

    async def _settle(self) -> None:
        """Make attempts until there is one whose outcome stands."""
        while (another := await self._another()) is not None:
            self._call = another

    async def _another(self) -> Any | None:
        raise NotImplementedError

    def _release(self, settled: asyncio.Future[None]) -> None:
        self._attempts.requests.accepted()
        self._call.add_done_callback(lambda _: self._attempts.requests.close())
        if not settled.cancelled():
            settled.exception()  # whoever asks is told; it need not be logged if nobody does

    async def _final(self) -> Any:
        await asyncio.wait([self._settled])
        if not self._settled.cancelled():
            self._settled.result()
        return self._call

    def cancel(self) -> bool:
        return bool(self._settled.cancel() | self._call.cancel())

    def cancelled(self) -> bool:
        return bool(self._call.cancelled())

    def done(self) -> bool:
        return bool(self._settled.done() and self._call.done())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._settled.add_done_callback(lambda _: self._call.add_done_callback(callback))

    def time_remaining(self) -> float | None:
        return self._call.time_remaining()  # type: ignore[no-any-return] # grpc ships no types

    async def wait_for_connection(self) -> None:
        await self._call.wait_for_connection()

    async def initial_metadata(self) -> Any:
        return await (await self._final()).initial_metadata()

    async def trailing_metadata(self) -> Any:
        return await (await self._final()).trailing_metadata()

    async def code(self) -> Any:
        return await (await self._final()).code()

    async def details(self) -> Any:
        return await (await self._final()).details()

    # grpc keeps what its callers write in a queue, which is what an attempt reads. So these two
    # are not reached; it asks only whether the writing is over.
    async def write(self, request: object) -> None:
        raise NotImplementedError

    async def done_writing(self) -> None:
        raise NotImplementedError

    @property
    def _done_writing_flag(self) -> bool:
        return bool(self._call._done_writing_flag)  # noqa: SLF001 - see above


class RetriedUnaryCall(_Delegate, grpc.aio.StreamUnaryCall):
    """A call with a stream of requests and one response."""

    async def _another(self) -> Any | None:
        await self._call.code()
        return await self._attempts.again(self._call)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._response().__await__()

    async def _response(self) -> Any:
        return await (await self._final())


class RetriedStreamCall(_Delegate, grpc.aio.StreamStreamCall, grpc.aio.UnaryStreamCall):
    """A call with a stream of responses, made once more if it is refused before the first."""

    def __init__(self, attempts: AsyncAttempts, call: Any) -> None:
        self._first: list[Any] = []
        self._error: grpc.aio.AioRpcError | None = None
        super().__init__(attempts, call)

    async def _another(self) -> Any | None:
        try:
            self._first = [await self._call.read()]
        except grpc.aio.AioRpcError as error:
            self._error = error
            return await self._attempts.again(self._call)
        self._error = None
        return None

    async def read(self) -> Any:
        """Return the next response, or `grpc.aio.EOF`."""
        await asyncio.shield(self._settled)
        if self._error is not None:
            raise self._error
        return self._first.pop() if self._first else await self._call.read()

    async def __aiter__(self) -> AsyncGenerator[Any]:
        while (response := await self.read()) is not grpc.aio.EOF:
            yield response
