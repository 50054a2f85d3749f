"""``v1/…``: the broker protocol for the servers, workers and jobs of users, tokens included.

Whoever asks shows a token of the Hub, and gets what belongs to the user whose it is.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from ..broker.protocol import MAX_WAIT, Protocol
from ..broker.reply import refusal
from ..errors import BrokerRefusedError, BrokerUnavailableError, PlatformAuthError
from .api_handler import JsonHandler

if TYPE_CHECKING:
    from .service import Service

_TOKEN: Final = re.compile(r"(?:token|bearer)\s+(\S+)\s*", re.IGNORECASE)
_SHOW: Final = re.compile(r"/v1/profiles/([^/]+)")

_LOOK: Final = 2.0  # seconds between two looks at the database, for one who waits

# What only browsers send. No access token ever goes to one, whoever sits before it.
_OF_BROWSERS: Final = ("Cookie", "Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode")


class ProtocolHandler(JsonHandler):
    """Answers the calls of a user's own programs."""

    def initialize(self, service: Service) -> None:
        """Take what the route gives."""
        super().initialize(service)
        self._waiting: asyncio.Task[Any] | None = None

    def check_xsrf_cookie(self) -> None:
        """Do nothing: no cookie counts here."""

    async def get(self) -> None:
        """Answer ``GET``."""
        await self._answer()

    async def post(self) -> None:
        """Answer ``POST``."""
        await self._answer()

    async def put(self) -> None:
        """Answer ``PUT``."""
        await self._answer()

    async def _answer(self) -> None:
        try:
            user = await self._user()
        except BrokerRefusedError as error:
            return self.refuse(HTTPStatus.FORBIDDEN, error)
        except BrokerUnavailableError as error:
            self.set_header("Retry-After", "2")
            return self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, error)
        if user is None:
            return self._ask_for_token()
        try:
            query, body = self.query(), self.body()
            query = await self._waited(user, query)
            broker = await self.service.people.broker(user)
        except PlatformAuthError as error:
            return self.reply(refusal(error))
        caller, method = f"server of {user}", self.request.method or ""
        protocol = Protocol(broker, private=True)
        return self.reply(await protocol.answer(method, self._path, query, body, caller=caller))

    async def _user(self) -> str | None:
        if any(name in self.request.headers for name in _OF_BROWSERS):
            raise BrokerRefusedError("Browsers may not ask here: no token is given to one.")
        shown = _TOKEN.fullmatch(self.request.headers.get("Authorization", ""))
        return await self.service.owners.user_of(shown[1]) if shown else None

    def _ask_for_token(self) -> None:
        self.set_header("WWW-Authenticate", "Bearer")
        error = BrokerRefusedError(
            "JupyterHub does not know whoever asks.",
            why="There is no token, or it has expired, was revoked, or its server has stopped.",
            fix="Restart your Jupyter server, or use another token of the Hub.",
        )
        self.refuse(HTTPStatus.UNAUTHORIZED, error)

    @property
    def _path(self) -> str:
        return self.request.path[len(self.service.prefix) - 1 :]

    async def _waited(self, user: str, query: dict[str, str]) -> dict[str, str]:
        """Wait for the change that a long poll asks for, on whichever replica it happens."""
        shown = _SHOW.fullmatch(self._path)
        try:
            since, wait = int(query["since"]), min(float(query.get("wait", 0)), MAX_WAIT)
        except (KeyError, ValueError):
            return query  # nobody waits, or the protocol says what is wrong with it
        if shown is None or self.request.method != "GET" or not wait > 0:
            return query
        self._waiting = asyncio.create_task(self._changed(user, unquote(shown[1]), since, wait))
        self._waiting.add_done_callback(lambda task: task.cancelled() or task.exception())
        await self.service.until_leaving({self._waiting})
        if self._waiting.done() and not self._waiting.cancelled():
            self._waiting.result()
        self._waiting.cancel()
        return {**query, "wait": "0"}

    async def _changed(self, user: str, name: str, since: int, wait: float) -> None:
        """Return once a session is another; now and then look what other replicas have done."""
        now = asyncio.get_running_loop().time
        ends = now() + wait
        while (left := ends - now()) > 0:
            session = await (await self.service.people.broker(user)).session(name)
            if session.revision != since:
                return
            await session.changed(since, min(left, _LOOK))

    def on_connection_close(self) -> None:
        """Wait no longer for one who has left."""
        if self._waiting is not None:
            self._waiting.cancel()
