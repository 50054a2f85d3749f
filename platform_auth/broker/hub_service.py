"""The Hub's service, asked from an event loop."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final

import httpx2

from ..errors import BrokerUnavailableError
from .environment import HUB_TOKEN_VARIABLE
from .reply import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .hub_address import HubAddress

_SECONDS: Final = 40.0  # a refresh inside of the service may take 30
_CONNECT: Final = 5.0
_MOST_BYTES: Final = 4 * 1024 * 1024

_PAUSES: Final = (0.25, 0.5, 1.0, 2.0)
"""Seconds between the tries at a service that is not there: it may just be started anew."""

# What proxies say of a service that is not there: 404 where its route is not there, either.
_AWAY: Final = frozenset({404, 502, 503, 504})


class HubService:
    """Puts calls of the broker protocol to the service.

    Parameters
    ----------
    address
        Where it is.
    transport
        How it is reached, for tests.
    pauses
        Seconds between two tries.

    """

    def __init__(
        self,
        address: HubAddress,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        pauses: tuple[float, ...] = _PAUSES,
    ) -> None:
        self.address, self._pauses = address, pauses
        # Neither a proxy nor a netrc file of the user's is for what is inside of the Hub.
        self._http = httpx2.AsyncClient(
            trust_env=False,
            transport=transport,
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=10),
        )

    async def ask(  # noqa: PLR0913 - a request, and how long it may take
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any],
        *,
        wait: float = 0.0,
        patient: bool = True,
    ) -> Reply:
        """Return the service's answer.

        What is only asked for is asked for again while the service is away; what changes something
        only where it cannot have arrived.

        Parameters
        ----------
        method, path, query, body
            The call; the path percent-encoded.
        wait
            Seconds that the service itself may wait.
        patient
            Whether to try again.

        Raises
        ------
        BrokerUnavailableError
            There is none.

        """
        why = ""
        for pause in (0.0, *(self._pauses if patient else ())):
            await asyncio.sleep(pause)
            try:
                return await self._once(method, path, query, body, wait)
            except httpx2.ConnectError:
                why = "Nothing answers there."
            except (httpx2.RequestError, _NotThereError) as error:
                why = str(error) if isinstance(error, _NotThereError) else "It broke off."
                if method != "GET":
                    break
        raise unavailable(why)

    async def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any],
        wait: float,
    ) -> Reply:
        answer = await self._http.request(
            method,
            f"{self.address.url}{path}",
            params=dict(query),
            json=None if method == "GET" else dict(body),
            headers={"Authorization": f"token {os.environ.get(HUB_TOKEN_VARIABLE, '')}"},
            timeout=httpx2.Timeout(_SECONDS + wait, connect=_CONNECT),
        )
        reply = _reply(answer)
        if reply is not None:
            return reply
        if answer.status_code in _AWAY:
            raise _NotThereError(answer.status_code)
        raise unavailable(f"What answers there ({answer.status_code}) is not the service.")

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()


class _NotThereError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"The Hub's proxy answers {status} in its place.")


def _reply(answer: httpx2.Response) -> Reply | None:
    """Return an answer of the protocol's; None for one of anybody else's."""
    if len(answer.content) > _MOST_BYTES:
        return None
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    refused = answer.is_error and not isinstance(body.get("error"), dict)
    return None if refused or answer.is_redirect else Reply(answer.status_code, body)


def unavailable(why: str) -> BrokerUnavailableError:
    """Return the error of a service that does not answer."""
    return BrokerUnavailableError(
        "The Hub's service that keeps your sign-ins does not answer.",
        why=why,
        fix="Try again in a minute; if it stays away, tell the administrator of the Hub.",
    )
