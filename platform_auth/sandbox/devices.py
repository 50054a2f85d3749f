"""Device codes waiting for a person (RFC 8628)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authlib.oauth2.rfc8628 import DeviceCredentialMixin

if TYPE_CHECKING:
    from platform_auth.sandbox.clock import Clock
    from platform_auth.sandbox.people import Person

_SLOW_DOWN = 5  # seconds, RFC 8628 §3.5


@dataclass
class DeviceCredential(DeviceCredentialMixin):  # type: ignore[misc]  # Authlib is untyped
    """One device code, and what the person said about it.

    Parameters
    ----------
    user_code
        What the person compares or types.
    interval
        Seconds that polls must be apart; grows by 5 for each poll that comes too early.
    decision
        None while nobody has decided, else who decided and whether it was yes.

    """

    client_id: str
    scope: str
    user_code: str
    interval: int
    expires_at: float
    clock: Clock
    decision: tuple[Person | None, bool] | None = None
    last_poll: float | None = None

    def get_client_id(self) -> str:
        """Return whom the code was issued to."""
        return self.client_id

    def get_scope(self) -> str:
        """Return what was asked for."""
        return self.scope

    def get_user_code(self) -> str:
        """Return the code for people."""
        return self.user_code

    def is_expired(self) -> bool:
        """Tell whether it is too late."""
        return self.expires_at <= self.clock.now()

    def decide(self, person: Person | None) -> None:
        """Keep the person's decision; None is a no."""
        self.decision = (person, person is not None)

    def poll_is_early(self) -> bool:
        """Count a poll, and tell whether it came before the interval was over."""
        now, last = self.clock.now(), self.last_poll
        self.last_poll = now
        early = last is not None and now - last < self.interval
        if early:
            self.interval += _SLOW_DOWN
        return early


class Devices:
    """The device codes on record."""

    def __init__(self) -> None:
        self._records: dict[str, DeviceCredential] = {}

    def add(self, device_code: str, record: DeviceCredential) -> None:
        """Record a new device code."""
        self._records[device_code] = record

    def get(self, device_code: str) -> DeviceCredential | None:
        """Return the record of a device code, expired or not."""
        return self._records.get(device_code)

    def by_user_code(self, typed: str) -> DeviceCredential | None:
        """Return the undecided, unexpired record a person means, however they type its code."""
        wanted = _letters(typed)
        for record in self._records.values():
            open_ = record.decision is None and not record.is_expired()
            if open_ and _letters(record.user_code) == wanted:
                return record
        return None

    def remove(self, record: DeviceCredential) -> None:
        """Forget a code that was exchanged for tokens."""
        self._records = {code: kept for code, kept in self._records.items() if kept is not record}


def _letters(code: str) -> str:
    return "".join(filter(str.isalnum, code)).upper()
