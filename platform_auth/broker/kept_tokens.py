"""Tokens that another broker has given out, kept for as long as they are good for something."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import BrokerUnavailableError, PlatformAuthError
from .access_token import AccessToken
from .monotonic import monotonic
from .reply import Reply
from .windows import hard_window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    _Query = Mapping[str, str]
    _Ask = Callable[[str, _Query, bool], Awaitable[Reply]]

PAUSE: Final = 5.0
"""Seconds in which nobody asks about a token again: as late does a sign-out elsewhere arrive."""

_ALIVE: Final = 1.0
_SERVER_ERROR: Final = 500
_Flight = tuple[str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class _Kept:
    token: AccessToken
    at: float  # when it was asked for, by the monotonic clock

    def serves(self, query: _Query) -> bool:
        """Tell whether it is what is asked for, and nobody needs to be asked."""
        try:
            min_ttl = float(query.get("min_ttl", 60))
        except ValueError:
            return False  # the service says what is wrong with it
        needed = hard_window(self.token.lifetime, min_ttl)
        return self.token.remaining > needed and monotonic() - self.at < PAUSE

    def survives(self, query: _Query) -> bool:
        """Tell whether it is better than nothing."""
        refused = query.get("stale") in self.token.fingerprints
        return not refused and self.token.remaining > _ALIVE


class KeptTokens:
    """Answers calls for tokens from what it has, else by asking.

    However many ask for the same at once, it asks once. While the service is away, or has troubles
    of its own, tokens that still live go on being given out.

    Parameters
    ----------
    ask
        Puts the call: a profile's name, the query, and whether it is worth some patience.

    """

    def __init__(self, ask: _Ask) -> None:
        self._ask = ask
        self._kept: dict[str, _Kept] = {}
        self._flights: dict[_Flight, asyncio.Task[Reply]] = {}

    def drop(self, name: str) -> None:
        """Forget a profile's token: something about its session is being changed."""
        self._kept.pop(name, None)

    async def answer(self, name: str, query: _Query) -> Reply:
        """Return the answer to a call.

        Raises
        ------
        BrokerUnavailableError
            There is no token, and nobody to ask.

        """
        kept = self._kept.get(name)
        if kept is not None and kept.survives(query) and kept.serves(query):
            return Reply(200, kept.token.to_dict())
        key = (name, query.get("min_ttl"), query.get("stale"))
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fetch(name, query, kept))
            flight.add_done_callback(lambda task: self._landed(key, task))
        return await asyncio.shield(flight)  # who leaves takes nobody else along

    def _landed(self, key: _Flight, flight: asyncio.Task[Reply]) -> None:
        self._flights.pop(key, None)
        if not flight.cancelled():
            flight.exception()

    async def _fetch(self, name: str, query: _Query, kept: _Kept | None) -> Reply:
        kept = kept if kept is not None and kept.survives(query) else None
        try:
            reply = await self._ask(name, query, kept is None)
        except BrokerUnavailableError:
            if kept is None or not kept.survives(query):
                raise
            return Reply(200, kept.token.to_dict())
        if reply.status == 200:  # noqa: PLR2004 - the protocol's only success
            return self._keep(name, reply)
        if kept is not None and kept.survives(query) and _is_no_verdict(reply):
            return Reply(200, kept.token.to_dict())
        self.drop(name)
        return reply

    def _keep(self, name: str, reply: Reply) -> Reply:
        try:
            token = AccessToken.from_dict(reply.body)
        except (KeyError, TypeError, ValueError):
            raise BrokerUnavailableError(
                "The Hub's service has another version of platform-auth than this server.",
                fix="Ask the administrator of the Hub to install the same one for both.",
            ) from None
        self._kept[name] = _Kept(token, monotonic())
        return reply


def _is_no_verdict(reply: Reply) -> bool:
    """Tell whether a refusal says nothing about the token: somebody has a passing trouble."""
    error = reply.body.get("error")
    retryable = isinstance(error, dict) and PlatformAuthError.from_dict(error).retryable
    return reply.status >= _SERVER_ERROR or retryable
