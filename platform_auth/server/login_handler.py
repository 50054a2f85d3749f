"""``{base_url}platform-auth/login?profile=NAME[&force=1]``: where every Sign-in link leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tornado import web

from ..broker.browser import flow_cookie
from ..broker.browser.login import LoginPage
from .page_handler import PageHandler
from .redirect_uri import redirect_uri
from .visitor import authorized_to, may_be_here

if TYPE_CHECKING:
    from ..broker.broker import Broker


class LoginHandler(LoginPage, PageHandler):
    """Sends the browser to the identity provider, or says that there is no need to.

    Parameters of the route
    -----------------------
    broker
        Whose sessions.
    redirect_base_url
        ``c.PlatformAuth.redirect_base_url``.
    cookie_seconds
        How long the browser may take to come back.

    """

    def initialize(
        self, broker: Broker, redirect_base_url: str | None = None, cookie_seconds: float = 600
    ) -> None:
        """Take what the route gives."""
        super().initialize(broker)
        self._base, self.cookie_seconds = redirect_base_url, cookie_seconds

    @web.authenticated
    @authorized_to("write")
    async def get(self) -> None:
        """Begin a sign-in."""
        await self.begin()

    @web.authenticated
    @authorized_to("write")
    async def post(self) -> None:
        """Take the address that a browser ended on, from the page that asks for it."""
        await self.take_pasted()

    async def admit(self) -> None:
        """Let only the owner go on, and note whether the browser may be on this machine."""
        await super().admit()
        self.broker.redirects.browser_may_be_here = may_be_here(self.request)

    def new_cookie(self) -> str:
        """Return a value that also says what this browser wants to sign in to.

        So it can be helped on where the server is stopped meanwhile and knows nothing of it.
        """
        return flow_cookie.new_value(self._profile_name())

    @property
    def callback(self) -> str:
        """See `redirect_uri`."""
        return redirect_uri(self.request, self.base_url, self._base)
