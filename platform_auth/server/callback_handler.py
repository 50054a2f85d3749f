"""``{base_url}platform-auth/callback``: where identity providers send browsers back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tornado import web

from ..broker.attempt import Binding
from ..broker.pages import page
from ..errors import AccessDeniedError, CallbackError, PlatformAuthError
from ..oauth.authorization import callback_parameters
from . import flow_cookie
from .page_handler import PageHandler
from .visitor import authorized_to, refuse_visitor, user_name

if TYPE_CHECKING:
    from ..broker.session import Session


class CallbackHandler(PageHandler):
    """Finishes the sign-in of the browser that began it, and says how it went."""

    @web.authenticated
    @authorized_to("write")
    async def get(self) -> None:
        """Finish a sign-in."""
        if self.is_prefetch():
            return self.decline()
        try:
            refuse_visitor(self)
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

    async def _complete(self, url: str) -> Session:
        answer = callback_parameters(url)
        if not answer:
            raise CallbackError(
                "The identity provider sent nothing back that this page could read.",
                why="It may have put its answer after a #, which browsers keep to themselves.",
                fix="Have the client registered for the code flow, with response_mode query.",
            )
        state = answer.get("state", "")
        # The cookie stays until it expires: loading this page again is no mistake of the person's.
        binding = Binding(browser=flow_cookie.get(self, state), user=user_name(self))
        return await self.broker.complete(url, binding)
