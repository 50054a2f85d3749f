"""The service's log of requests, in which no code, state or token can stand."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tornado.web import RequestHandler

log = logging.getLogger("platform_auth")

_CLIENT_ERROR, _SERVER_ERROR = 400, 500


def log_request(handler: RequestHandler) -> None:
    """Log a request by its path alone: what comes after the question mark is nobody's business.

    What went well is told at the level of debugging only: kernels ask often.
    """
    status = handler.get_status()
    level = logging.DEBUG if status < _CLIENT_ERROR else logging.INFO
    if status >= _SERVER_ERROR:
        level = logging.WARNING
    request = handler.request
    seconds = request.request_time()
    log.log(level, "%d %s %s %.0f ms", status, request.method, request.path[:200], seconds * 1000)
