"""``{base_url}platform-auth/callback``: where identity providers send browsers back to."""

from __future__ import annotations

from tornado import web

from ..broker.browser import flow_cookie
from ..broker.browser.callback import CallbackPage
from ..errors import CallbackError
from .hub_place import HubPlace
from .page_handler import PageHandler
from .visitor import authorized_to


class CallbackHandler(CallbackPage, PageHandler):
    """Finishes the sign-in of the browser that began it, and says how it went.

    On a Hub, where one redirect URI serves all servers of a person, it passes the browser on to the
    one that began.
    """

    @web.authenticated
    @authorized_to("write")
    async def get(self) -> None:
        """Finish a sign-in."""
        where = self._elsewhere()
        if where is not None and not self.is_prefetch():
            return self.redirect(where)
        return await self.finish_sign_in()

    def _elsewhere(self) -> str | None:
        place = HubPlace.of_environment(self.base_url)
        try:
            return place.elsewhere(self.request.uri or "") if place else None
        except CallbackError:
            return None  # and the page says why

    @property
    def way_on(self) -> tuple[str, str] | None:
        """The sign-in page, if this browser began here: a server that was stopped forgets that."""
        try:
            name = flow_cookie.profile_of(self.cookie)
        except CallbackError:
            return None
        url = self.broker.redirects.sign_in_url(name) if name in self.broker.names() else None
        return (url, "Sign in again") if url else None
