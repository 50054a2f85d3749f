"""``admin``: all users' sign-ins, for administrators of the Hub alone."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from tornado import web

from ..errors import BadRequestError, PlatformAuthError, PolicyError
from .admin_page import ROWS, admin_page
from .home_handler import SheetHandler

_DONE: Final = {
    "one": "The user is signed out of that platform.",
    "all": "The user is signed out of everything.",
    "none": "There was nothing to end.",
}
_TITLE: Final = "Nothing was done"


class AdminHandler(SheetHandler):
    """Shows who is signed in to what, and ends it."""

    @web.authenticated
    async def get(self) -> None:
        """Show a page of the sessions there are."""
        if self.is_prefetch():
            return self.decline()
        try:
            await self._admit_administrator()
            wanted, number = self.get_query_argument("user", ""), self._number()
            register = self.service.register
            entries = await register.entries(wanted, offset=number * ROWS, limit=ROWS)
            total = await register.count(wanted)
        except PlatformAuthError as error:
            return self.show_error(error, title="This page cannot be shown")
        self.finish(
            admin_page(
                entries,
                total=total,
                wanted=wanted,
                number=number,
                person=self.visitor,
                hidden=self.hidden,
                message=_DONE.get(self.get_query_argument("done", ""), ""),
                links=(*self.links, (self.service.prefix, "Your sign-ins")),
            )
        )
        return None

    @web.authenticated
    async def post(self) -> None:
        """Sign a user out of one platform, or of all."""
        everything = self.get_body_argument("all", "") == "1"
        try:
            await self._admit_administrator()
            person = self.get_body_argument("person")
            profile = None if everything else self.get_body_argument("profile")
            by = f"administrator {self.visitor}"
            ended = await self.service.register.revoke(person, profile, by)
        except PlatformAuthError as error:
            return self.show_error(error, title=_TITLE)
        done = ("all" if everything else "one") if ended else "none"
        self.go_on("admin", user=person, done=done)
        return None

    async def _admit_administrator(self) -> None:
        """Let only administrators go on; the Hub is asked each time.

        Raises
        ------
        PolicyError
            It is somebody else.

        """
        await self.admit()
        try:
            allowed = await self.service.oauth.is_admin(self.visitor)
        except web.HTTPError:
            raise web.HTTPError(HTTPStatus.SERVICE_UNAVAILABLE) from None
        if not allowed:
            raise PolicyError(
                "This page is for administrators of the Hub.",
                why=f"{self.visitor} is none.",
                fix="Your own sign-ins are on the page before this one.",
            )

    def _number(self) -> int:
        text = self.get_query_argument("page", "0")
        if not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 - more pages than anybody has
            raise BadRequestError("There is no such page.")
        return int(text)
