"""A broker on an event loop of its own, reached by a socket, as in a Jupyter server."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.listener import Listener

from .bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from platform_auth.broker.broker import Broker
    from platform_auth.broker.handles import Handle


class Served:
    """A server's broker and its socket.

    Parameters
    ----------
    directory
        The Jupyter runtime directory.
    broker
        Made on the loop that it will run on; that of a `Bench` when omitted.
    tcp
        Listen on loopback TCP.

    Attributes
    ----------
    bench
        Provider and clock, where there is no other broker.
    broker, listener
        Those.

    """

    def __init__(
        self, directory: Path, broker: Callable[[], Broker] | None = None, *, tcp: bool = False
    ) -> None:
        self._directory, self._tcp = directory, tcp
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.bench = Bench()
        self.broker: Broker = self.run(_made(broker or (lambda: self.bench.broker)))
        self.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def start(self) -> None:
        """Listen: always at the same place."""

        async def start() -> Listener:
            listener = Listener(self.broker, self._directory, identity="server", tcp=self._tcp)
            listener.start()
            return listener

        self.listener: Listener = self.run(start())

    def stop(self) -> None:
        """Be away."""
        self.run(_made(self.listener.stop))

    def grant(self, owner: str = "kernel 1", profiles: list[str] | None = None) -> Handle:
        """Return a kernel's handle."""
        return self.listener.grant(owner, profiles)

    def channel(self, handle: Handle | None = None) -> SocketChannel:
        """Return the way of a kernel, or of a terminal, to the broker."""
        own = self.listener.environment
        places = own if handle is None else self.listener.environment_of(handle)
        return SocketChannel(*places.values())

    def client(self, handle: Handle | None = None) -> BrokerClient:
        """Return a client that goes that way."""
        return BrokerClient(self.channel(handle))

    def sign_in(self, name: str = "prod") -> None:
        """Sign in at the bench's provider."""
        client = self.client()
        challenge = client.sign_in(name, redirect="paste")["challenge"]
        client.complete(name, self.bench.provider.authorize(challenge["url"]))

    def close(self) -> None:
        """End it all."""
        self.bench.provider.gate.set()
        self.stop()
        self.run(self.broker.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()


async def _made(make: Callable[[], Any]) -> Any:
    return make()


@contextmanager
def served(directory: Path, **options: Any) -> Iterator[Served]:
    """Run a broker for as long as the block lasts."""
    server = Served(directory, **options)
    try:
        yield server
    finally:
        server.close()
