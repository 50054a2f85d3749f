"""Where a person goes to sign in, and how the browser is sent there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import PlatformAuthError
from ..oauth.discovery import asks_platform
from ..oauth.flows import get_flow
from .redirects import Redirect, Way, is_callback_page

if TYPE_CHECKING:
    from ..config import Profile
    from ..oauth.flows import Flow
    from .attempt import Binding
    from .contexts import Contexts
    from .redirects import Answered, Redirects
    from .session import Session
    from .sign_in import SignIns


class Departures:
    """Sends persons off to sign in.

    Parameters
    ----------
    sign_ins, redirects, contexts
        The broker's.
    complete
        Takes the URL that a browser came back to.

    """

    def __init__(
        self, sign_ins: SignIns, redirects: Redirects, contexts: Contexts, complete: Answered
    ) -> None:
        self._sign_ins, self._redirects = sign_ins, redirects
        self._contexts, self._complete = contexts, complete

    async def start(self, session: Session, flow: Flow, wish: str | None) -> None:
        """Begin to sign in to a session, up to the challenge where a person is needed.

        Parameters
        ----------
        session, flow
            To what, and how.
        wish
            Another way home for the browser than the profile's.

        """
        if not flow.redirects:
            return await self._sign_ins.directly(session, flow)
        profile = await self._completed(session)
        way = await self._redirects.choose(profile, self._complete, wish)
        if way.kind is Way.SERVER:
            url, kind = self._redirects.sign_in_url(profile.name), "open"
        else:
            trip = await self._sign_ins.begin(
                session, flow, way.redirect_uri, None, ended=way.release
            )
            url, kind = trip.url, "paste" if way.kind is Way.PASTE else "open"
        return self._sign_ins.ask(session, {"kind": kind, "url": url, "sentence": way.sentence})

    async def leave(self, session: Session, redirect_uri: str, binding: Binding) -> str:
        """Send off a browser that has come to the server; see `Broker.begin`."""
        registered = (await self._completed(session)).config.oauth.redirect_uri
        own = session.profile.config.oauth.redirect_uri
        if registered is not None and (own is not None or is_callback_page(registered)):
            redirect_uri = registered
        flow = get_flow(session.profile.config.flow)
        challenge = await self._sign_ins.begin(
            session, flow if flow.redirects else get_flow("pkce"), redirect_uri, binding
        )
        if session.challenge is None:
            url = self._redirects.sign_in_url(session.profile.name)
            sentence = Redirect(Way.SERVER).sentence
            self._sign_ins.ask(session, {"kind": "open", "url": url, "sentence": sentence})
        return challenge.url

    async def come_back_here(self, session: Session) -> bool:
        """Tell whether a browser that signs in comes back to the Jupyter server."""
        if not get_flow(session.profile.config.flow).redirects:
            return False
        url = self._redirects.sign_in_url(session.profile.name)
        own_page = {"kind": "open", "url": url}
        if session.challenge is not None and own_page.items() <= session.challenge.items():
            return True  # the person was told to come that way
        return self._redirects.way(await self._completed(session)) is Way.SERVER

    async def _completed(self, session: Session) -> Profile:
        """Return a session's profile with what its platform says, where that is asked at all."""
        profile = session.profile
        if not asks_platform(profile.config):
            return profile
        try:
            found = await self._contexts.discovered(session)
        except PlatformAuthError as error:
            session.settle(error)
            raise
        return replace(profile, config=found.config)
