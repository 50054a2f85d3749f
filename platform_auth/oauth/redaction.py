"""Keeping secrets out of logs: one filter for our loggers and those of the libraries under us."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from ..secret import MASK

if TYPE_CHECKING:
    from collections.abc import Callable

LOGGERS: Final = (
    "platform_auth", "authlib", "httpx2", "httpcore2", "stamina",
    # Their modules come late, and a parent's filter is none of its children's.
    "httpcore2.connection", "httpcore2.http11", "httpcore2.http2", "httpcore2.proxy",
    "httpcore2.socks",
)  # fmt: skip
"""The loggers that pass the filter, with all below them that exist by then."""

_JWT_PARTS: Final = 3


def _url(found: re.Match[str]) -> str:
    """Return a URL without its credentials and its query."""
    place, mark, _secret = re.split(r"([?#]|$)", found[2], maxsplit=1)
    authority, slash, path = place.partition("/")
    user, at, host = authority.rpartition("@")
    shown = f"{found[1]}{MASK if user else ''}{at}{host}{slash}{path}"
    return f"{shown}?{MASK}" if mark else shown


def _jwt(found: re.Match[str]) -> str:
    return MASK if len(found[0].split(".")) >= _JWT_PARTS else found[0]


# Each takes in all that it looks at: what others make us log may be long, and made to take long.
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"(https?://)([^\s'\"]+)"), _url),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{4,}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[\w.-]+"), _jwt),
    (
        re.compile(
            r"(?i)\b(\w*(?:token|secret|assertion|password|verifier)|(?:device_|user_)?code|state"
            r"|nonce)(['\"]?\s*[=:]\s*b?['\"]?)[^\s&'\",}]+"
        ),
        rf"\1\2{MASK}",
    ),
)


def redact(text: str) -> str:
    """Return a text without URL queries, credentials and tokens.

    Examples
    --------
    >>> redact("GET https://id.example/cb?code=SplxlOB&state=af0 with Bearer abcdef")
    'GET https://id.example/cb?•••••• with Bearer ••••••'

    """
    for pattern, mask in _PATTERNS:
        text = pattern.sub(mask, text)
    return text


class RedactingFilter(logging.Filter):
    """Redacts a record's finished message, and its traceback, before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; it is always let through."""
        try:
            record.msg, record.args = redact(record.getMessage()), None
        except (TypeError, ValueError):
            record.msg, record.args = "(a message that could not be formatted)", None
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


_FILTER = RedactingFilter()


def install() -> None:
    """Put the filter on every logger of `LOGGERS` and the ones below them; once is enough."""
    known = list(logging.root.manager.loggerDict)
    for name in (*LOGGERS, *(n for n in known if n.startswith(tuple(f"{p}." for p in LOGGERS)))):
        logging.getLogger(name).addFilter(_FILTER)
