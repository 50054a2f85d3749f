"""``api/v1/…``: the broker protocol for pages, without the calls that no browser may make."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tornado import web

from ..broker.protocol import Protocol, json_object
from ..broker.reply import refusal
from ..errors import BadRequestError, BrokerError, BrokerRefusedError, PlatformAuthError
from .answer import Answer
from .visitor import HubVisitor

if TYPE_CHECKING:
    from ..broker.reply import Reply


class JsonHandler(Answer):
    """Answers in the protocol's own form, whatever goes wrong."""

    def body(self) -> dict[str, Any]:
        """Return the JSON object that came."""
        return json_object(self.request.body)

    def query(self) -> dict[str, str]:
        """Return what stands after the question mark."""
        return {name: self.get_query_argument(name) for name in self.request.query_arguments}

    def reply(self, reply: Reply) -> None:
        """Answer."""
        self.set_status(reply.status)
        error = reply.body.get("error")
        if reply.status == HTTPStatus.SERVICE_UNAVAILABLE and error:
            self.set_header("Retry-After", "2")
        self.finish(reply.body)

    def refuse(self, status: int, error: PlatformAuthError) -> None:
        """Answer with an error."""
        self.set_status(status)
        self.finish({"error": error.to_dict()})

    def write_error(self, status_code: int, **_kwargs: object) -> None:
        """Say in the protocol's form what Tornado refuses."""
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error": _error_of(status_code).to_dict()}))


class ApiHandler(HubVisitor, JsonHandler):
    """Answers the calls of a page of this service: by the Hub's login, and with the XSRF token."""

    async def get(self) -> None:
        """Answer ``GET``."""
        await self._answer()

    async def post(self) -> None:
        """Answer ``POST``."""
        await self._answer()

    async def _answer(self) -> None:
        if self.current_user is None:
            raise web.HTTPError(HTTPStatus.FORBIDDEN)  # no redirect: a script has asked
        name: str = self.current_user["name"]
        try:
            broker = await self.service.people.broker(name)
            query, body = self.query(), self.body()
        except PlatformAuthError as error:
            return self.reply(refusal(error))
        path = self.request.path[len(self.service.prefix) + len("api") :]
        caller = f"browser of {name}"
        protocol, method = Protocol(broker, private=False), self.request.method or ""
        return self.reply(await protocol.answer(method, path, query, body, caller=caller))


def _error_of(status: int) -> BrokerError:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return BrokerRefusedError("You are not logged in to JupyterHub here, or may not do this.")
    try:
        what = f"{HTTPStatus(status).phrase}."
    except ValueError:
        what = f"Error {status}."
    return BadRequestError(what) if status < HTTPStatus.INTERNAL_SERVER_ERROR else BrokerError(what)
