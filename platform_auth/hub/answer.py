"""What all answers of the service have in common."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tornado import web

from ..broker.pages import HEADERS, page
from ..oauth.redaction import redact

if TYPE_CHECKING:
    from types import TracebackType

    from .service import Service

log = logging.getLogger("platform_auth")


class Answer(web.RequestHandler):
    """An answer that the service knows to be under way, so that it does not end before it."""

    def initialize(self, service: Service) -> None:
        """Take what the route gives."""
        self.service = service

    def set_default_headers(self) -> None:
        """Say neither which server this is nor anything that a browser might guess at."""
        self.clear_header("Server")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    async def prepare(self) -> None:
        """Begin."""
        self.service.begin(self)
        if self.service.is_leaving:
            self.set_header("Connection", "close")

    def on_finish(self) -> None:
        """End."""
        self.service.end(self)

    def compute_etag(self) -> None:
        """Return none: nobody keeps the answers."""

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what nobody foresaw; Tornado's own log would quote the whole address."""
        if isinstance(value, web.HTTPError):
            log.info("%d: %s", value.status_code, redact(value.log_message or ""))
        else:
            log.error("no answer to %s", self.request.path, exc_info=(typ, value, tb))  # type: ignore[arg-type]


class Nowhere(Answer):
    """Answers to all addresses that do not exist."""

    async def prepare(self) -> None:
        """Refuse."""
        await super().prepare()
        raise web.HTTPError(404)

    def write_error(self, status_code: int, **_kwargs: object) -> None:  # noqa: ARG002 - Tornado's
        """Show the way on."""
        for name, value in HEADERS.items():
            self.set_header(name, value)
        what = "This address leads nowhere."
        link = (self.service.prefix, "Your sign-ins")
        self.finish(page("There is no such page", what, kind="bad", link=link))
