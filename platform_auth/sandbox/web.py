"""What every answer of the sandbox has in common, whatever it is about."""

from __future__ import annotations

import logging
from typing import Any, Final

from tornado.web import Application, HTTPError, RequestHandler

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

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer in JSON, never with a traceback."""
        if status_code >= 500:  # noqa: PLR2004
            self.finish({"error": "server_error"})
            return
        found = kwargs.get("exc_info", (None, None, None))[1]
        text = found.log_message if isinstance(found, HTTPError) else None
        self.finish({"error": "invalid_request", "error_description": text or self._reason})


class NotFound(Handler):
    """Answers every address there is nothing at."""

    def prepare(self) -> None:
        """Say so, after the checks of every handler."""
        super().prepare()
        raise HTTPError(404)


def application(routes: list[Any], *, host: str, port: int, **settings: Any) -> Application:
    """Return a Tornado application that answers to `host` and its loopback aliases only."""
    names = {host, "localhost", "127.0.0.1", "[::1]"}
    return Application(
        routes,
        default_handler_class=NotFound,
        hosts={f"{name}:{port}" for name in names},
        log_function=_log,
        **settings,
    )


def _log(handler: RequestHandler) -> None:
    # The path alone: queries carry states, codes and id_token hints.
    log.debug("%d %s %s", handler.get_status(), handler.request.method, handler.request.path)
