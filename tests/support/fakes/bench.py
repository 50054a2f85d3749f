"""A broker with a provider and a clock that do as a test says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from platform_auth.broker.attempt import Binding
from platform_auth.broker.broker import Broker
from platform_auth.broker.redirects import Redirects
from platform_auth.config import Profiles
from platform_auth.oauth.driver import Driver

from .clock import FakeClock
from .provider import CLIENT, ISSUER, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from platform_auth.broker.access_token import AccessToken
    from platform_auth.broker.session import Session

CALLBACK = "http://127.0.0.1:8888/platform-auth/callback"
HERE = Binding("browser-CANARY", "ada")

ADMIN = {
    "endpoint": "flyte.example.com",
    "authType": "Pkce",
    "clientId": CLIENT,
    "scopes": ["openid", "offline_access"],
}
PROFILES: dict[str, Any] = {
    "prod": {"admin": ADMIN, "oauth": {"issuer": ISSUER}},
    "dev": {"admin": {**ADMIN, "endpoint": "dev.example.com"}, "oauth": {"issuer": ISSUER}},
    "service": {
        "admin": {**ADMIN, "authType": "ClientSecret", "scopes": ["api"]},
        "oauth": {"issuer": ISSUER, "client_secret": "secret-CANARY"},
    },
}


async def until(condition: Callable[[], object]) -> None:
    """Let others go on until something is so; the bench ends a test that waits in vain."""
    while not condition():  # noqa: ASYNC110 - the thing itself does not announce itself
        await asyncio.sleep(0)


async def settled() -> None:
    """Let others go on until all of them wait for something from outside.

    Nothing here takes more turns of the loop than this; a test that counts on it fails otherwise.
    """
    for _ in range(60):
        await asyncio.sleep(0)


class Bench:
    """The broker on its bench.

    Attributes
    ----------
    broker, provider, clock
        Those.

    """

    def __init__(self, profiles: Profiles | None = None, **options: Any) -> None:
        self.provider, self.clock = Provider(), FakeClock()
        self.provider.now = self.clock.time
        profiles = profiles or Profiles(admin=PROFILES, user_file=None, flyte=False)
        redirects = options.pop("redirects", None) or Redirects("/platform-auth/login")
        self.broker = Broker(
            profiles,
            redirects,
            clock=self.clock,
            new_driver=lambda _config: Driver(
                self.provider, monotonic=self.clock.monotonic, sleep=self._sleep
            ),
            **options,
        )

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    def run(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Run a test's work, then end the broker."""

        async def whole() -> Any:
            try:
                return await asyncio.wait_for(work(), 20)
            finally:
                self.provider.gate.set()
                await self.broker.close()

        return asyncio.run(whole())

    async def elapse(self, seconds: float) -> None:
        """Let time pass, and everything happen that does."""
        until = self.clock.passed + seconds
        await settled()
        while self.clock.ring(until):
            await settled()

    async def sign_in(self, name: str = "prod", binding: Binding = HERE) -> Session:
        """Sign in with a browser."""
        url = await self.broker.begin(name, CALLBACK, binding)
        return await self.broker.complete(self.provider.authorize(url), binding)

    async def signed_in(self, name: str = "prod") -> AccessToken:
        """Sign in and return the token; the provider forgets what it was asked until then."""
        await self.sign_in(name)
        token = await self.broker.token(name)
        self.provider.requests.clear()
        return token

    async def background(self, name: str = "prod") -> None:
        """Return when the refresh in the background has ended."""
        session = await self.broker.session(name)
        if session.refreshing is not None:
            await asyncio.wait({session.refreshing})

    def refreshes(self) -> int:
        """Return how many requests the token endpoint has got."""
        return len(self.provider.sent_to("token"))
