"""One HTTP request to a broker, and its answer.

Tornado reads and writes HTTP; its request handlers, made for sites, cost more than the rest of a
call does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError

from ..errors import BadRequestError
from .gate import RETRY_AFTER, RefusedAtGateError, too_large
from .protocol import MAX_BODY, json_object
from .reply import refusal

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tornado.http1connection import HTTP1Connection
    from tornado.httputil import HTTPConnection

    from .gate import Gate
    from .handles import Handle
    from .protocol import Answers
    from .reply import Reply

_HEADERS: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}
_MORE: Final[dict[int, dict[str, str]]] = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": str(RETRY_AFTER)},
}


class Exchanges(HTTPServerConnectionDelegate):
    """Answers what comes in at a socket.

    Parameters
    ----------
    protocol
        Has the answers.
    gate
        Says who may ask.

    """

    def __init__(self, protocol: Answers, gate: Gate) -> None:
        self.protocol, self.gate = protocol, gate
        self._running: dict[asyncio.Future[None], HTTP1Connection] = {}

    def start_request(
        self,
        server_conn: object,  # noqa: ARG002 - Tornado's signature
        request_conn: HTTPConnection,
    ) -> HTTPMessageDelegate:
        """Begin with one request."""
        return _Exchange(self, cast("HTTP1Connection", request_conn))

    def run(self, answer: Coroutine[Any, Any, None], connection: HTTP1Connection) -> None:
        """Have something answered; where that is called off, the connection ends."""
        task = asyncio.ensure_future(answer)
        self._running[task] = connection  # the event loop itself keeps tasks by weak references
        task.add_done_callback(self._running.pop)

    def stop(self) -> None:
        """Answer nobody any more: whoever waits sees the connection end."""
        for task, connection in self._running.items():
            task.cancel()
            connection.close()


class _Exchange(HTTPMessageDelegate):
    def __init__(self, all_of_them: Exchanges, connection: HTTP1Connection) -> None:
        self._all, self._connection = all_of_them, connection
        self._handle: Handle | None = None
        self._refusal: Reply | None = None
        self._method = self._target = ""
        self._body = bytearray()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Look who it is."""
        assert isinstance(start_line, RequestStartLine)  # noqa: S101 - this end is the server
        self._method, self._target = start_line.method, start_line.path
        connection = getattr(self._connection.stream, "socket", None)
        try:
            self._handle = self._all.gate.admit(connection, headers)
        except RefusedAtGateError as refused:
            self._refusal = refused.reply

    def data_received(self, chunk: bytes) -> None:
        """Keep a part of the body, unless nobody will look at it."""
        if self._refusal is None:
            self._body += chunk
            if len(self._body) > MAX_BODY:
                self._refusal, self._body = too_large(), bytearray()

    def finish(self) -> None:
        """Answer, now that the other side has sent all and listens."""
        if self._refusal is not None:
            self._reply(self._refusal)
        elif self._handle is not None:
            self._all.run(self._answer(self._handle), self._connection)

    def on_connection_close(self) -> None:
        """Go on: what has been begun for one who left may serve the next who asks."""

    async def _answer(self, handle: Handle) -> None:
        path, _, query = self._target.partition("?")
        try:
            body = json_object(bytes(self._body))
        except BadRequestError as error:
            return self._reply(refusal(error))
        reply = await self._all.protocol.answer(
            self._method,
            path,
            dict(parse_qsl(query)),
            body,
            only=handle.profiles,
            caller=handle.owner,
        )
        if reply.status == HTTPStatus.FORBIDDEN:
            self._all.gate.note(f"{handle.owner} may not {self._method} {path[:200]!r}")
        return self._reply(reply)

    def _reply(self, reply: Reply) -> None:
        content = json.dumps(reply.body).encode()
        more = _MORE.get(reply.status, {})
        headers = HTTPHeaders(_HEADERS | more | {"Content-Length": str(len(content))})
        line = ResponseStartLine("HTTP/1.1", reply.status, HTTPStatus(reply.status).phrase)
        with contextlib.suppress(StreamClosedError):  # nobody waits for it any more
            self._connection.write_headers(line, headers, content)
            self._connection.finish()
