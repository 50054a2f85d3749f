"""Requests that a second attempt can send again from the first."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

KEPT: Final = 1024 * 1024
"""Bytes of requests kept for a second attempt. A longer stream is sent once."""


class _Kept:
    """What has been taken from a stream of requests, until it is known that it was accepted."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._dropped = self._size = 0
        self.replayable = True
        self.reader: object = None

    def add(self, item: Any) -> None:
        self._items.append(item)
        measure = getattr(item, "ByteSize", None)
        self._size += measure() if measure else len(item) if hasattr(item, "__len__") else KEPT
        if self._size > KEPT:
            self.replayable = False

    def has(self, position: int) -> bool:
        return position < self._dropped + len(self._items)

    def get(self, position: int) -> Any:
        item = self._items[position - self._dropped]
        while not self.replayable and self._dropped <= position:
            self._items.popleft()
            self._dropped += 1
        return item


class Replay:
    """A stream of requests, read by gRPC's threads: by one attempt's, then by the next one's.

    An attempt that has been given up may still wait in the caller's iterator; what it gets there is
    the next attempt's, so that none is lost.

    Parameters
    ----------
    requests
        The caller's iterator.

    """

    def __init__(self, requests: Iterator[Any]) -> None:
        self._requests, self._kept = iter(requests), _Kept()
        self._state, self._pulling = threading.Lock(), threading.Lock()
        self._end: BaseException | None = None

    @property
    def replayable(self) -> bool:
        """Whether another attempt can read all of it."""
        return self._kept.replayable

    def accepted(self) -> None:
        """Take note that there will be no other attempt, and nothing need be kept."""
        with self._state:
            self._kept.replayable = False

    def close(self) -> None:
        """Nothing waits but gRPC's own thread, which it ends."""

    def attempt(self) -> Iterator[Any]:
        """Return an iterator from the first request on; earlier ones end."""
        me = object()
        with self._state:
            self._kept.reader = me
        return self._read(me)

    def _read(self, me: object) -> Generator[Any]:
        position = 0
        while self._pulled(me, position):
            with self._state:
                item = self._kept.get(position)
            position += 1
            yield item

    def _pulled(self, me: object, position: int) -> bool:
        """Wait until there is a request at a position; False where there will be none."""
        while (there := self._is_there(me, position)) is None:
            with self._pulling:
                if self._is_there(me, position) is None and not self._pull():
                    return False
        return there

    def _is_there(self, me: object, position: int) -> bool | None:
        with self._state:
            if self._kept.reader is not me:
                return False
            return True if self._kept.has(position) else None

    def _pull(self) -> bool:
        if self._end is not None:
            raise self._end
        try:
            item = next(self._requests)
        except StopIteration:
            return False
        except BaseException as error:
            self._end = error  # a later attempt must end the same way
            raise
        with self._state:
            self._kept.add(item)
        return True


class AsyncReplay:
    """The same on an event loop; see `Replay`.

    Parameters
    ----------
    requests
        The caller's iterator, of either kind.

    """

    def __init__(self, requests: Any) -> None:
        self._requests = aiter(requests) if hasattr(requests, "__aiter__") else _slowly(requests)
        self._kept = _Kept()
        self._pull: asyncio.Task[bool] | None = None

    @property
    def replayable(self) -> bool:
        """Whether another attempt can read all of it."""
        return self._kept.replayable

    def accepted(self) -> None:
        """Take note that there will be no other attempt, and nothing need be kept."""
        self._kept.replayable = False

    def close(self) -> None:
        """Stop waiting for the caller's requests: the call is over."""
        if self._pull is not None:
            self._pull.cancel()

    async def attempt(self) -> AsyncGenerator[Any]:
        """Return an iterator from the first request on; earlier ones end."""
        me = self._kept.reader = object()
        position = 0
        while self._kept.reader is me:
            if self._kept.has(position):
                position += 1
                yield self._kept.get(position - 1)
            elif not await self._pulled():
                return

    async def _pulled(self) -> bool:
        # A task of its own: to cancel an attempt must not end the caller's iterator.
        if self._pull is None or (self._pull.done() and self._more(self._pull)):
            self._pull = asyncio.ensure_future(self._take())
        return await asyncio.shield(self._pull)

    @staticmethod
    def _more(pull: asyncio.Task[bool]) -> bool:
        return not pull.cancelled() and pull.exception() is None and pull.result()

    async def _take(self) -> bool:
        try:
            self._kept.add(await anext(self._requests))
        except StopAsyncIteration:
            return False
        return True


async def _slowly(requests: Any) -> AsyncIterator[Any]:
    for request in requests:
        yield request
