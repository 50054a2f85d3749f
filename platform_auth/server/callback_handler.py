"""``{base_url}platform-auth/callback``: where identity providers send browsers back to."""

from __future__ import annotations

from tornado import web

from ..broker.browser.callback import CallbackPage
from .page_handler import PageHandler
from .visitor import authorized_to


class CallbackHandler(CallbackPage, PageHandler):
    """Finishes the sign-in of the browser that began it, and says how it went."""

    @web.authenticated
    @authorized_to("write")
    async def get(self) -> None:
        """Finish a sign-in."""
        await self.finish_sign_in()
