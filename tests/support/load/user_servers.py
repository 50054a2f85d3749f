"""Users' servers at a Hub with the service: what asks in each of them, without the rest of it."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any, Final

import httpx2

from platform_auth.broker.hub_address import HubAddress
from platform_auth.broker.hub_service import HubService
from platform_auth.broker.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from load.replicas import Outcome

_PAUSE: Final = 0.25
_PATIENCE: Final = 120.0


class _OnSharedConnections(httpx2.AsyncBaseTransport):
    """One server's token of the Hub on what all of them send: one process has one environment."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, token: str) -> None:
        self._inner, self._token = inner, token

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Authorization"] = f"token {self._token}"
        return await self._inner.handle_async_request(request)


class UserServer:
    """One user's server.

    Parameters
    ----------
    address
        Of the service.
    token
        The server's, of the Hub.
    transport
        What all servers here send through.
    person
        Whose it is, for what is told of failures.

    """

    def __init__(
        self, address: str, token: str, transport: httpx2.AsyncBaseTransport, person: str = ""
    ) -> None:
        self._person = person
        shared = _OnSharedConnections(transport, token)
        service = HubService(HubAddress.parse(address), transport=shared)
        self._face = Upstream(service, lambda _name: "/").private

    async def token(self, profile: str, outcome: Outcome, **query: str) -> dict[str, Any]:
        """Ask for a token, as a kernel does; again as long as what is refused says so.

        The time it took, how often it was asked for, and what it failed with go to the outcome.
        """
        began, path = time.monotonic(), f"/v1/profiles/{profile}/token"
        while True:
            outcome.tries += 1
            reply = await self._face.answer("GET", path, query, {})
            error = reply.body.get("error", {})
            late = time.monotonic() - began > _PATIENCE
            if reply.status == httpx2.codes.OK or late or not error.get("retryable"):
                break
            await asyncio.sleep(_PAUSE)
        outcome.seconds.append(time.monotonic() - began)
        if error:
            outcome.failed.append(f"{self._person}/{profile}: {error}")
        return reply.body


async def use(
    address: str,
    tokens: Mapping[str, str],
    profiles: Sequence[str],
    outcome: Outcome,
    *,
    seconds: float,
    each: float,
) -> None:
    """Have everybody's server ask for all their tokens every so many seconds, for a while.

    Parameters
    ----------
    address
        Of the service.
    tokens
        The servers', of the Hub, by whose they are.
    profiles
        What they ask for.
    outcome
        What comes of it.
    seconds, each
        For how long, and how often.

    """
    end = time.monotonic() + seconds
    limits = httpx2.Limits(max_connections=200)
    async with httpx2.AsyncHTTPTransport(limits=limits) as transport:

        async def ask(person: str, profile: str, server: UserServer) -> None:
            await asyncio.sleep(random.Random(f"{person}/{profile}").uniform(0, each))  # noqa: S311
            while time.monotonic() < end:
                await server.token(profile, outcome, min_ttl="1")
                await asyncio.sleep(each)

        servers = {
            name: UserServer(address, token, transport, name) for name, token in tokens.items()
        }
        asked = [ask(name, profile, servers[name]) for name in servers for profile in profiles]
        await asyncio.gather(*asked)
