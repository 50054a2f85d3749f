"""The broker: holds the sessions and hands out short-lived access tokens.

It is the only owner of refresh tokens. All of it runs on one event loop; `protocol` is how others
talk to it, `local` how a process without a Jupyter server has one of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..oauth import redaction
from ..oauth.flows import get_flow
from .clock import Clock
from .contexts import Contexts
from .departures import Departures
from .drivers import new_driver as usual_driver
from .keeper import Keeper
from .news import News
from .observer import Observer, Observers
from .refresh import Refresher
from .refusals import Refusals
from .renewal import Renewal
from .session import State
from .sessions import Sessions
from .sign_in import TIMEOUT, SignIns
from .sign_out import REVOKE_SECONDS, Leaving, SignedOut, erase
from .stores.memory import MemoryStore
from .tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..config import PlatformConfig, Profiles
    from ..errors import PolicyError
    from ..oauth.driver import Driver
    from .access_token import AccessToken
    from .attempt import Binding
    from .pending import PendingSignIns
    from .redirects import Redirects
    from .session import Session
    from .stores import Store


class Broker:
    """Holds the sessions of one person.

    Parameters
    ----------
    profiles
        What there is to sign in to.
    redirects
        How a browser finds its way back.
    store
        Where sessions rest; in memory when omitted.
    sign_in_timeout
        Seconds a person has to finish a sign-in.
    refresh_margin
        See `Refresher`.
    observer
        Told what happens.
    pending
        Where other processes find the sign-ins that they can go on with.
    background
        See ``turns`` of `Keeper`.
    clock, new_driver
        Replaced in tests.

    Attributes
    ----------
    start
        Names this start of it; None where what waits for a person outlives it (``pending``).

    """

    def __init__(  # noqa: PLR0913 - seams, all of them with a default
        self,
        profiles: Profiles,
        redirects: Redirects,
        *,
        store: Store | None = None,
        sign_in_timeout: float = TIMEOUT,
        refresh_margin: float | None = None,
        observer: Observer | None = None,
        pending: PendingSignIns | None = None,
        background: asyncio.Semaphore | None = None,
        clock: Clock | None = None,
        new_driver: Callable[[PlatformConfig], Driver] | None = None,
    ) -> None:
        redaction.install()
        self.profiles, self.redirects = profiles, redirects
        self.start = None if pending is not None else secrets.token_hex(8)
        self._store, self._clock = store or MemoryStore(), clock or Clock()
        self._observer = Observers(observer) if observer else Observers()
        self._contexts = Contexts(self._clock, redirects.mark)
        own = (self._store, self._clock, self._contexts)
        self._sign_ins = SignIns(*own, sign_in_timeout, self._observer, pending)
        self._departures = Departures(self._sign_ins, redirects, self._contexts, self.complete)
        self._refresher = Refresher(Renewal(*own), self._clock, self._observer, refresh_margin)
        self._keeper = Keeper(self._refresher, self._clock, self.session, background)
        self._refusals = Refusals(self._clock, self._observer)
        self._tokens = Tokens(self.session, self._refresher, self._keeper, self._observer)
        self._sessions = Sessions(
            profiles,
            *(self._store, self._clock, Observers(self._keeper, self._observer)),
            new_driver=new_driver or partial(usual_driver, clock=self._clock),
            call_off=self._sign_ins.cancel,
        )

    # What there is

    def names(self) -> list[str]:
        """Return the names of all profiles."""
        return self._sessions.names()

    @property
    def sessions(self) -> list[Session]:
        """The sessions that have been asked for."""
        return list(self._sessions)

    async def session(self, name: str) -> Session:
        """Return a profile's session; see `Sessions.get`."""
        return await self._sessions.get(name)

    async def put(self, name: str, mapping: Mapping[str, Any], *, apart: bool = False) -> Session:
        """Take in a profile made by code; see `Sessions.put`."""
        return await self._sessions.put(name, mapping, apart=apart)

    # Signing in

    async def sign_in(
        self,
        name: str,
        *,
        flow: str | None = None,
        force: bool = False,
        redirect: str | None = None,
    ) -> Session:
        """Sign in: at once where no person is needed, else up to the challenge.

        Parameters
        ----------
        name
            The profile.
        flow
            Another than the profile's.
        force
            Also when signed in already; the old tokens serve until the new ones are there.
        redirect
            Another way home for the browser than the profile's ``oauth.redirect``.

        """
        session = await self.session(name)
        waited = session.turn.locked()
        async with session.turn:  # two that ask at once must not call each other off
            if not session.interactive:
                await self._join(session, failed=waited)
            signed_in = session.state is State.SIGNED_IN and not force
            # A second notebook waits for the same person: one trip serves both.
            asked = session.challenge is not None and not (force or flow or redirect)
            if not signed_in and not asked:
                chosen = get_flow(flow or session.profile.config.flow)
                await self._check(session, chosen.name)
                self._sign_ins.cancel(session)
                await self._departures.start(session, chosen, redirect)
        return session

    async def _check(self, session: Session, flow: str) -> None:
        """Have the policy look at what a profile alone does not say yet."""
        policy, name = self.profiles.policy, session.profile.name
        policy.check_flow(flow, name)
        if policy.allowed_scopes is not None:
            policy.check_scopes(await self.scopes(session), name)

    async def _join(self, session: Session, *, failed: bool) -> None:
        """Let a service's token that is being fetched serve whoever asks for one meanwhile."""
        if session.refreshing is not None:
            await asyncio.wait({session.refreshing})
            failed = True
        if failed and session.error is not None:
            raise session.error.with_traceback(None)

    async def comes_back_here(self, name: str) -> bool:
        """Tell whether a browser that signs in to a profile comes back to the Jupyter server."""
        return await self._departures.come_back_here(await self.session(name))

    async def begin(self, name: str, redirect_uri: str, binding: Binding) -> str:
        """Begin a sign-in for a browser that has come to the server.

        Parameters
        ----------
        name
            The profile.
        redirect_uri
            This server's callback page; a profile, or its platform, may name another address of it.
        binding
            Whose browser it is.

        Returns
        -------
        The authorization request's URL, to redirect it to.

        """
        session = await self.session(name)
        own = get_flow(session.profile.config.flow)
        await self._check(session, own.name if own.redirects else "pkce")
        return await self._departures.leave(session, redirect_uri, binding)

    async def complete(self, url: str, binding: Binding | None = None) -> Session:
        """Finish the sign-in that a browser has come back from.

        Parameters
        ----------
        url
            The whole address it came back to.
        binding
            Whose browser it is; None where the person pasted the address, or a listener of the
            broker's own got it.

        Raises
        ------
        CallbackError
            It belongs to no sign-in of this browser and user; none is used up by it.
        PlatformAuthError
            The sign-in failed; the session says so, too.

        """
        pending = await self._sign_ins.find(url)
        if pending is None:
            return await self._sign_ins.complete(self._sessions, url, binding)
        session = await self.session(pending.profile)
        return await self._sign_ins.resume(session, pending, url, binding)

    async def learn(self, name: str, news: News) -> None:
        """Take over what another process of the same person knows of a session.

        A sign-in that it has left, because it ended, goes on here.
        """
        session = await self.session(name)
        if news != News.of(session):
            self._sign_ins.learn(session, news)
        if session.challenge is not None and session.challenge.get("kind") == "device":
            await self._sign_ins.take_over(session)

    async def cancel(self, name: str) -> Session:
        """Call a sign-in off; who was signed in before still is."""
        session = await self.session(name)
        self._sign_ins.cancel(session)
        return session

    async def sign_out(self, name: str, *, caller: str = "") -> SignedOut:
        """Forget a session's tokens, here first and always, then revoke them as well as it goes.

        Parameters
        ----------
        name
            The profile.
        caller
            Who asks, for the record.

        """
        session = await self.session(name)
        leaving, record = Leaving.of(session, self._observer, caller), session.record
        self._sign_ins.cancel(session)
        session.forget()
        try:
            record = await erase(session, self._store) or record
        finally:  # what cannot be erased here is all the more to be revoked
            tokens = record.tokens if record else None
            leaving.tell(tokens)
            logout_url = await leaving.at_provider(tokens, self._contexts.of)
        return SignedOut(session, logout_url)

    async def leave(self, name: str) -> None:
        """Sign out of a profile that is about to go, also of one that cannot be used any more."""
        try:
            await self.sign_out(name)
        except ConfigError:
            await self._store.delete(name)

    # Using it

    async def token(
        self, name: str, *, min_ttl: float = 60, stale: str | None = None, caller: str = ""
    ) -> AccessToken:
        """Return an access token that is good for ``min_ttl`` seconds, where tokens live so long.

        Parameters
        ----------
        name
            The profile.
        min_ttl
            Seconds.
        stale
            The fingerprint of a token that the platform refused.
        caller
            Who asks, for the record.

        Raises
        ------
        SignInRequiredError
            A person must sign in.
        PlatformAuthError
            There is no live token and none can be had just now.

        """
        if self.profiles.policy.allowed_scopes is not None:
            session = await self.session(name)
            if not session.interactive:  # it signs in by itself
                await self._check(session, session.profile.config.flow)
        return await self._tokens.hand_out(name, min_ttl, stale, caller)

    def refused(self, name: str, error: PolicyError, caller: str = "") -> None:
        """Put on record that the administrator's policy has refused something."""
        self._refusals.note(name, error, caller)

    @property
    def key_source(self) -> str | None:
        """Where the store's key comes from, see `Store.key_source`; None where it does not say."""
        return getattr(self._store, "key_source", None)  # stores of other packages may be older

    @property
    def store(self) -> str:
        """Where sessions rest, in a few words."""
        return self._store.describe()

    def notices(self, session: Session) -> list[str]:
        """Return what people must know of a sign-in: of its tokens, and that it is not saved."""
        if session.record is None:
            return []
        notice = getattr(self._store, "notice", None)
        unsaved = notice(session.profile.name) if notice else None
        return [*session.notices, *([unsaved] if unsaved else [])]

    async def scopes(self, session: Session) -> tuple[str, ...]:
        """Return the scopes that a sign-in asks for: the platform's own, where none are set."""
        if session.profile.config.scopes:
            return session.profile.config.scopes
        return (await self._contexts.discovered(session)).config.scopes

    def next_refresh(self, session: Session) -> float | None:
        """Return when a session will be renewed, in seconds since the epoch, or None."""
        return self._refresher.next_refresh(session)

    async def close(self, within: float = REVOKE_SECONDS) -> None:
        """End everything that is under way, but wait for refreshes: their tokens count.

        Parameters
        ----------
        within
            Seconds that they are waited for at most.

        """
        self._keeper.close()
        for session in self._sessions:
            self._keeper.leave(session)
            self._sign_ins.abandon(session)
        running = [s.refreshing for s in self._sessions if s.refreshing is not None]
        if running:
            await asyncio.wait(running, timeout=within)
        for session in self._sessions:
            if session.driver.proxy is not None:
                await session.driver.proxy.close()
        await self.redirects.close()
        self._observer.close()
