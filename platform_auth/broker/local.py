"""A broker of one's own, where there is no Jupyter server to ask.

It lives on an event loop in a thread of this process. A forked child starts a new one: neither the
thread nor what it was doing survives a fork.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures.thread  # noqa: F401 - it registers its end before ours, see below
import contextlib
import functools
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from ..errors import BrokerUnavailableError
from .client import BrokerClient
from .waits import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from .broker import Broker
    from .client import Channel
    from .protocol import Protocol


_Answer = tuple[int, dict[str, Any]]
_T = TypeVar("_T")

_PATIENCE: Final = 60.0
"""Seconds that a call may take; a refresh inside it takes 30."""

_GRACE: Final = 5.0
"""Seconds that the end of the process may wait for what is under way."""

# What atexit calls comes too late: nothing can be given to a thread any more by then, and a token
# that has just been renewed could not be saved. These are called before, the last one first.
_AT_EXIT: Final[Callable[[Callable[[], None]], object]] = getattr(
    threading, "_register_atexit", atexit.register
)


class LocalChannel:
    """Calls a broker in this process, with the handlers that the socket has, but no wire.

    Parameters
    ----------
    broker
        Made on the loop's own thread when omitted: profiles from the files and the environment.

    """

    def __init__(self, broker: Broker | None = None) -> None:
        self._given = broker
        self._forget()
        with contextlib.suppress(RuntimeError):  # at the end of the process it is too late
            _AT_EXIT(self.close)
        if hasattr(os, "register_at_fork"):
            forget = weakref.WeakMethod(self._forget_given)
            os.register_at_fork(after_in_child=lambda: (method := forget()) and method())

    def __reduce__(self) -> tuple[Any, ...]:
        return _own_channel, ()

    def _forget(self) -> None:
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._broker: Broker | None = None
        self._protocol: Protocol | None = None

    def _forget_given(self) -> None:
        self._given = None
        self._forget()

    def _started(self) -> asyncio.AbstractEventLoop:
        if (loop := self._loop) is not None:
            return loop
        with self._starting:
            self._loop = loop = self._loop or _running_loop()
            return loop

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> _Answer:
        """Put one call and wait for the answer."""
        work = _Work(self._started(), lambda: self._answer(method, path, body or {}))
        try:
            return work.result(_PATIENCE + wait)
        except TimeoutError:
            what = "The broker in this process does not answer."
            raise BrokerUnavailableError(what) from None

    def close(self) -> None:
        """End what is under way; a browser that has come back still gets its page."""
        if self._loop is None or self._broker is None:
            return
        with contextlib.suppress(TimeoutError):
            _Work(self._loop, self._broker.close).result(_GRACE)

    async def _answer(self, method: str, path: str, body: Mapping[str, Any]) -> _Answer:
        from .protocol import Protocol

        if self._protocol is None:
            self._broker = self._given or _new_broker()
            self._protocol = Protocol(self._broker, private=True)
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        reply = await self._protocol.answer(method, parts.path, query, body)
        return reply.status, reply.body


def _running_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="platform-auth", daemon=True).start()
    return loop


class _Work(Generic[_T]):
    """Work on the loop's thread that another thread waits for, and calls off when interrupted.

    All they share is a bare lock, which the interpreter takes in one step. A future or an event has
    locks of Python's own: an interrupt that comes while one of them is taken leaves it taken, and
    the loop, which must have it to tell the result, would never do anything again.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, begin: Callable[[], Coroutine[Any, Any, _T]]
    ) -> None:
        self._loop, self._coroutine = loop, begin
        self._task: asyncio.Task[_T] | None = None
        self._under_way = threading.Lock()
        self._under_way.acquire()

    def result(self, seconds: float) -> _T:
        """Have it done and return what comes of it; it is called off after so many seconds."""
        try:
            self._loop.call_soon_threadsafe(self._begin)
            self._wait(seconds)
        except BaseException:
            self._loop.call_soon_threadsafe(self._call_off)
            raise
        assert self._task is not None  # noqa: S101 - it has ended
        return self._task.result()

    def _wait(self, seconds: float) -> None:
        for piece in pieces(seconds):
            if self._under_way.acquire(timeout=piece):
                return
        raise TimeoutError

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._coroutine())
        self._task.add_done_callback(lambda _task: self._under_way.release())

    def _call_off(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _new_broker() -> Broker:
    from ..config import Profiles
    from .audit import audit_of_this_process
    from .broker import Broker
    from .redirects import Redirects
    from .stores import VARIABLE, open_store

    store = open_store(os.environ.get(VARIABLE) or "file")
    return Broker(Profiles(), Redirects(), store=store, observer=audit_of_this_process())


@functools.cache
def local_client() -> BrokerClient:
    """Return the client of this process's own broker, started when first asked for."""
    return BrokerClient(LocalChannel())


def _own_channel() -> Channel:
    """Return this process's own: what another's held does not come along."""
    return local_client()._channel  # noqa: SLF001 - a client of this very module
