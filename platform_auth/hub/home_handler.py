"""The service's first page: a person's own sign-ins."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from jupyterhub.utils import url_path_join
from tornado import web

from ..broker.pages import page
from ..broker.protocol import Protocol
from ..errors import PlatformAuthError
from ..words import host_of
from .home_page import home_page
from .sheet import SHEET_HEADERS
from .visitor import ServicePage

if TYPE_CHECKING:
    from collections.abc import Sequence

_STILL: Final = "The identity provider still knows you in this browser."
_DONE: Final = {"one": "You are signed out.", "all": "You are signed out of all platforms."}


class SheetHandler(ServicePage):
    """A page with a table and forms."""

    def set_default_headers(self) -> None:
        """Add the headers of such pages."""
        super().set_default_headers()
        for name, value in SHEET_HEADERS.items():
            self.set_header(name, value)

    @property
    def links(self) -> Sequence[tuple[str, str]]:
        """Where to go from here."""
        home = str(url_path_join(self.service.base_url, "hub/home"))
        return ((f"{self.service.oauth.hub_host}{home}", "JupyterHub"),)

    @property
    def message(self) -> str:
        """What has just been done, of the few things that can be."""
        return _DONE.get(self.get_query_argument("done", ""), "")

    @property
    def hidden(self) -> str:
        """The field that no other site's forms have."""
        return self.xsrf_form_html()

    def go_on(self, path: str, **query: str) -> None:
        """Show a page instead of the form that was sent, so that a reload sends nothing again."""
        self.redirect(
            f"{self.service.prefix}{path}?{urlencode(query)}", status=HTTPStatus.SEE_OTHER
        )


class HomeHandler(SheetHandler):
    """Shows a person's sign-ins, and ends them."""

    @web.authenticated
    async def get(self) -> None:
        """Show them."""
        if self.is_prefetch():
            return self.decline()
        try:
            await self.admit()
            protocol = Protocol(self.broker, private=False)
            reply = await protocol.answer("GET", "/v1/profiles", {}, {}, caller=self.caller)
        except PlatformAuthError as error:
            return self.show_error(error, title="Your sign-ins cannot be shown")
        admin = [("admin", "All users")] if await self._is_admin() else []
        self.finish(
            home_page(
                reply.body["profiles"],
                person=self.visitor,
                hidden=self.hidden,
                message=self.message,
                links=(*self.links, *admin),
            )
        )
        return None

    @web.authenticated
    async def post(self) -> None:
        """End one of them, or all."""
        everything = self.get_body_argument("all", "") == "1"
        try:
            await self.admit()
            names = self.broker.names() if everything else [self.get_body_argument("profile")]
            caller = f"browser of {self.visitor}"
            left = [await self.broker.sign_out(name, caller=caller) for name in names]
        except PlatformAuthError as error:
            return self.show_error(error, title="You are still signed in")
        logout = left[0].logout_url
        if len(left) == 1 and logout:
            self._offer_logout(left[0].session.profile.config.host, logout)
        else:
            self.go_on("", done="all" if everything else "one")
        return None

    async def _is_admin(self) -> bool:
        try:
            return await self.service.oauth.is_admin(self.visitor)
        except web.HTTPError:
            return False  # the page of all users says why

    def _offer_logout(self, host: str, url: str) -> None:
        """Say that the provider still knows the person, and where that ends."""
        lines = f"You are signed out of {host} on all of your servers.", _STILL
        self.finish(page("You are signed out", *lines, link=(url, f"Sign out at {host_of(url)}")))
