"""Where clients get their tokens: cached in the kernel, fetched from the broker when they age.

Whoever asks while a token still serves gets it at once; whether there is a newer one is asked in a
thread of its own. So neither a refresh nor a server that is busy is ever waited for, except by one
who has nothing else.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ..errors import BrokerError, BrokerUnavailableError, PlatformAuthError
from .monotonic import monotonic

if TYPE_CHECKING:
    from .access_token import AccessToken
    from .client import BrokerClient

_PAUSE: Final = 1.0
"""Seconds between two questions to the broker about the same token."""

_MAX_PAUSE: Final = 30.0
"""The same, when it does not answer."""

_Flight = tuple[int, float, str | None]  # process, min_ttl and stale of a token being fetched


@dataclass(frozen=True, slots=True)
class _Kept:
    """A token, and until when (by the monotonic clock) nothing needs to be asked about it."""

    token: AccessToken
    header: tuple[str, str] = field(repr=False)  # the token in clear
    fresh_until: float
    pause: float = _PAUSE


@dataclass(frozen=True, slots=True)
class _Failure:
    """The broker's last refusal, and when it came."""

    error: PlatformAuthError
    at: float


class TokenSource:
    """Hands out a profile's current token; safe in any thread, any event loop and after a fork.

    It asks again halfway to the moment at which it would have to, so that the broker, which renews
    tokens in the background while they are asked for, has a new one by then. It pickles as a
    reference: without a token, and with the way to the broker.

    Parameters
    ----------
    client
        The broker.
    profile
        The profile's name.
    min_ttl
        Seconds a token must still live to be handed out; a token that lives less than four times
        that is used for three quarters of its life.

    Attributes
    ----------
    client, profile
        As given.

    """

    def __init__(self, client: BrokerClient, profile: str, *, min_ttl: float = 60) -> None:
        self.client, self.profile, self._min_ttl = client, profile, min_ttl
        self._lock, self._process = threading.Lock(), os.getpid()
        # Replaced whole: a reader in another thread never sees half of a change.
        self._kept: _Kept | None = None
        self._failure: _Failure | None = None
        self._asking: threading.Thread | None = None
        self._flights: dict[_Flight, concurrent.futures.Future[AccessToken]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _source, (self.client, self.profile, self._min_ttl)

    def header(self) -> tuple[str, str]:
        """Return the header for a call to the platform: its name and value.

        Raises
        ------
        SignInRequiredError
            A person must sign in.
        PlatformAuthError
            No token can be had just now.

        """
        kept = self._kept
        if kept is not None and monotonic() < kept.fresh_until:
            return kept.header
        token = self.token()
        return token.header, token.authorization

    def token(self, *, min_ttl: float | None = None, stale: str | None = None) -> AccessToken:
        """Return a token.

        Parameters
        ----------
        min_ttl
            Seconds it must still live, where tokens live so long.
        stale
            The fingerprint of a token that the platform refused.

        Raises
        ------
        PlatformAuthError
            As `header`.

        """
        min_ttl = self._min_ttl if min_ttl is None else min_ttl
        kept, asked_at = self._serving(min_ttl, stale), monotonic()
        if kept is not None:
            return kept
        with self._own_lock():
            kept = self._serving(min_ttl, stale)  # somebody may have fetched it meanwhile
            if kept is not None:
                return kept
            if self._failure is not None and self._failure.at > asked_at:
                raise _again(self._failure.error)  # or was told why not
            return self._fetch(min_ttl, stale)

    async def token_async(
        self, *, min_ttl: float | None = None, stale: str | None = None
    ) -> AccessToken:
        """Return a token, without holding up the event loop; see `token`.

        However many tasks of however many loops wait for it, one thread fetches it. It is a daemon:
        neither a loop that closes nor the end of the process waits for a broker that is away.
        """
        min_ttl = self._min_ttl if min_ttl is None else min_ttl
        kept = self._serving(min_ttl, stale)
        if kept is not None:
            return kept
        flight, landed = self._fly((os.getpid(), min_ttl, stale)), asyncio.Event()
        loop = asyncio.get_running_loop()

        def land(_flight: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop may have been closed meanwhile
                loop.call_soon_threadsafe(landed.set)

        flight.add_done_callback(land)
        await landed.wait()
        if (error := flight.exception()) is not None:
            raise _again(error)
        return flight.result()

    def _serving(self, min_ttl: float, stale: str | None) -> AccessToken | None:
        kept = self._kept
        if kept is None or (stale is not None and stale in kept.token.fingerprints):
            return None
        if monotonic() < kept.fresh_until and min_ttl <= self._min_ttl:
            return kept.token
        if kept.token.remaining <= _needed(kept.token, min_ttl):
            return None
        if monotonic() >= kept.fresh_until:
            self._ask_ahead(kept)
        return kept.token

    def forget(self) -> None:
        """Drop the cached token, as after a sign-out."""
        self._kept = None

    def _own_lock(self) -> threading.Lock:
        if self._process != os.getpid():
            # Forked: whoever held it is not in this process, and would never let it go.
            self._lock, self._process = threading.Lock(), os.getpid()
        return self._lock

    def _ask_ahead(self, kept: _Kept) -> None:
        """Ask whether there is a newer token, while the one that is kept serves."""
        asking = self._asking
        if asking is not None and asking.is_alive():
            return
        # Two threads that come here at once may ask twice: that costs them nothing.
        self._asking = threading.Thread(target=self._ask, name="platform-auth-ask", daemon=True)
        self._kept = replace(kept, fresh_until=_in(_PAUSE, kept.token))
        with contextlib.suppress(RuntimeError):  # at the end of the process none can be started
            self._asking.start()

    def _ask(self) -> None:
        try:
            with self._own_lock():
                self._fetch(self._min_ttl, None)
        except PlatformAuthError:
            self._kept = None  # the next who asks is told why

    def _fly(self, key: _Flight) -> concurrent.futures.Future[AccessToken]:
        """Return what fetches a token for all tasks that want the same one."""
        flight: concurrent.futures.Future[AccessToken] = concurrent.futures.Future()
        flight.set_running_or_notify_cancel()  # a task that is cancelled takes nobody else along
        first = self._flights.setdefault(key, flight)
        if first is flight:
            work = threading.Thread(target=self._land, args=(key, flight), daemon=True)
            try:
                work.start()
            except RuntimeError:
                self._flights.pop(key)
                flight.set_exception(BrokerUnavailableError("This process is ending."))
        return first

    def _land(self, key: _Flight, flight: concurrent.futures.Future[AccessToken]) -> None:
        _process, min_ttl, stale = key
        try:
            token = self.token(min_ttl=min_ttl, stale=stale)
        except BaseException as error:  # noqa: BLE001 - those who wait for it must hear of it
            self._flights.pop(key)
            flight.set_exception(error)
        else:
            self._flights.pop(key)
            flight.set_result(token)

    def _fetch(self, min_ttl: float, stale: str | None) -> AccessToken:
        kept, pause = self._kept, _PAUSE
        try:
            token = self.client.token(self.profile, min_ttl=min_ttl, stale=stale)
        except PlatformAuthError as error:
            if kept is None or stale is not None or not _outlasts(kept.token, error):
                self._failure = _Failure(error, monotonic())
                raise
            # A broker that restarts costs nobody a token that still lives.
            token, pause = kept.token, min(2 * kept.pause, _MAX_PAUSE)
            fresh_until = _in(pause, token)
        else:
            spare = token.remaining - _needed(token, self._min_ttl)
            fresh_until = _in(max(spare / 2, _PAUSE), token)
        self._kept = _Kept(token, (token.header, token.authorization), fresh_until, pause)
        return token


def _source(client: BrokerClient, profile: str, min_ttl: float) -> TokenSource:
    return TokenSource(client, profile, min_ttl=min_ttl)


def _needed(token: AccessToken, min_ttl: float) -> float:
    return min(min_ttl, token.lifetime / 4)


def _in(seconds: float, token: AccessToken) -> float:
    """Return when to ask again about a token: in so many seconds, but while it lives."""
    return min(monotonic() + seconds, token.deadline)


def _outlasts(token: AccessToken, error: PlatformAuthError) -> bool:
    """Tell whether a token is good although the broker gives no other.

    What is wrong between here and there says nothing about the token.
    """
    no_verdict = error.retryable or isinstance(error, BrokerError)
    return no_verdict and token.remaining > _PAUSE


def _again(error: BaseException) -> BaseException:
    """Return an error anew: one that many raise would collect the frames of them all."""
    if isinstance(error, PlatformAuthError):
        return PlatformAuthError.from_dict(error.to_dict())
    return error
