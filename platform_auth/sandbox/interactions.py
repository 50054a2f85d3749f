"""What people are in the middle of: from the provider's first page to their decision."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_auth.sandbox.client import Client
    from platform_auth.sandbox.clock import Clock
    from platform_auth.sandbox.exchange import Response
    from platform_auth.sandbox.people import Person


def _random() -> str:
    return secrets.token_urlsafe(24)


@dataclass
class Interaction:
    """One sign-in on the provider's pages.

    Parameters
    ----------
    client
        Who asks.
    scope
        For what.
    browser
        The cookie of the browser it belongs to; no other may go on with it.
    finish
        Takes the person who allowed it, or None for a no, and gives the answer to the browser;
        the answer None means a page that says to go back to the device.
    return_to
        The origin the browser will be sent back to; empty for a device.
    user_code
        What to compare with the device; empty without one.
    person
        Who it is, once they have said so.

    """

    client: Client
    scope: str
    browser: str
    expires_at: float
    finish: Callable[[Person | None], Response | None]
    return_to: str = ""
    user_code: str = ""
    person: Person | None = None
    id: str = field(default_factory=_random)
    csrf: str = field(default_factory=_random)

    def accepts(self, csrf: str) -> bool:
        """Tell whether a form that carries `csrf` came from this interaction's own page."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Interactions:
    """The interactions that are going on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, Interaction] = {}

    def add(self, interaction: Interaction) -> None:
        """Begin one."""
        now = self._clock.now()
        self._records = {k: v for k, v in self._records.items() if v.expires_at > now}
        self._records[interaction.id] = interaction

    def get(self, interaction_id: str, browser: str) -> Interaction | None:
        """Return the one that this browser has begun, unless it has expired."""
        found = self._records.get(interaction_id)
        if found is None or found.expires_at <= self._clock.now():
            return None
        same = hmac.compare_digest(found.browser.encode(), browser.encode())
        return found if same else None

    def end(self, interaction: Interaction) -> None:
        """Forget one; its page cannot be sent again."""
        self._records.pop(interaction.id, None)
