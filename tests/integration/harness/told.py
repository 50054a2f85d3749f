"""A server that tells the front end what a test wants: every state, without a way there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from platform_auth.qr_code import qr_code

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from harness.jupyter import JupyterServer


class Told:
    """Answers, in a page, the calls that its lab extension makes.

    Parameters
    ----------
    page
        Whose; all else it asks is answered by the server itself.
    server
        Which is asked no longer about sessions.
    view
        What each session is like where nothing else is said: an answer of the broker protocol.

    """

    def __init__(self, page: Page, server: JupyterServer, view: dict[str, Any]) -> None:
        self._page, self._base = page, view
        self._views: dict[str, dict[str, Any]] = {}
        self._refusal: dict[str, Any] | None = None
        self._revision, self._silent = 0, False
        page.route(f"{server.url}platform-auth/api/v1/**", self._answer)
        self.say()

    def say(self, profile: str = "prod", **changes: Any) -> None:
        """Tell of one session, and have the page ask for it now."""
        self._revision += 1
        self._silent, self._refusal = False, None
        known = {**self._base, "profile": profile, "revision": self._revision, **changes}
        self._views[profile] = known
        self._ask()

    def refuse(self, **error: Any) -> None:
        """Refuse what a person asks for next."""
        self._refusal = {"code": "refused", "why": "", "fix": "", "retryable": False, **error}

    def fall_silent(self) -> None:
        """Answer no more."""
        self._silent = True
        self._ask()

    def _ask(self) -> None:
        self._page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")

    def _answer(self, route: Route) -> None:
        if self._silent:
            return route.abort()
        if route.request.method == "POST" and self._refusal is not None:
            return _send(route, {"error": self._refusal}, status=409)
        path = urlsplit(route.request.url).path.rpartition("/profiles")[2].strip("/")
        name, _, verb = path.partition("/")
        if not name:
            views = list(self._views.values())
            return _send(route, {"version": 1, "default": "prod", "profiles": views})
        return _send(route, self._picture(name) if verb == "qr" else self._views[name])

    def _picture(self, name: str) -> dict[str, Any]:
        code = qr_code(self._views[name]["challenge"]["verification_uri_complete"])
        return {"qr": {"size": code.size, "path": code.path} if code else None}


def _send(route: Route, body: dict[str, Any], *, status: int = 200) -> None:
    route.fulfill(status=status, content_type="application/json", body=json.dumps(body))
