"""A broker with a real transport, a provider on a real socket, and a clock to put forward."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import stamina

from platform_auth.broker.broker import Broker
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.refresh import REFUSED_AGAIN
from platform_auth.config import Profiles
from platform_auth.errors import PlatformAuthError
from platform_auth.oauth.driver import Driver
from platform_auth.oauth.process import run_command
from platform_auth.oauth.transport import Transport

from .bench import CALLBACK, HERE
from .clock import FakeClock
from .provider import CLIENT
from .wire import Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from platform_auth.broker.access_token import AccessToken
    from platform_auth.broker.session import Session
    from platform_auth.broker.stores import Store
    from platform_auth.config import PlatformConfig
    from platform_auth.oauth.steps import Run

FLOWS = {"prod": "Pkce", "service": "ClientSecret", "device": "DeviceFlow"}
"""The profiles there are."""


class World:
    """All that takes part in a sign-in, with nothing between the broker and the socket left out.

    Parameters
    ----------
    oauth, admin
        What profiles say besides; None takes a setting away.
    profiles
        More of them. In all settings ``{issuer}`` stands for the provider's address.
    platform
        Whether the platform is where the provider is, too; else nobody can call it.
    store
        Makes the store, with the world's clock; in memory when omitted.

    total, command_seconds
        Seconds that a request, and a command, may take.

    Attributes
    ----------
    broker, provider, clock, wire
        Those.
    waits
        Seconds that flows have let pass.

    """

    def __init__(
        self,
        *,
        oauth: dict[str, Any] | None = None,
        profiles: dict[str, Any] | None = None,
        platform: bool = False,
        store: Callable[[FakeClock], Store] | None = None,
        total: float = 10,
        command_seconds: float | None = None,
        **admin: Any,
    ) -> None:
        self.wire, self.clock, self.waits = Wire(), FakeClock(), list[float]()
        self._total, self._command_seconds = total, command_seconds
        self.provider = self.wire.provider
        self.provider.now = self.clock.time
        settings = {"issuer": "{issuer}", **(oauth or {})}
        if platform:
            admin = {"endpoint": "{issuer}", "insecure": True, **admin}
        usual = {name: _profile(flow, settings, admin) for name, flow in FLOWS.items()}
        usual["service"]["oauth"].setdefault("client_secret", "secret-CANARY")
        self.broker = Broker(
            Profiles(
                admin=self._filled_in({**usual, **(profiles or {})}), user_file=None, flyte=False
            ),
            Redirects("/platform-auth/login"),
            store=store(self.clock) if store else None,
            clock=self.clock,
            new_driver=self._driver,
        )

    def _filled_in(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled_in(each) for name, each in value.items()}
        return value.replace("{issuer}", self.wire.address) if isinstance(value, str) else value

    def _driver(self, config: PlatformConfig) -> Driver:
        clock = self.clock.monotonic
        transport = Transport(config, total=self._total)
        return Driver(
            transport,
            now=self.clock.time,
            monotonic=clock,
            sleep=self._sleep,
            run=self._run,
        )

    async def _run(self, step: Run) -> str:
        return await run_command(replace(step, timeout=self._command_seconds or step.timeout))

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    def run(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Run a test's work with the provider on its socket, then end the broker."""

        async def whole() -> Any:
            async with self.wire:
                try:
                    return await asyncio.wait_for(work(), 30)
                finally:
                    self.provider.gate.set()
                    await self.broker.close()

        # Attempts follow each other at once, as many as there are.
        with stamina.set_testing(True, attempts=10, cap=True):
            return asyncio.run(whole())

    async def back(self, name: str = "prod", **changes: str | None) -> str:
        """Be sent to the provider, sign in, and return where that sends the browser."""
        return self.provider.authorize(await self.broker.begin(name, CALLBACK, HERE), **changes)

    async def sign_in(self, name: str = "prod", **changes: str | None) -> Session:
        """Sign in with a browser."""
        return await self.broker.complete(await self.back(name, **changes), HERE)

    async def signed_in(self, name: str = "prod") -> AccessToken:
        """Sign in and return the token; the provider forgets what it was asked until then."""
        if name == "prod":
            await self.sign_in(name)
        token = await self.broker.token(name)
        self.provider.requests.clear()
        return token

    async def refreshed(self, token: AccessToken, later: float = REFUSED_AGAIN) -> AccessToken:
        """Have a token refreshed, as after the platform has refused it so many seconds later."""
        self.clock.advance(later)
        return await self.broker.token("prod", stale=token.fingerprint)

    async def background(self, name: str = "prod") -> None:
        """Return when the refresh in the background has ended."""
        session = await self.broker.session(name)
        if session.refreshing is not None:
            await asyncio.wait({session.refreshing})

    def asked(self, endpoint: str = "token") -> int:
        """Return how many requests an endpoint has got."""
        return len(self.provider.sent_to(endpoint))


async def failure(work: Awaitable[object]) -> PlatformAuthError:
    """Return the error that this ends with."""
    with pytest.raises(PlatformAuthError) as caught:
        await work
    return caught.value


def _profile(flow: str, oauth: dict[str, Any], admin: dict[str, Any]) -> dict[str, Any]:
    usual = {
        "endpoint": "flyte.example.com",
        "authType": flow,
        "clientId": CLIENT,
        "scopes": ["openid", "offline_access"] if flow != "ClientSecret" else ["api"],
    }
    return {"admin": _set({**usual, **admin}), "oauth": _set(oauth)}


def _set(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}
