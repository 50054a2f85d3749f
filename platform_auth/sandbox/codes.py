"""Authorization codes waiting to be redeemed (RFC 6749 §4.1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authlib.oidc.core import AuthorizationCodeMixin

if TYPE_CHECKING:
    from platform_auth.sandbox.clock import Clock
    from platform_auth.sandbox.people import Person
    from platform_auth.sandbox.tokens import Family


@dataclass
class AuthorizationCode(AuthorizationCodeMixin):  # type: ignore[misc]  # Authlib is untyped
    """What a code stands for; `family` is there once it has been redeemed."""

    client_id: str
    redirect_uri: str
    scope: str
    person: Person
    auth_time: int
    expires_at: float
    code_challenge: str
    code_challenge_method: str
    nonce: str | None = None
    family: Family | None = None

    def get_redirect_uri(self) -> str:
        """Return the address the token request must repeat."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what was allowed."""
        return self.scope

    def get_nonce(self) -> str | None:
        """Return what the id_token must repeat."""
        return self.nonce

    def get_auth_time(self) -> int:
        """Return when the person signed in, in seconds since the epoch."""
        return self.auth_time


class Codes:
    """The codes on record, also redeemed ones until they expire, so that a second use is seen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, AuthorizationCode] = {}

    def add(self, code: str, record: AuthorizationCode) -> None:
        """Record a new code."""
        self._records = self._live()
        self._records[code] = record

    def get(self, code: str) -> AuthorizationCode | None:
        """Return the record of a code that has not expired."""
        return self._live().get(code)

    def has_nonce(self, nonce: str) -> bool:
        """Tell whether a code on record was asked for with `nonce`."""
        return any(record.nonce == nonce for record in self._live().values())

    def _live(self) -> dict[str, AuthorizationCode]:
        now = self._clock.now()
        return {code: record for code, record in self._records.items() if record.expires_at > now}
