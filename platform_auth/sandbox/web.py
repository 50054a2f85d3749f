"""What every answer of the sandbox has in common, whatever it is about."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tornado.web import Application, HTTPError, RequestHandler

if TYPE_CHECKING:
    from types import TracebackType

    from platform_auth.sandbox.exchange import Response

log = logging.getLogger(__name__)

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Sandbox": "not for production",
}
"""Sent with everything; pages widen the content policy by what they need."""


class Handler(RequestHandler):
    """The base of the sandbox's handlers: strict headers, own host only, errors without traces."""

    def set_default_headers(self) -> None:
        """Send `HEADERS`, and do not say which server this is."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def compute_etag(self) -> None:
        """Send no ETag: nothing here may be cached."""

    def prepare(self) -> None:
        """Refuse a host name that is not ours: another site's name may point here (rebinding)."""
        if self.request.host not in self.settings["hosts"]:
            raise HTTPError(421, reason="Misdirected Request")

    def respond(self, response: Response) -> None:
        """Send what the provider answers."""
        self.set_status(response.status)
        for name, value in response.headers:
            self.set_header(name, value)
        self.finish(response.body)

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Answer in JSON, never with a traceback."""
        code = (
            "server_error" if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request"
        )
        text = reason(kwargs.get("exc_info")) or HTTPStatus(status_code).phrase
        self.finish({"error": code, "error_description": text})

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what went wrong and at which path; queries carry states, codes and id_tokens."""
        if isinstance(value, HTTPError):
            log.debug("%d %s: %s", value.status_code, self.request.path, value.log_message)
        elif typ is not None and value is not None:
            log.error("Failed at %s", self.request.path, exc_info=(typ, value, tb))


class NotFound(Handler):
    """Answers every address there is nothing at."""

    def prepare(self) -> None:
        """Say so, after the checks of every handler."""
        super().prepare()
        raise HTTPError(404)


def reason(exc_info: object) -> str:
    """Return what a handler raised `HTTPError` with, for the answer; empty for other errors."""
    found = exc_info[1] if isinstance(exc_info, tuple) else None
    return found.log_message or "" if isinstance(found, HTTPError) else ""


def application(routes: list[Any], *, host: str, port: int, **settings: object) -> Application:
    """Return a Tornado application that answers to `host` and its loopback aliases only."""
    names = {host, "localhost", "127.0.0.1", "[::1]"}
    made = Application(routes, default_handler_class=NotFound, log_function=_log)
    made.settings |= {"hosts": {f"{name}:{port}" for name in names}, **settings}
    return made


def _log(handler: RequestHandler) -> None:
    log.debug("%d %s %s", handler.get_status(), handler.request.method, handler.request.path)
