"""A source of tokens that knows which were refused."""

from __future__ import annotations

import threading
import time

from platform_auth.broker.access_token import AccessToken
from platform_auth.secret import Secret


class RenewingSource:
    """Gives a first token, and another one for each that was refused.

    Attributes
    ----------
    fault
        Raised instead.
    may_renew
        Where there is one, another token waits for it.

    """

    def __init__(self, header: str = "authorization", *, can_renew: bool = True) -> None:
        self.refused: list[str] = []
        self.asked = 0
        self._header, self._can_renew, self._lock = header, can_renew, threading.Lock()
        self.current = self._new(1)
        self.fault: Exception | None = None
        self.may_renew: threading.Event | None = None

    def _new(self, number: int) -> AccessToken:
        value = Secret(f"token-{number}")
        return AccessToken(value, 0, time.monotonic() + 300, header=self._header)

    def header(self) -> tuple[str, str]:
        raise AssertionError("whoever sends a request takes a token")

    def token(self, *, min_ttl: float | None = None, stale: str | None = None) -> AccessToken:
        if stale is not None and self.may_renew is not None:
            self.may_renew.wait(10)
        with self._lock:
            self.asked += 1
            if self.fault is not None:
                raise self.fault
            if stale is not None:
                self.refused.append(stale)
            if stale == self.current.fingerprint and self._can_renew:
                self.current = self._new(2)
            return self.current

    async def token_async(
        self, *, min_ttl: float | None = None, stale: str | None = None
    ) -> AccessToken:
        return self.token(min_ttl=min_ttl, stale=stale)
