"""The tokens the sandbox has issued, and which of them still count."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from authlib.oauth2.rfc6749 import TokenMixin

from platform_auth.secret import MASK, Secret

if TYPE_CHECKING:
    from platform_auth.sandbox.client import Client
    from platform_auth.sandbox.clock import Clock
    from platform_auth.sandbox.people import Person


@dataclass
class Family:
    """All tokens that descend from one sign-in; they are revoked together.

    Parameters
    ----------
    client_id
        Whom they were issued to.
    person
        Who signed in; a service has nobody.
    scope
        What was allowed.
    auth_time
        When, in seconds since the epoch.

    """

    client_id: str
    person: Person | None
    scope: str
    auth_time: int
    revoked: bool = False
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))


@dataclass
class IssuedToken(TokenMixin):  # type: ignore[misc]  # Authlib is untyped
    """An access or refresh token on record; the token itself is only the record's key."""

    family: Family
    expires_at: float
    revoked: bool = False

    def check_client(self, client: Client) -> bool:
        """Tell whether the token belongs to `client`."""
        return self.family.client_id == client.client_id

    def get_scope(self) -> str:
        """Return what was allowed."""
        return self.family.scope


class AccessToken(IssuedToken):
    """An access token, on record under its ``jti``."""


class RefreshToken(IssuedToken):
    """A refresh token, on record under itself; revoked means exchanged for the next."""


class TokenResponse(dict[str, Any]):
    """A token response that does not show itself: Authlib logs it at DEBUG."""

    def __repr__(self) -> str:
        return f"TokenResponse({', '.join(self)}: {MASK})"


_T = TypeVar("_T", bound=IssuedToken)


class Ledger:
    """Every token on record.

    Parameters
    ----------
    clock
        Tells when a record can be forgotten.

    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}

    def add_access(self, jti: str, family: Family, expires_at: float) -> None:
        """Record an access token."""
        self._access = _unexpired(self._access, self._clock.now())
        self._access[jti] = AccessToken(family, expires_at)

    def add_refresh(self, token: str, family: Family, expires_at: float) -> None:
        """Record a refresh token."""
        self._refresh = _unexpired(self._refresh, self._clock.now())
        self._refresh[token] = RefreshToken(family, expires_at)

    def access_token(self, jti: str) -> AccessToken | None:
        """Return the record of the access token with this ``jti``."""
        return self._access.get(jti)

    def refresh_token(self, token: str) -> RefreshToken | None:
        """Return the record of this refresh token, unless it has expired."""
        return _unexpired(self._refresh, self._clock.now()).get(token)

    def refresh_tokens(self) -> tuple[Secret, ...]:
        """Return every refresh token on record."""
        return tuple(Secret(token) for token in self._refresh)

    def is_live(self, jti: str) -> bool:
        """Tell whether the access token is on record and neither it nor its family revoked."""
        found = self._access.get(jti)
        return found is not None and not (found.revoked or found.family.revoked)

    def revoke_access_tokens(self) -> int:
        """Revoke every access token there is, and return how many were live."""
        live = [token for jti, token in self._access.items() if self.is_live(jti)]
        for token in live:
            token.revoked = True
        return len(live)

    def revoke_family(self, family_id: str) -> None:
        """Revoke everything that descends from one sign-in."""
        for token in (*self._access.values(), *self._refresh.values()):
            if token.family.id == family_id:
                token.family.revoked = True


def _unexpired(records: dict[str, _T], now: float) -> dict[str, _T]:
    return {key: token for key, token in records.items() if token.expires_at > now}
