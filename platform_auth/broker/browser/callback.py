"""``callback``: where identity providers send browsers back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import AccessDeniedError, CallbackError, PlatformAuthError
from ...oauth.authorization import callback_parameters
from ..attempt import Binding
from ..pages import page
from . import flow_cookie
from .page import Page

if TYPE_CHECKING:
    from ..session import Session


class CallbackPage(Page):
    """Finishes the sign-in of the browser that began it, and says how it went."""

    async def finish_sign_in(self) -> None:
        """Finish a sign-in."""
        if self.is_prefetch():
            return self.decline()
        try:
            await self.admit()
            session = await self._complete(self.request.uri or "")
        except AccessDeniedError as error:
            self.finish(page("You are not signed in", error.what, kind="ask", fix=error.fix))
        except CallbackError as error:
            self.show_error(error, title="Start again")
        except PlatformAuthError as error:
            self.show_error(error)
        else:
            self.show_signed_in(session, title="You are signed in")
        return None

    @property
    def cookie(self) -> str:
        """What this browser has of the sign-in that it says it comes from."""
        state = callback_parameters(self.request.uri or "").get("state", "")
        return flow_cookie.get(self, state)

    async def _complete(self, url: str) -> Session:
        if not callback_parameters(url):
            raise CallbackError(
                "The identity provider sent nothing back that this page could read.",
                why="It may have put its answer after a #, which browsers keep to themselves.",
                fix="Have the client registered for the code flow, with response_mode query.",
            )
        # The cookie stays until it expires: loading this page again is no mistake of the person's.
        return await self.broker.complete(url, Binding(browser=self.cookie, user=self.visitor))
