"""Where clients get their tokens: cached in the kernel, fetched from the broker when they age."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import PlatformAuthError
from .monotonic import monotonic

if TYPE_CHECKING:
    from .access_token import AccessToken
    from .client import BrokerClient

_PAUSE: Final = 1.0
"""Seconds between two questions to the broker about the same token."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A token, and until when (by the monotonic clock) nothing needs to be asked about it."""

    token: AccessToken
    header: tuple[str, str]
    fresh_until: float

    def serves(self, min_ttl: float, stale: str | None) -> bool:
        """Tell whether it is as good as one the broker would give."""
        if stale is not None and stale in self.token.fingerprints:
            return False
        enough = self.token.remaining > _needed(self.token, min_ttl)
        return enough and monotonic() < self.fresh_until


@dataclass(frozen=True, slots=True)
class _Failure:
    """The broker's last refusal, and when it came."""

    error: PlatformAuthError
    at: float


class TokenSource:
    """Hands out a profile's current token; safe in any thread, any event loop and after a fork.

    It asks again halfway to the moment at which it would have to, so that the broker, which renews
    tokens in the background while they are asked for, has a new one by then.

    Parameters
    ----------
    client
        The broker.
    profile
        The profile's name.
    min_ttl
        Seconds a token must still live to be handed out; a token that lives less than four times
        that is used for three quarters of its life.

    """

    def __init__(self, client: BrokerClient, profile: str, *, min_ttl: float = 60) -> None:
        self._client, self._profile, self._min_ttl = client, profile, min_ttl
        self._lock, self._process = threading.Lock(), os.getpid()
        # Replaced whole: a reader in another thread never sees half of a change.
        self._kept: _Kept | None = None
        self._failure: _Failure | None = None

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
        kept, asked_at = self._kept, monotonic()
        if kept is not None and kept.serves(min_ttl, stale):
            return kept.token
        with self._own_lock():
            kept = self._kept  # somebody may have fetched it meanwhile
            if kept is not None and kept.serves(min_ttl, stale):
                return kept.token
            if self._failure is not None and self._failure.at > asked_at:
                raise _again(self._failure.error)  # or was told why not
            return self._fetch(min_ttl, stale)

    async def token_async(
        self, *, min_ttl: float | None = None, stale: str | None = None
    ) -> AccessToken:
        """Return a token, without holding up the event loop; see `token`."""
        kept = self._kept
        if kept is not None and kept.serves(self._min_ttl if min_ttl is None else min_ttl, stale):
            return kept.token
        return await asyncio.to_thread(self.token, min_ttl=min_ttl, stale=stale)

    def forget(self) -> None:
        """Drop the cached token, as after a sign-out."""
        self._kept = None

    def _own_lock(self) -> threading.Lock:
        if self._process != os.getpid():
            # Forked: whoever held it is not in this process, and would never let it go.
            self._lock, self._process = threading.Lock(), os.getpid()
        return self._lock

    def _fetch(self, min_ttl: float, stale: str | None) -> AccessToken:
        kept = self._kept
        try:
            token = self._client.token(self._profile, min_ttl=min_ttl, stale=stale)
        except PlatformAuthError as error:
            alive = kept is not None and kept.token.remaining > _PAUSE
            if kept is None or stale is not None or not alive or not error.retryable:
                self._failure = _Failure(error, monotonic())
                raise
            token = kept.token  # a broker that restarts costs nobody a token that still lives
        self._kept = _Kept(token, (token.header, token.authorization), self._next_question(token))
        return token

    def _next_question(self, token: AccessToken) -> float:
        spare = token.remaining - _needed(token, self._min_ttl)
        return min(monotonic() + max(spare / 2, _PAUSE), token.deadline)


def _needed(token: AccessToken, min_ttl: float) -> float:
    return min(min_ttl, token.lifetime / 4)


def _again(error: PlatformAuthError) -> PlatformAuthError:
    # An error that many threads raise would collect the frames of them all.
    return PlatformAuthError.from_dict(error.to_dict())
