"""``callback``: where identity providers send all users' browsers back to."""

from __future__ import annotations

from ..broker.browser.callback import CallbackPage
from ..broker.pages import page
from .visitor import ServicePage
from .way_back import brought_back, safe_way_back


class CallbackHandler(CallbackPage, ServicePage):
    """Finishes the sign-in of the browser and user who began it, and says how it went."""

    async def get(self) -> None:
        """Finish a sign-in.

        Nobody is sent to log in from here: the code would travel on in the address, and whoever is
        not logged in has begun nothing in this browser.
        """
        if self.current_user is None and not self.is_prefetch():
            self.set_status(403)
            fix = "Start the sign-in again, in the browser in which you use Jupyter."
            what = "You are not logged in to JupyterHub in this browser."
            self.finish(page("Start again", what, kind="bad", fix=fix))
        else:
            await self.finish_sign_in()

    @property
    def way_back(self) -> tuple[str, str] | None:
        """Where the sign-in began, if that is on this Hub."""
        hub = self.service
        url = safe_way_back(brought_back(self.cookie), hub.base_url, hub.oauth.hub_host)
        return (url, "Back to Jupyter") if url else None
