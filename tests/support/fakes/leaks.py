"""What must not be seen, and a watch over all that can be seen while a test runs."""

from __future__ import annotations

import json
import logging
import re
import traceback
from typing import TYPE_CHECKING

from platform_auth.broker.pages import page
from platform_auth.errors import PlatformAuthError
from platform_auth.oauth import redaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from .provider import Provider

CANARY = "CANARY"
"""A part of everything that is secret in a test."""

# What moves a terminal's cursor, reorders a line, or cannot be encoded.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_MARKUP = re.compile(r"<\s*(script|img|iframe|svg|a\s)", re.IGNORECASE)


class Watch(logging.Handler):
    """Sees every error that is made and every record that is logged.

    Attributes
    ----------
    errors, log
        Those.
    providers
        Whose secrets are looked for besides `CANARY`.

    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.errors: list[PlatformAuthError] = []
        self.log: list[str] = []
        self.providers: list[Provider] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as any other handler would show it."""
        self.log.append(self.format(record))

    def start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin to look."""
        redaction.install()
        made, kept = PlatformAuthError.__init__, self.errors

        def noted(error: PlatformAuthError, *args: str, **named: object) -> None:
            made(error, *args, **named)  # type: ignore[arg-type]
            kept.append(error)

        monkeypatch.setattr(PlatformAuthError, "__init__", noted)
        root = logging.getLogger()
        monkeypatch.setattr(root, "handlers", [*root.handlers, self])
        monkeypatch.setattr(root, "level", logging.DEBUG)
        logging.getLogger("asyncio").setLevel(logging.WARNING)

    def forget(self) -> None:
        """Have seen nothing."""
        self.errors.clear()
        self.log.clear()

    def leaks(self) -> list[str]:
        """Return what shows a secret, or a server's text as it came."""
        secrets = {CANARY}.union(*(provider.secrets for provider in self.providers))
        texts = [*self.log, *(text for error in self.errors for text in shown(error))]
        found = [text for text in texts if any(secret in text for secret in secrets)]
        said = [part for error in self.errors for part in (error.what, error.why, error.fix)]
        found += [text for text in said if _CONTROL.search(text)]
        return found + [text for text in map(_on_a_page, self.errors) if _MARKUP.search(text)]


def shown(error: PlatformAuthError) -> Iterator[str]:
    """Give every form in which somebody may see an error."""
    yield from (str(error), repr(error), repr(error.args), json.dumps(error.to_dict()))
    yield from error._render_traceback_()
    yield from chain(error)
    yield _on_a_page(error)


def chain(error: BaseException | None) -> Iterator[str]:
    """Give the words of an error and of all those behind it; the lines of code hold no secret."""
    while error is not None:
        yield from traceback.format_exception_only(error)
        error = error.__cause__ or error.__context__


def _on_a_page(error: PlatformAuthError) -> str:
    return page("Sign-in failed", error.what, error.why, fix=error.fix).partition("</h1>")[2]
