"""Whose a token of the Hub is, and whether it may be used here."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tornado.web import HTTPError

from ..errors import BrokerRefusedError, BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .hub_oauth import ServiceOAuth
    from .namesakes import Namesakes

FRESH_SECONDS: Final = 60.0
"""Seconds for which the Hub's word on a token counts."""

GRACE_SECONDS: Final = 900.0
"""Seconds for which it counts where the Hub is away: it may be restarted under its users."""

_MOST = 20_000
_STRANGER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Word:
    model: dict[str, Any] | None
    at: float


class TokenOwners:
    """Asks the Hub whose a token is: once for all who come with it at the same time.

    Parameters
    ----------
    oauth
        Speaks to the Hub, and knows the scope that it takes.
    namesakes
        Told of each user who is let in.
    clock
        Replaced in tests.

    """

    def __init__(
        self,
        oauth: ServiceOAuth,
        namesakes: Namesakes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._oauth, self._namesakes, self._clock = oauth, namesakes, clock
        self._words: OrderedDict[str, _Word] = OrderedDict()
        self._asking: dict[str, asyncio.Task[_Word]] = {}

    async def user_of(self, token: str) -> str | None:
        """Return the name of the user whose token it is, or None where the Hub does not know it.

        Raises
        ------
        BrokerRefusedError
            It has not the scope for this service, or is no user's.
        BrokerUnavailableError
            The Hub cannot be asked.

        """
        model = (await self._word(hashlib.sha256(token.encode()).hexdigest(), token)).model
        if model is None:
            return None
        if not self._oauth.check_scopes(self._oauth.access_scopes, model):
            raise BrokerRefusedError(
                "This token may not be used here.",
                why=f"It has not the scope {max(self._oauth.access_scopes)}.",
                fix="Make one with that scope, or use that of your Jupyter server.",
            )
        if model.get("kind") != "user":  # a service may be called as a user is
            what = "This token is a service's, and only people have sign-ins."
            raise BrokerRefusedError(what, fix="Use a token of the user whose sign-in is wanted.")
        name: str = model["name"]
        return name

    async def _word(self, key: str, token: str) -> _Word:
        known = self._words.get(key)
        if known is not None:
            self._words.move_to_end(key)
            good_for = _STRANGER_SECONDS if known.model is None else FRESH_SECONDS
            if self._clock() - known.at < good_for:
                return known
        if key not in self._asking:
            self._asking[key] = asyncio.create_task(self._ask(key, token))
            self._asking[key].add_done_callback(lambda _: self._asking.pop(key))
        # One who leaves must not take the answer from the others.
        try:
            return await asyncio.shield(self._asking[key])
        except HTTPError:
            if known and known.model and self._clock() - known.at < GRACE_SECONDS:
                return known
            what = "JupyterHub cannot be asked whose token this is."
            raise BrokerUnavailableError(what, fix="Try again in a moment.") from None

    async def _ask(self, key: str, token: str) -> _Word:
        model = await self._oauth.user_for_token(token, use_cache=False, sync=False)
        if model is not None and model.get("kind") == "user":
            await self._namesakes.check(model["name"], token)
        self._words[key] = word = _Word(model, self._clock())
        while len(self._words) > _MOST:
            self._words.popitem(last=False)
        return word
