"""The broker: holds the sessions and hands out short-lived access tokens.

It is the only owner of refresh tokens. All of it runs on one event loop; `protocol` is how others
talk to it, `local` how a process without a Jupyter server has one of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from ..config import Profile, Profiles, ProfileSource
from ..errors import BrokerError, PlatformAuthError, PolicyError
from ..oauth import redaction
from ..oauth.discovery import discover
from ..oauth.driver import Driver
from ..oauth.flows import get_flow
from ..oauth.grants import FlowContext, revoke
from .access_token import AccessToken
from .clock import Clock
from .late_transport import LateTransport
from .observer import NoObserver, Observer
from .record import realm_of
from .redirects import Redirects, Way
from .refresh import Refresher, sign_in_required
from .session import Session, State
from .sign_in import TIMEOUT, SignIns
from .stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..config import PlatformConfig
    from ..oauth.flows import Flow
    from ..oauth.tokens import TokenSet
    from .attempt import Binding
    from .record import Record
    from .stores import Store

log = logging.getLogger("platform_auth")

_REVOKE_SECONDS: Final = 10.0


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
    clock, new_driver
        Replaced in tests.

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
        clock: Clock | None = None,
        new_driver: Callable[[PlatformConfig], Driver] | None = None,
    ) -> None:
        redaction.install()
        self.profiles, self.redirects = profiles, redirects
        self._store, self._clock = store or MemoryStore(), clock or Clock()
        self._new_driver, self._observer = new_driver or _driver, observer or NoObserver()
        own = (self._store, self._clock, self._context)
        self._sign_ins = SignIns(*own, sign_in_timeout, self._observer)
        self._refresher = Refresher(*own, refresh_margin, self._observer)
        self._sessions: dict[str, Session] = {}
        self._ad_hoc: dict[str, Profile] = {}

    # What there is

    def names(self) -> list[str]:
        """Return the names of all profiles."""
        return list(dict.fromkeys([*self.profiles.names(), *self._ad_hoc]))

    async def session(self, name: str) -> Session:
        """Return a profile's session, as its configuration is now.

        Raises
        ------
        ProfileNotFoundError, PolicyError, ConfigError
            There is no such profile, or it may not be used.

        """
        profile = self._profile(name)
        session = self._sessions.get(name)
        if session is None or session.profile.config != profile.config:
            outdated = session
            driver = self._new_driver(profile.config)
            session = Session(profile, driver, self._clock, self._observer)
            self._sessions[name] = session  # at once: whoever asks meanwhile must get the same
            session.loading = asyncio.create_task(self._load(session, outdated))
        session.profile = profile
        if session.loading is None and self._store.stamp(name) != session.stamp:
            session.loading = asyncio.create_task(self._load(session, None))
        if session.loading is not None:
            await asyncio.shield(session.loading)
            session.loading = None
        return session

    def _profile(self, name: str) -> Profile:
        ad_hoc = self._ad_hoc.get(name)
        # Code's profiles never stand before configured ones, even if those come later.
        if ad_hoc is None or name in self.profiles.names():
            return self.profiles.get(name)
        return ad_hoc

    async def _load(self, session: Session, outdated: Session | None) -> None:
        """Take over what the store has: of an earlier process, or another one's news."""
        name = session.profile.name
        if outdated is not None:
            self._sign_ins.cancel(outdated)
            outdated.forget()
        try:
            stamp, record = self._store.stamp(name), await self._store.load(name)
        except BaseException:
            if session.record is None:
                self._sessions.pop(name, None)  # to be tried again
            raise
        session.stamp = stamp
        # Under the same name there may be tokens for what the profile was, or is elsewhere.
        if record is not None and record.realm != realm_of(session.profile.config):
            record = None
        if record is None and stamp is None and session.record is not None:
            session.forget()  # signed out by another process
        elif record is not None and not _is_same(record, session.record):
            session.adopt(record)

    async def put(self, name: str, mapping: Mapping[str, Any]) -> Session:
        """Take in a profile made by code, for this process's life.

        Parameters
        ----------
        name
            Of no configured profile.
        mapping
            The shape of ``profiles.yaml``.

        Raises
        ------
        PolicyError, ConfigError
            The administrator's policy refuses it, or it is wrong.

        """
        if name in self.profiles.names():
            what = f"The profile {name} is configured; code cannot change it."
            raise PolicyError(what, fix="Use it as it is, or choose another name.")
        profile = Profile.from_mapping(name, mapping, source=ProfileSource.SESSION)
        self.profiles.policy.check(profile)
        self._ad_hoc[name] = profile
        return await self.session(name)

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
                self._sign_ins.cancel(session)
                await self._sign_in(session, chosen, redirect)
        return session

    async def _join(self, session: Session, *, failed: bool) -> None:
        """Let a service's token that is being fetched serve whoever asks for one meanwhile."""
        if session.refreshing is not None:
            await asyncio.wait({session.refreshing})
            failed = True
        if failed and session.error is not None:
            raise session.error.with_traceback(None)

    async def _sign_in(self, session: Session, flow: Flow, wish: str | None) -> None:
        if not flow.redirects:
            return await self._sign_ins.directly(session, flow)
        name = session.profile.name
        way = await self.redirects.choose(session.profile, self.complete, wish)
        if way.kind is Way.SERVER:
            url, kind = self.redirects.sign_in_url(name), "open"
        else:
            trip = await self._sign_ins.begin(
                session, flow, way.redirect_uri, None, ended=way.release
            )
            url, kind = trip.url, "paste" if way.kind is Way.PASTE else "open"
        return self._sign_ins.ask(session, {"kind": kind, "url": url})

    async def begin(self, name: str, redirect_uri: str, binding: Binding) -> str:
        """Begin a sign-in for a browser that has come to the server.

        Parameters
        ----------
        name
            The profile.
        redirect_uri
            Where the identity provider sends it back to.
        binding
            Whose browser it is.

        Returns
        -------
        The authorization request's URL, to redirect it to.

        """
        session = await self.session(name)
        redirect_uri = session.profile.config.oauth.redirect_uri or redirect_uri
        flow = get_flow(session.profile.config.flow)
        challenge = await self._sign_ins.begin(
            session, flow if flow.redirects else get_flow("pkce"), redirect_uri, binding
        )
        if session.challenge is None:
            self._sign_ins.ask(session, {"kind": "open", "url": self.redirects.sign_in_url(name)})
        return challenge.url

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
        return await self._sign_ins.complete(self._sessions.values(), url, binding)

    async def cancel(self, name: str) -> Session:
        """Call a sign-in off; who was signed in before still is."""
        session = await self.session(name)
        self._sign_ins.cancel(session)
        return session

    async def sign_out(self, name: str) -> Session:
        """Forget a session's tokens, here first and always, then revoke them as well as it goes."""
        session = await self.session(name)
        record = await self._forget(session)
        if record is not None:
            await self._revoke(session, record.tokens)
        return session

    async def _forget(self, session: Session) -> Record | None:
        """Make a session signed out for good, and return the newest record it had."""
        name, record = session.profile.name, session.record
        self._sign_ins.cancel(session)
        session.forget()
        await self._store.delete(name)
        if session.refreshing is not None:
            await asyncio.wait({session.refreshing})  # what it brings must go as well
        try:
            async with self._store.lock(name):  # and what another process brings
                late = await self._store.load(name)
                if session.record is None:
                    await self._store.delete(name)
        except BrokerError:
            late = None  # nobody can be at it who would keep to the lock
        return late or record

    async def _revoke(self, session: Session, tokens: TokenSet) -> None:
        try:
            async with asyncio.timeout(_REVOKE_SECONDS):
                context = await self._context(session)
                for token, hint in (
                    (tokens.refresh_token, "refresh_token"),
                    (tokens.access_token, "access_token"),
                ):
                    if token is not None:
                        await session.driver.drive(revoke(context, token, hint))
        except (PlatformAuthError, TimeoutError) as error:
            log.info("%s: signed out here, but not revoked (%s)", session.profile.name, error)

    # Using it

    async def token(
        self, name: str, *, min_ttl: float = 60, stale: str | None = None
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

        Raises
        ------
        SignInRequiredError
            A person must sign in.
        PlatformAuthError
            There is no live token and none can be had just now.

        """
        try:
            token = await self._token(name, min_ttl, stale)
        except PlatformAuthError as error:
            self._observer.token_requested(error.code)
            raise
        self._observer.token_requested("ok")
        return token

    async def _token(self, name: str, min_ttl: float, stale: str | None) -> AccessToken:
        session = await self.session(name)
        if session.record is None and not session.interactive:
            async with session.turn:
                pass  # a sign-in that is under way brings what is wanted
        await self._refresher.ensure(session, min_ttl=min_ttl, stale=stale)
        record = session.record
        if record is None:
            raise sign_in_required(session)
        return AccessToken(
            value=record.tokens.access_token,
            expires_at=record.expires_at,
            deadline=time.monotonic() + session.remaining,
            token_type=record.tokens.token_type,
            header=session.profile.config.oauth.authorization_metadata_key or "authorization",
            lifetime=record.tokens.expires_in,
        )

    @property
    def store(self) -> str:
        """Where sessions rest, in a few words."""
        return self._store.describe()

    def next_refresh(self, session: Session) -> float | None:
        """Return when a session will be renewed, in seconds since the epoch, or None."""
        return self._refresher.next_refresh(session)

    async def close(self) -> None:
        """End everything that is under way, but wait for refreshes: their tokens count."""
        for session in self._sessions.values():
            self._sign_ins.abandon(session)
        running = [s.refreshing for s in self._sessions.values() if s.refreshing is not None]
        if running:
            await asyncio.wait(running, timeout=_REVOKE_SECONDS)
        await self.redirects.close()

    async def _context(self, session: Session, redirect_uri: str | None = None) -> FlowContext:
        config = session.profile.config
        metadata = await session.driver.drive(discover(config))
        return FlowContext(config, metadata, self._clock.time, redirect_uri)


def _is_same(one: Record, other: Record | None) -> bool:
    return (
        other is not None
        and one.generation == other.generation
        and one.tokens.access_token == other.tokens.access_token
    )


def _driver(config: PlatformConfig) -> Driver:
    from ..oauth.process import run_command  # late: most processes run none

    return Driver(LateTransport(config), run=run_command)
