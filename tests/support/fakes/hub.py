"""Replicas of the Hub's service on one database, with a provider that does as a test says."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

from fakes.bench import CALLBACK, HERE, PROFILES
from fakes.clock import FakeClock
from fakes.provider import Provider
from platform_auth.broker.redirects import Redirects
from platform_auth.config import Profiles
from platform_auth.hub.database import Database
from platform_auth.hub.keys import FileKeys
from platform_auth.hub.people import People
from platform_auth.oauth.driver import Driver

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from platform_auth.broker.attempt import Binding
    from platform_auth.broker.session import Session

LOGIN = "/services/platform-auth/login"


def key(number: int = 0) -> str:
    """Return a key in the form of the variable."""
    return base64.b64encode(bytes([number]) * 32).decode()


class HubBench:
    """A provider, a clock, and replicas on one database.

    Parameters
    ----------
    url
        The database's.
    directory
        For the file with keys.

    """

    def __init__(self, url: str, directory: Path) -> None:
        self.url, self.key_file = url, directory / "keys"
        self.key_file.write_text(key())
        self.provider, self.clock = Provider(), FakeClock()
        self.provider.now = self.clock.time
        self.replicas: list[People] = []
        self.databases: list[Database] = []
        self.paused = asyncio.Event()  # set: a device flow's pauses pass at once
        self.paused.set()

    async def replica(self, **options: Any) -> People:
        """Start a replica."""
        database = Database(self.url, connections=3)
        await database.upgrade()
        given: dict[str, Any] = {
            "profiles": Profiles(admin=PROFILES, user_file=None, flyte=False),
            "redirects": Redirects(LOGIN),
            "keys": FileKeys(self.key_file),
            "clock": self.clock,
            "new_driver": lambda _config: Driver(
                self.provider, monotonic=self.clock.monotonic, sleep=self._sleep
            ),
            **options,
        }
        people = People(database, **given)
        self.databases.append(database)
        self.replicas.append(people)
        return people

    async def _sleep(self, seconds: float) -> None:
        await self.paused.wait()
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    async def sign_in(
        self, people: People, user: str = "ada", name: str = "prod", binding: Binding = HERE
    ) -> Session:
        """Sign somebody in at one replica."""
        broker = await people.broker(user)
        url = await broker.begin(name, CALLBACK, binding)
        return await broker.complete(self.provider.authorize(url), binding)

    def refreshes(self) -> int:
        """Return how many requests the token endpoint has got."""
        return len(self.provider.sent_to("token"))

    def run(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Run a test's work, then end all replicas."""

        async def whole() -> Any:
            try:
                return await asyncio.wait_for(work(), 60)
            finally:
                self.provider.gate.set()
                for people in self.replicas:
                    await people.close()
                for database in self.databases:
                    await database.close()

        return asyncio.run(whole())
