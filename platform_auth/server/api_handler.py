"""``{base_url}platform-auth/api/v1/…``: the broker protocol for the front end.

All of it but the private calls: no browser ever sees a token. The list of profiles says in
``can_add``, too, whether the user may have profiles of their own here, and in ``can_choose``,
whether their own choice of a default would count.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..broker.protocol import MAX_BODY, Answers, Protocol, json_object
from ..broker.reply import Reply, refusal
from ..errors import (
    BadRequestError,
    BrokerError,
    BrokerRefusedError,
    ConfigError,
    PlatformAuthError,
    PolicyError,
)
from .visitor import authorized_to, browser_of, may_be_here, refuse_visitor

if TYPE_CHECKING:
    from ..broker.broker import Broker

ROUTE: Final = "platform-auth/api"

_LIST: Final = "/v1/profiles"


class ApiHandler(APIHandler):
    """Answers the calls of the protocol; reading needs ``read``, all else ``write``."""

    def initialize(self, broker: Broker) -> None:
        """Take what the route gives."""
        self._broker = broker
        self._protocol: Answers = Protocol(broker, private=False)
        # The front end's polls are nobody at work: no server would ever be culled.
        self._track_activity = self.request.method != "GET"

    def set_default_headers(self) -> None:
        """Keep answers out of caches."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def compute_etag(self) -> None:
        """Return none: nobody keeps the answers."""

    @web.authenticated
    @authorized_to("read")
    async def get(self) -> None:
        """Answer ``GET``."""
        await self._answer()

    @web.authenticated
    @authorized_to("write")
    async def post(self) -> None:
        """Answer ``POST``."""
        await self._answer()

    @web.authenticated
    @authorized_to("write")
    async def put(self) -> None:
        """Answer ``PUT``: there is no such call here."""
        await self._answer()

    async def _answer(self) -> None:
        try:
            self._admit()
            body = self._body()
        except PlatformAuthError as error:
            if isinstance(error, PolicyError):
                self._note_refused(error)
            return self._reply(refusal(error))
        return self._reply(
            await self._answer_to(self.request.path[len(self.base_url + ROUTE) :], body)
        )

    def _admit(self) -> None:
        refuse_visitor(self)
        self._broker.redirects.browser_may_be_here = may_be_here(self.request)

    def _note_refused(self, error: PolicyError) -> None:
        self._broker.refused("", error, browser_of(self))

    async def _answer_to(self, path: str, body: dict[str, Any]) -> Reply:
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        method, caller = self.request.method or "", browser_of(self)
        reply = await self._protocol.answer(method, path, query, body, caller=caller)
        if path != _LIST or reply.status != HTTPStatus.OK:
            return reply
        return Reply(reply.status, {**reply.body, **self._allowed()})

    def _allowed(self) -> dict[str, bool]:
        try:
            profiles = self._broker.profiles
            can_add = profiles.policy.allow_user_profiles
            can_choose = profiles.user_path is not None and not profiles.chosen_above
        except ConfigError:  # the server's own settings are wrong, and so nothing is allowed
            can_add = can_choose = False
        return {"can_add": can_add, "can_choose": can_choose}

    def _body(self) -> dict[str, Any]:
        if len(self.request.body) > MAX_BODY:
            raise BadRequestError(f"The body has more than {MAX_BODY} bytes.")
        return json_object(self.request.body)

    def _reply(self, reply: Reply) -> None:
        self.set_status(reply.status)
        self.finish(reply.body)

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Give what Jupyter refuses the protocol's shape, with Jupyter's own ``message``, too."""
        exc_info = kwargs.get("exc_info")
        cause = exc_info[1] if isinstance(exc_info, tuple) else None
        said = cause.log_message if isinstance(cause, web.HTTPError) else None
        error = _error_kind(status_code)(said or _phrase(status_code))
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error": error.to_dict(), "message": error.what, "reason": None}))


def _error_kind(status: int) -> type[BrokerError]:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return BrokerRefusedError
    return BadRequestError if status < HTTPStatus.INTERNAL_SERVER_ERROR else BrokerError


def _phrase(status: int) -> str:
    if status == HTTPStatus.FORBIDDEN:
        return "You are not logged in to this Jupyter server, or may not do this."
    try:
        return f"{HTTPStatus(status).phrase}."
    except ValueError:
        return f"Error {status}."
