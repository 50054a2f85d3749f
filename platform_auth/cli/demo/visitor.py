"""A scripted person with a browser: logged in to Jupyter, and able to sign in at the sandbox."""

from __future__ import annotations

import re
import threading
from html import unescape
from typing import TYPE_CHECKING, Final

import httpx2

from ...errors import PlatformAuthError, ServerFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sandbox import Sandbox
    from .server import Server

_SECONDS: Final = 30.0


class Visitor:
    """Clicks *Sign in*, says who they are at the identity provider, allows it, and comes back.

    Parameters
    ----------
    server
        The Jupyter server.
    sandbox
        The identity provider.
    give_up
        Called when they do not get through, so that nobody waits for them.

    """

    def __init__(self, server: Server, sandbox: Sandbox, give_up: Callable[[], None]) -> None:
        self._server, self._sandbox, self._give_up = server, sandbox, give_up
        self._browser = httpx2.Client(timeout=_SECONDS, trust_env=False)
        self._trip: threading.Thread | None = None
        self.problem: PlatformAuthError | None = None
        self.page = ""
        """The heading of the last page they saw."""

    @property
    def has_gone(self) -> bool:
        """Whether somebody asked them to sign in."""
        return self._trip is not None

    def log_in(self, token: str) -> None:
        """Log in to Jupyter: from here on the browser has its cookie."""
        answer = self._browser.get(self._server.url, params={"token": token})
        if answer.is_error:
            raise ServerFailedError(f"Jupyter answers {answer.status_code} to the login.")

    def go(self, path: str) -> None:
        """Begin to sign in at a root-relative address; the notebook goes on meanwhile."""
        if self._trip is None:
            self._trip = threading.Thread(target=self._sign_in, args=(path,), daemon=True)
            self._trip.start()

    def wait(self) -> None:
        """Wait until they are back."""
        if self._trip is not None:
            self._trip.join(_SECONDS)

    def close(self) -> None:
        """Close the browser."""
        self._browser.close()

    def _sign_in(self, path: str) -> None:
        try:
            self._walk(path)
        except PlatformAuthError as error:
            self.problem = error
        except httpx2.HTTPError as error:
            self.problem = ServerFailedError("The Jupyter server is gone.", why=str(error))
        if self.problem is not None:
            self._give_up()

    def _walk(self, path: str) -> None:
        start = self._browser.get(f"{self._server.origin}{path}", headers=_CLICK)
        if not start.is_redirect:
            what = f"The sign-in page shows {_heading(start)!r}, not the identity provider."
            raise ServerFailedError(what)
        answer = self._sandbox.sign_in_scripted(start.headers["location"])
        back = self._browser.get(answer, headers=_RETURN)
        self.page = _heading(back)
        if back.is_error:
            what = f"Back from the identity provider, the page shows {self.page!r}."
            raise ServerFailedError(what)


# What a browser says of a click on a link, and of a redirect from another site.
_CLICK: Final = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
_RETURN: Final = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


def _heading(page: httpx2.Response) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    return unescape(found[1]).strip() if found else f"HTTP {page.status_code}"
