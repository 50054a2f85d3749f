"""The pages and calls of a server whose sign-ins the Hub's service keeps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from tornado import web
from tornado.httputil import url_concat

from ..broker.environment import PAGES_VARIABLE
from ..broker.reply import Reply, refusal
from ..errors import PlatformAuthError, PolicyError
from .api_handler import ApiHandler
from .hub_place import browser_scheme
from .page_handler import PageHandler
from .visitor import authorized_to, refuse_visitor

if TYPE_CHECKING:
    from ..broker.upstream import Upstream

# What `UserProfiles` answers where the sign-ins are the server's own.
_OF_OWN_PROFILES: Final = ("/v1/discover", "/v1/default-profile", "/v1/user-profiles/")


class HubApiHandler(ApiHandler):
    """Answers the front end's calls with what the service says."""

    def initialize(self, upstream: Upstream) -> None:  # type: ignore[override]  # what its route gives
        """Take what the route gives."""
        self._protocol = upstream.public
        self._track_activity = self.request.method != "GET"

    def _admit(self) -> None:
        refuse_visitor(self)

    async def _answer_to(self, path: str, body: dict[str, Any]) -> Reply:
        if path.startswith(_OF_OWN_PROFILES):
            what = "On this Hub the platforms and the default are the administrator's."
            error = PolicyError(what, fix="Ask them for another platform.")
            self._note_refused(error)
            return refusal(error)
        return await super()._answer_to(path, body)

    def _allowed(self) -> dict[str, bool]:
        return {"can_add": False, "can_choose": False}

    def _note_refused(self, error: PolicyError) -> None:
        self.log.warning("%s", error)


class HubLoginHandler(PageHandler):
    """Sends the browser on to the service's own sign-in page, which brings it back."""

    def initialize(self, upstream: Upstream) -> None:  # type: ignore[override]  # what its route gives
        """Take what the route gives."""
        self._upstream = upstream

    @web.authenticated
    @authorized_to("write")
    async def get(self) -> None:
        """Send the browser on."""
        if self.is_prefetch():
            return self.decline()
        try:
            refuse_visitor(self)
        except PlatformAuthError as error:
            return self.show_error(error)
        given = {name: self.get_query_argument(name, "") for name in ("profile", "force")}
        query = {name: value for name, value in given.items() if value}
        # The service asks the person itself whether they mean it, where another site has sent them.
        pages = os.environ.get(PAGES_VARIABLE)
        if not pages:
            page = f"{self._upstream.service.address.path}/login"
            return self.redirect(url_concat(page, {**query, "next": self.base_url}))
        # On a Hub with sub-domains the service has one, too, and comes back from there.
        here = f"{browser_scheme(self.request)}://{self.request.host}{self.base_url}"
        return self.redirect(url_concat(f"{pages.rstrip('/')}/login", {**query, "next": here}))

    def note_refused(self, error: PolicyError) -> None:
        """Log what was refused to this browser."""
        self.log.warning("%s", error)
