"""Handing out access tokens: to whoever is let in, and never a refresh token."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import PlatformAuthError
from .access_token import AccessToken, fingerprint
from .event import Kind, event_of
from .monotonic import monotonic
from .refresh import sign_in_required

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..oauth.proxy import ProxyAuthorization
    from .keeper import Keeper
    from .observer import Observer
    from .refresh import Refresher
    from .session import Session


class Tokens:
    """Hands out the tokens of a broker.

    Parameters
    ----------
    find
        Finds a profile's session.
    refresher, keeper
        Keep them fresh.
    observer
        Told of every request.

    """

    def __init__(
        self,
        find: Callable[[str], Awaitable[Session]],
        refresher: Refresher,
        keeper: Keeper,
        observer: Observer,
    ) -> None:
        self._find, self._refresher = find, refresher
        self._keeper, self._observer = keeper, observer

    async def hand_out(
        self, name: str, min_ttl: float, stale: str | None, caller: str = ""
    ) -> AccessToken:
        """Return a profile's token; see `Broker.token`."""
        try:
            session = await self._find(name)
            token = await self._fresh(session, min_ttl, stale)
        except PlatformAuthError as error:
            self._observer.token_requested(error.code)
            raise
        self._observer.token_requested("ok")
        if caller and caller not in session.given_to:
            session.given_to.add(caller)
            self._observer.happened(replace(event_of(session, Kind.TOKEN), caller=caller))
        return token

    async def _fresh(self, session: Session, min_ttl: float, stale: str | None) -> AccessToken:
        if session.record is None and not session.interactive:
            async with session.turn:
                pass  # a sign-in that is under way brings what is wanted
        self._keeper.used(session)
        await self._refresher.ensure(session, min_ttl=min_ttl, stale=stale)
        record = session.record
        if record is None:
            raise sign_in_required(session)
        token = AccessToken(
            value=record.tokens.access_token,
            expires_at=record.expires_at,
            deadline=monotonic() + session.remaining,
            token_type=record.tokens.token_type,
            header=session.profile.config.oauth.authorization_metadata_key or record.header,
            lifetime=record.tokens.expires_in,
        )
        proxy = session.driver.proxy
        return token if proxy is None else await _with_proxy(token, proxy, min_ttl, stale)


async def _with_proxy(
    token: AccessToken, proxy: ProxyAuthorization, min_ttl: float, stale: str | None
) -> AccessToken:
    """Return a token with the one for the proxy before its platform; good while both are."""
    held = proxy.held
    refused = held if held is not None and stale == fingerprint(held.authorization) else None
    theirs = await proxy.token(min_ttl=min_ttl, stale=refused)
    return replace(
        token,
        deadline=min(token.deadline, monotonic() + proxy.remaining(theirs)),
        lifetime=min(token.lifetime, theirs.lifetime),
        proxy_authorization=theirs.authorization,
    )
