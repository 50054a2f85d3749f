"""Sign-ins under way: from the first question to tokens in the store."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..errors import (
    CallbackError,
    ConfigError,
    PlatformAuthError,
    SignInError,
    SignInExpiredError,
)
from ..oauth.authorization import callback_parameters
from ..oauth.flows import Resumable, get_flow
from ..oauth.steps import AuthorizeChallenge, DeviceChallenge
from .attempt import Attempt, Binding
from .event import Event, Kind, event_of, reason_of
from .observer import Observers
from .record import new_record
from .relay import Relay
from .stores import rest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable

    from ..oauth.context import FlowContext
    from ..oauth.driver import Person
    from ..oauth.flows import Flow
    from ..oauth.steps import Step
    from ..oauth.tokens import TokenSet
    from ..secret import Secret
    from .clock import Clock
    from .contexts import Contexts
    from .news import News
    from .observer import Observer
    from .pending import Pending, PendingSignIns
    from .record import Record
    from .session import Session
    from .stores import Store

TIMEOUT: Final = 600.0
"""Seconds a person has to finish a sign-in."""

_MAX_ATTEMPTS, _MAX_FINISHED = 32, 128


class SignIns:
    """Runs the sign-ins of a broker.

    Parameters
    ----------
    store, clock
        The broker's.
    contexts
        Find a session's authorization server.
    timeout
        Seconds a person has.
    observer
        Told how sign-ins end.
    pending
        Where other processes find what they can go on with; None where there are none.

    """

    def __init__(  # noqa: PLR0913, PLR0917 - what its broker has
        self,
        store: Store,
        clock: Clock,
        contexts: Contexts,
        timeout: float = TIMEOUT,
        observer: Observer | None = None,
        pending: PendingSignIns | None = None,
    ) -> None:
        self._observer = observer or Observers()
        self._relay = Relay(pending) if pending is not None else None
        self._store, self._clock, self._contexts, self._timeout = store, clock, contexts, timeout
        self._finished: OrderedDict[str, tuple[str, Binding | None]] = OrderedDict()

    def ask(
        self, session: Session, challenge: dict[str, Any], seconds: float | None = None
    ) -> None:
        """Show a challenge until it is met, called off or ``seconds`` old."""
        seconds = min(seconds or self._timeout, self._timeout)
        challenge = {**challenge, "expires_at": self._clock.time() + seconds}
        session.ask(challenge, self._timer(session, challenge))

    def _timer(self, session: Session, challenge: dict[str, Any]) -> asyncio.TimerHandle:
        left = max(challenge["expires_at"] - self._clock.time(), 0.0)
        return asyncio.get_running_loop().call_later(left, self._expire, session)

    def learn(self, session: Session, news: News) -> None:
        """Take over what another process knows of a session, its challenge above all."""
        timer = self._timer(session, news.challenge) if news.challenge else None
        session.learn(news, timer)

    async def directly(self, session: Session, flow: Flow) -> None:
        """Sign in with a flow that needs no browser to come back here.

        Returns when the person has been asked (device), or it is done (no person in it).
        """
        attempt = self._start(session, flow, None, None)
        challenge = await attempt.challenge()
        if isinstance(challenge, DeviceChallenge):
            if self._relay is not None and attempt.memory is not None:
                await self._relay.keep(session, flow, attempt, challenge.expires_in)
            self.ask(session, _device(challenge), challenge.expires_in)

    async def begin(
        self,
        session: Session,
        flow: Flow,
        redirect_uri: str,
        binding: Binding | None,
        *,
        ended: Callable[[], object] | None = None,
    ) -> AuthorizeChallenge:
        """Begin a trip of a browser and return where it must go; ``ended`` is called after it."""
        attempt = self._start(session, flow, redirect_uri, binding)
        if ended is not None:
            attempt.task.add_done_callback(lambda _: ended())
        challenge = await attempt.challenge()
        if isinstance(challenge, AuthorizeChallenge):
            if self._relay is not None and attempt.memory is not None and ended is None:
                await self._relay.hand_over(session, flow, attempt, self._timeout)
                return challenge
            timer = asyncio.get_running_loop().call_later(self._timeout, attempt.cancel)
            attempt.task.add_done_callback(lambda _: timer.cancel())
            return challenge
        attempt.cancel()
        raise ConfigError(f"The flow {flow.name} sends no browser away, though it says so.")

    async def take_over(self, session: Session) -> None:
        """Go on with a sign-in that another process has left, if there is one."""
        if self._relay is None or session.attempts:
            return
        pending = await self._relay.pending.orphan(session.profile.name)
        if pending is not None:
            flow = get_flow(pending.flow)
            self._relay.attend(self._start(session, flow, None, None, pending.memory), pending)

    async def find(self, url: str) -> Pending | None:
        """Return the sign-in whose browser has come back to a URL, if others may go on with it."""
        state = callback_parameters(url).get("state", "")
        return await self._relay.pending.find(state) if self._relay and state else None

    async def resume(
        self, session: Session, pending: Pending, url: str, binding: Binding | None
    ) -> Session:
        """Go on with a sign-in that `find` has found; see `Broker.complete`."""
        if self._relay is None or not _same(pending.binding, binding):
            raise self._refused(binding)
        if not await self._relay.pending.claim(pending):
            if session.record is None:
                raise self._refused(binding)
            return session
        flow = get_flow(pending.flow)
        attempt = self._start(session, flow, None, binding, pending.memory)
        self._relay.watch(attempt, pending)
        await attempt.challenge()
        await attempt.complete(url)
        return session

    async def complete(
        self, sessions: Iterable[Session], url: str, binding: Binding | None
    ) -> Session:
        """Finish the trip that came back to this URL; see `Broker.complete`."""
        state = callback_parameters(url).get("state", "")
        for session in sessions:
            if self._finished_before(session, state, binding):
                return session
            for attempt in session.attempts:
                if state and attempt.state == state and _same(attempt.binding, binding):
                    await attempt.complete(url)
                    return session
        raise self._refused(binding)

    def _refused(self, binding: Binding | None) -> CallbackError:
        error = CallbackError(
            "This answer belongs to no sign-in that is under way here.",
            why="It was called off, has expired, or began in another browser or server.",
            fix="Start the sign-in again, and finish it in the same browser.",
        )
        caller = f"browser of {binding.user}" if binding and binding.user else "browser"
        self._observer.happened(
            Event(Kind.CALLBACK_REFUSED, result=error.code, reason=reason_of(error), caller=caller)
        )
        return error

    def cancel(self, session: Session) -> None:
        """Call off whatever is under way for a session."""
        if session.attempts:
            self._contexts.forget(session)
        self.abandon(session)
        if self._relay is not None:
            self._relay.pending.forget(session.profile.name)
        if session.challenge is not None:
            session.settle()

    def abandon(self, session: Session) -> None:
        """End whatever is under way without a word, as when the broker ends: it is not called off.

        Whoever waits asks again, and finds the broker that comes after this one.
        """
        for attempt in session.attempts:
            attempt.cancel()
        session.attempts.clear()
        session.stop_timeout()

    def _start(
        self,
        session: Session,
        flow: Flow,
        redirect_uri: str | None,
        binding: Binding | None,
        memory: Secret | None = None,
    ) -> Attempt:
        attempt = Attempt(
            lambda person: self._work(session, flow, redirect_uri, memory, person), binding
        )
        session.attempts.append(attempt)
        for oldest in session.attempts[:-_MAX_ATTEMPTS]:
            oldest.cancel()
        attempt.task.add_done_callback(lambda _: self._ended(session, attempt))
        return attempt

    async def _work(
        self,
        session: Session,
        flow: Flow,
        redirect_uri: str | None,
        memory: Secret | None,
        person: Person,
    ) -> None:
        try:
            context = await self._contexts.of(session, redirect_uri)
            tokens = await session.driver.drive(_steps(flow, context, memory), person)
            _refuse_other_person(session, tokens)
            record, stamp = await self._rested(session, flow, tokens, context)
        except PlatformAuthError as error:
            if not flow.interactive and error.retry_after is not None:
                # Who asks for a token in that time is told the same, and nothing is tried for them.
                session.retry_at = self._clock.monotonic() + error.retry_after
            session.settle(error)
            raise
        session.adopt(record)
        session.stamp = stamp  # so that another process's sign-out is news
        session.settle()

    async def _rested(
        self, session: Session, flow: Flow, tokens: TokenSet, context: FlowContext
    ) -> tuple[Record, Hashable]:
        name = session.profile.name
        record = new_record(session.profile, flow.name, tokens, self._clock, context)
        # Under the lock, or what a refresh brings that is under way would replace it.
        async with self._store.lock(name):
            before = await self._store.load(name) or session.record
            if before is not None:
                record = replace(record, generation=before.generation + 1)
            await rest(self._store, record)
            return record, self._store.stamp(name)

    def _ended(self, session: Session, attempt: Attempt) -> None:
        if attempt in session.attempts:
            session.attempts.remove(attempt)
        if attempt.elsewhere:
            return
        error, cancelled = attempt.failure, attempt.task.cancelled()
        result = "cancelled" if cancelled else ""
        self._observer.happened(event_of(session, Kind.SIGN_IN, error, result=result))
        if error is not None or cancelled:
            self._contexts.forget(session)  # a provider's refusal may never have come back here
        elif attempt.state:
            self._finished[attempt.state] = (session.profile.name, attempt.binding)
            while len(self._finished) > _MAX_FINISHED:
                self._finished.popitem(last=False)

    def _finished_before(self, session: Session, state: str, binding: Binding | None) -> bool:
        """Tell a page that is loaded again (back, reload) from a stranger's replay."""
        name, earlier = self._finished.get(state, ("", None))
        return (
            name == session.profile.name and session.record is not None and _same(earlier, binding)
        )

    def _expire(self, session: Session) -> None:
        self.cancel(session)
        session.settle(
            SignInExpiredError(
                "Nobody finished the sign-in in time.",
                why=f"It was open for {self._timeout:.0f} seconds.",
                fix="Sign in again when you are ready.",
            )
        )


def _steps(
    flow: Flow, context: FlowContext, memory: Secret | None
) -> Generator[Step, Any, TokenSet]:
    if memory is None:
        return flow.sign_in(context)
    if not isinstance(flow, Resumable):
        raise ConfigError(f"The flow {flow.name} cannot go on where another process began.")
    return flow.resume(context, memory)


def _same(one: Binding | None, other: Binding | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.matches(other)


def _refuse_other_person(session: Session, tokens: TokenSet) -> None:
    was, now = session.identity, tokens.identity
    if was and now and (was.issuer, was.subject) != (now.issuer, now.subject):
        raise SignInError(
            f"{now.label} signed in, but this session belongs to {was.label}.",
            why="Work that is under way would go on under another name.",
            fix="Sign out first to switch accounts.",
        )


def _device(challenge: DeviceChallenge) -> dict[str, Any]:
    return {
        "kind": "device",
        "verification_uri": challenge.verification_uri,
        "verification_uri_complete": challenge.verification_uri_complete,
        "user_code": challenge.user_code,
        "interval": challenge.interval,
    }
