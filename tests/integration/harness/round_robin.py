"""What spreads connections over replicas, as a Kubernetes service or HAProxy does.

JupyterHub's own proxy knows one address for each service, so that replicas have this behind it. The
proxy keeps connections and uses them again: they, not requests, are what is spread.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakes.loop_server import LoopServer

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable


@dataclass(eq=False)
class _Way:
    """A connection that leads to a port, and whether something has been asked there."""

    port: int
    writer: asyncio.StreamWriter
    is_busy: bool = False


class RoundRobin(LoopServer):
    """Leads each new connection to the next port, or to the one after it if nobody is there.

    Attributes
    ----------
    taken
        How many connections each port has got.

    """

    def __init__(self) -> None:
        self._ports: tuple[int, ...] = ()
        self._ways: set[_Way] = set()
        self._turn = 0
        self.taken: Counter[int] = Counter()
        super().__init__()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def lead(self, ports: Iterable[int]) -> None:
        """Lead to these ports from now on; whoever waits for an answer elsewhere still gets it."""
        self._run(self._lead(tuple(ports)))

    async def _lead(self, ports: tuple[int, ...]) -> None:
        self._ports = ports
        for way in self._ways:
            if way.port not in ports and not way.is_busy:
                way.writer.transport.abort()

    def busy(self, port: int) -> int:
        """Return how many wait for an answer from a port."""
        return sum(way.is_busy and way.port == port for way in tuple(self._ways))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, and what is answered."""
        self._turn += 1
        order = [*self._ports[self._turn % (len(self._ports) or 1) :], *self._ports]
        for port in order:
            with suppress(OSError):
                inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
                break
        else:
            writer.transport.abort()
            return
        self.taken[port] += 1
        self._ways.add(way := _Way(port, writer))
        try:
            await _either(
                _pipe(reader, inner_writer, way, asks=True),
                _pipe(inner_reader, writer, way, asks=False),
            )
        finally:
            self._ways.discard(way)
            inner_writer.transport.abort()


async def _either(*pipes: Coroutine[Any, Any, None]) -> None:
    """Return when either side has hung up."""
    tasks = [asyncio.ensure_future(each) for each in pipes]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pipe(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Way, *, asks: bool
) -> None:
    while data := await reader.read(64 * 1024):
        way.is_busy = asks
        writer.write(data)
        await writer.drain()
