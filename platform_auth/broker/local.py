"""A broker of one's own, where there is no Jupyter server to ask.

It lives on an event loop in a thread of this process. A forked child starts a new one: neither the
thread nor what it was doing survives a fork.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures.thread  # it registers its end before ours, see below
import contextlib
import functools
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from ..errors import BrokerUnavailableError
from .client import BrokerClient
from .waits import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .broker import Broker
    from .client import Channel
    from .protocol import Protocol


_Answer = tuple[int, dict[str, Any]]

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
        with self._starting:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                run = threading.Thread(target=loop.run_forever, name="platform-auth", daemon=True)
                run.start()
                self._loop = loop
            return self._loop

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> _Answer:
        """Put one call and wait for the answer."""
        answer = self._answer(method, path, body or {})
        work = asyncio.run_coroutine_threadsafe(answer, self._started())
        try:
            return _result(work, _PATIENCE + wait)
        except TimeoutError:
            what = "The broker in this process does not answer."
            raise BrokerUnavailableError(what) from None
        finally:
            work.cancel()  # an interrupted caller leaves nothing behind

    def close(self) -> None:
        """End what is under way; a browser that has come back still gets its page."""
        if self._loop is None or self._broker is None:
            return
        work = asyncio.run_coroutine_threadsafe(self._broker.close(), self._loop)
        with contextlib.suppress(TimeoutError):
            work.result(timeout=_GRACE)

    async def _answer(self, method: str, path: str, body: Mapping[str, Any]) -> _Answer:
        from .protocol import Protocol

        if self._protocol is None:
            self._broker = self._given or _new_broker()
            self._protocol = Protocol(self._broker, private=True)
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        reply = await self._protocol.answer(method, parts.path, query, body)
        return reply.status, reply.body


def _result(work: concurrent.futures.Future[_Answer], seconds: float) -> _Answer:
    """Return what comes of it; an interrupt ends the wait, whenever it comes."""
    for piece in pieces(seconds):
        if concurrent.futures.wait([work], timeout=piece).done:
            break
    return work.result(timeout=0)


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
