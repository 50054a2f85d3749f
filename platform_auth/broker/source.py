"""Where clients get their tokens: cached in the kernel, fetched from the broker when they age."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .access_token import AccessToken
    from .client import BrokerClient


class TokenSource:
    """Hands out a profile's current token; safe in any thread, and any event loop.

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
        self._lock = threading.Lock()
        # One tuple, replaced whole: a reader in another thread never sees half of a change.
        self._current: tuple[float, str, str, AccessToken] | None = None

    def header(self) -> tuple[str, str]:
        """Return the header for a call to the platform: its name and value.

        Raises
        ------
        SignInRequiredError
            A person must sign in.
        PlatformAuthError
            No token can be had just now.

        """
        current = self._current
        if current is not None and time.monotonic() < current[0]:
            return current[1], current[2]
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
        current = self._current
        if current is not None and self._serves(current, min_ttl, stale):
            return current[3]
        with self._lock:
            current = self._current  # somebody may have fetched it meanwhile
            if current is not None and self._serves(current, min_ttl, stale):
                return current[3]
            wanted = self._min_ttl if min_ttl is None else min_ttl
            return self._keep(self._client.token(self._profile, min_ttl=wanted, stale=stale))

    async def token_async(
        self, *, min_ttl: float | None = None, stale: str | None = None
    ) -> AccessToken:
        """Return a token, without holding up the event loop; see `token`."""
        current = self._current
        if current is not None and self._serves(current, min_ttl, stale):
            return current[3]
        return await asyncio.to_thread(self.token, min_ttl=min_ttl, stale=stale)

    def forget(self) -> None:
        """Drop the cached token, as after a sign-out."""
        self._current = None

    def _serves(
        self, current: tuple[float, str, str, AccessToken], min_ttl: float | None, stale: str | None
    ) -> bool:
        fresh_until, _header, _value, token = current
        if stale is not None and token.fingerprint == stale:
            return False
        if min_ttl is not None and token.remaining < min_ttl:
            return False
        return time.monotonic() < fresh_until

    def _keep(self, token: AccessToken) -> AccessToken:
        fresh_until = token.deadline - min(self._min_ttl, token.remaining / 4)
        self._current = (fresh_until, token.header, token.authorization, token)
        return token
