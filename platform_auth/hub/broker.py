"""The broker of one person at the Hub's service: the usual one, in step with other replicas."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..broker.broker import Broker
from ..errors import PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ..broker.access_token import AccessToken
    from ..broker.attempt import Binding
    from ..broker.session import Session
    from ..broker.sign_out import SignedOut
    from .pending import SqlPending
    from .shared_state import SharedState


class PersonsBroker(Broker):
    """Holds one person's sessions; what a call has changed, all replicas know when it returns.

    Parameters
    ----------
    state, pending
        What is shared besides the tokens.
    options
        See `Broker`.

    """

    def __init__(self, state: SharedState, pending: SqlPending, **options: Any) -> None:  # noqa: ANN401 - a broker's
        self._state, self._posting = state, pending
        super().__init__(pending=pending, **options)
        state.broker = self

    async def session(self, name: str) -> Session:
        """Return a profile's session, with the revision it has at every replica."""
        known = {each.profile.name for each in self.sessions}
        session = await super().session(name)
        if name not in known:
            self._state.number(session)
        return session

    async def quietly(self, name: str) -> Session:
        """Return a session where what is new in it is no news of this replica's."""
        with self._state.learning(name):
            return await super().session(name)

    async def take_in(self, name: str, mapping: Mapping[str, Any]) -> None:
        """Take in a profile that code has made at another replica."""
        with self._state.learning(name):
            await super().put(name, mapping)

    async def put(self, name: str, mapping: Mapping[str, Any], *, apart: bool = False) -> Session:
        """Take in a profile made by code; see `Broker.put`."""
        async with self._posted():
            session = await super().put(name, mapping, apart=apart)
            self._state.session_changed(session)
            return session

    async def sign_in(self, name: str, **options: Any) -> Session:  # noqa: ANN401 - a broker's
        """Sign in; see `Broker.sign_in`."""
        async with self._posted():
            return await super().sign_in(name, **options)

    async def begin(self, name: str, redirect_uri: str, binding: Binding) -> str:
        """Begin a sign-in for a browser; see `Broker.begin`."""
        async with self._posted():
            return await super().begin(name, redirect_uri, binding)

    async def complete(self, url: str, binding: Binding | None = None) -> Session:
        """Finish the sign-in that a browser has come back from; see `Broker.complete`."""
        async with self._posted():
            return await super().complete(url, binding)

    async def cancel(self, name: str) -> Session:
        """Call a sign-in off; see `Broker.cancel`."""
        async with self._posted():
            return await super().cancel(name)

    async def sign_out(self, name: str, *, caller: str = "") -> SignedOut:
        """Forget a session's tokens; see `Broker.sign_out`."""
        async with self._posted():
            return await super().sign_out(name, caller=caller)

    async def token(self, name: str, **options: Any) -> AccessToken:  # noqa: ANN401 - a broker's
        """Return an access token; see `Broker.token`."""
        try:
            return await super().token(name, **options)
        except PlatformAuthError:
            await self._state.posted()  # all replicas say the same of it
            raise

    @contextlib.asynccontextmanager
    async def _posted(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await self._state.posted()
            await self._posting.posted()
