"""What the database is to be told, in order, by those who cannot wait for it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from ..errors import BrokerUnavailableError, PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger("platform_auth")

WAIT_SECONDS: Final = 2.0
"""Seconds that a caller waits for what is being told; where the database is away, it goes on."""

_PAUSE: Final = 0.25


class Outbox:
    """Tells the database one thing after the other, and again while it is away."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], Awaitable[object]]] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, deed: Callable[[], Awaitable[object]]) -> None:
        """Have something told."""
        self._waiting.append(deed)
        if self._task is None:
            self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._waiting:
                try:
                    await self._waiting[0]()
                except BrokerUnavailableError:
                    await asyncio.sleep(_PAUSE)
                    continue
                except PlatformAuthError as error:
                    log.warning("the database could not be told something: %s", error.what)
                except Exception:
                    log.exception("the database could not be told something")
                self._waiting.popleft()
        finally:
            self._task = None

    @property
    def is_empty(self) -> bool:
        """Whether all is told."""
        return self._task is None

    async def sent(self, seconds: float = WAIT_SECONDS) -> None:
        """Return once all is told, after so many seconds at the latest."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=seconds)

    async def close(self) -> None:
        """Tell what is left, if that goes at once."""
        await asyncio.sleep(0)  # what has just been called off says so in the next turn of the loop
        await self.sent()
        if self._task is not None:
            self._task.cancel()
