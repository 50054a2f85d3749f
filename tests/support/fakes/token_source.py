"""A source of tokens that counts, and waits where it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_auth.testing.clients import RenewingTokens

if TYPE_CHECKING:
    import threading

    from platform_auth.broker.access_token import AccessToken


class RenewingSource(RenewingTokens):
    """Gives a first token, and another one when that was refused.

    Attributes
    ----------
    asked
        How often it was asked.
    may_renew
        Where there is one, another token waits for it.

    """

    def __init__(self, header: str = "authorization", *, can_renew: bool = True) -> None:
        super().__init__(header, renews=can_renew)
        self.asked = 0
        self.may_renew: threading.Event | None = None

    def token(self, *, min_ttl: float | None = None, stale: str | None = None) -> AccessToken:
        if stale is not None and self.may_renew is not None:
            self.may_renew.wait(10)
        self.asked += 1
        return super().token(min_ttl=min_ttl, stale=stale)
