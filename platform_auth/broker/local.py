"""A broker of one's own, where there is no Jupyter server to ask.

It lives on an event loop in a thread of this process. A forked child starts a new one: neither the
thread nor what it was doing survives a fork.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from ..errors import BrokerUnavailableError
from .client import BrokerClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .broker import Broker
    from .protocol import Protocol


_GRACE: Final = 5.0
"""Seconds that the end of the process may wait for what is under way."""


class LocalChannel:
    """Calls a broker in this process, with the handlers that the socket has, but no wire.

    Parameters
    ----------
    broker
        Made on the loop's own thread when omitted: profiles from the files and the environment.

    """

    def __init__(self, broker: Broker | None = None) -> None:
        self._given = broker
        self._start()
        atexit.register(self.close)

    def _start(self) -> None:
        self._process = os.getpid()
        self._broker: Broker | None = None
        self._protocol: Protocol | None = None
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="platform-auth", daemon=True)
        thread.start()

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> tuple[int, dict[str, Any]]:
        """Put one call and wait for the answer."""
        if self._process != os.getpid():
            self._given = None
            self._start()
        work = asyncio.run_coroutine_threadsafe(self._answer(method, path, body or {}), self._loop)
        try:
            return work.result(timeout=60 + wait)
        except TimeoutError:
            what = "The broker in this process does not answer."
            raise BrokerUnavailableError(what) from None
        finally:
            work.cancel()  # an interrupted caller leaves nothing behind

    def close(self) -> None:
        """End what is under way; a browser that has come back still gets its page."""
        if self._process != os.getpid() or self._broker is None:
            return
        work = asyncio.run_coroutine_threadsafe(self._broker.close(), self._loop)
        with contextlib.suppress(TimeoutError):
            work.result(timeout=_GRACE)

    async def _answer(
        self, method: str, path: str, body: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        from .protocol import Protocol

        if self._protocol is None:
            self._broker = self._given or _new_broker()
            self._protocol = Protocol(self._broker, private=True)
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        reply = await self._protocol.answer(method, parts.path, query, body)
        return reply.status, reply.body


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
