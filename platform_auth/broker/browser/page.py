"""What the pages that a browser is sent to have in common."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tornado import web

from ...errors import CallbackError, PlatformAuthError, PolicyError
from ..pages import HEADERS, page
from ..reply import refusal

if TYPE_CHECKING:
    from ..broker import Broker
    from ..session import Session

_SERVER_ERROR: Final = 500


class Page(web.RequestHandler):
    """Answers with small pages that are open to nothing.

    Only GET exists. HEAD is refused, and so is what browsers fetch ahead on a guess: neither may
    begin a sign-in or use up a code.

    Attributes
    ----------
    broker
        Whose sessions; there from `admit` on.
    server
        What people call the server.

    """

    broker: Broker
    server = "Jupyter server"

    # What a server adds

    async def admit(self) -> None:
        """Let whoever it is go on, and have `broker` be the right one.

        Raises
        ------
        PlatformAuthError
            They may not.

        """
        raise NotImplementedError

    @property
    def visitor(self) -> str:
        """Who it is, where the server can tell users apart, else nothing."""
        raise NotImplementedError

    @property
    def cookie_path(self) -> str:
        """Where the cookies of sign-ins are sent."""
        raise NotImplementedError

    @property
    def is_https(self) -> bool:
        """Whether the browser came by https."""
        return self.request.protocol == "https"

    @property
    def way_back(self) -> tuple[str, str] | None:
        """Where to go on from the last page, and what to call it; None to close the tab only."""
        return None

    @property
    def way_on(self) -> tuple[str, str] | None:
        """Where to go on after a failure, and what to call it; None where no link helps."""
        return None

    # What they share

    @property
    def caller(self) -> str:
        """Whose browser it is, for the record."""
        return f"browser of {self.visitor}" if self.visitor else "browser"

    def set_default_headers(self) -> None:
        """Add the pages' headers to the server's, and let them win: they allow less."""
        super().set_default_headers()
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def compute_etag(self) -> None:
        """Return none: nobody keeps these pages."""

    def is_prefetch(self) -> bool:
        """Tell whether the browser only guesses that somebody will come here."""
        headers = self.request.headers
        purpose = headers.get("Sec-Purpose", "") + headers.get("Purpose", "")
        return "prefetch" in purpose.lower()

    def decline(self) -> None:
        """Answer a guess with nothing; the browser asks again when it is meant."""
        self.set_status(HTTPStatus.NO_CONTENT)
        self.clear_header("Content-Type")
        self.finish()

    def show_signed_in(self, session: Session, *, title: str) -> None:
        """Say who is signed in where."""
        host, identity = session.profile.config.host, session.identity
        who = f"Signed in as {identity.label} to {host}." if identity else f"Signed in to {host}."
        self.finish(page(title, who, "You can close this tab.", link=self.way_back, close=True))

    def show_error(self, error: PlatformAuthError, title: str = "Sign-in failed") -> None:
        """Say what happened, why, and what to do."""
        if isinstance(error, PolicyError):
            self.note_refused(error)
        bad_request = isinstance(error, CallbackError)
        self.set_status(HTTPStatus.BAD_REQUEST if bad_request else refusal(error).status)
        self.finish(page(title, error.what, error.why, kind="bad", fix=error.fix, link=self.way_on))

    def note_refused(self, error: PolicyError) -> None:
        """Put on record that something was refused to this browser."""
        self.broker.refused(self.get_query_argument("profile", ""), error, self.caller)

    def write_error(self, status_code: int, **_kwargs: object) -> None:
        """Show a page for what the server and Tornado refuse; none of their words are repeated."""
        try:
            reason = HTTPStatus(status_code).phrase
        except ValueError:
            reason = "Error"
        fix = "Go back to the notebook and try again."
        if status_code >= _SERVER_ERROR:
            fix = f"The log of the {self.server} says why."
        self.finish(page("Sign-in failed", f"{status_code} {reason}.", kind="bad", fix=fix))
