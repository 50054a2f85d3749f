"""Prometheus metrics, on the ``/metrics`` of whichever server holds the broker.

``result`` is ``ok``, ``cancelled`` or an error's code; no label names a person or a profile.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from prometheus_client import Counter, Gauge, Histogram

from .event import Kind

if TYPE_CHECKING:
    from .event import Event
    from .session import Session

SIGN_INS: Final = Counter(
    "platform_auth_sign_ins_total", "Sign-ins that came to an end, by result.", ["result"]
)
REFRESHES: Final = Counter(
    "platform_auth_refreshes_total", "Refreshes of an access token, by result.", ["result"]
)
REFRESH_SECONDS: Final = Histogram(
    "platform_auth_refresh_seconds", "Seconds a refresh of an access token took."
)
TOKEN_REQUESTS: Final = Counter(
    "platform_auth_token_requests_total", "Requests of kernels and tools for a token.", ["result"]
)
EXPIRY_SECONDS: Final = Gauge(
    "platform_auth_token_expiry_seconds",
    "Seconds until the first of the access tokens in use expires; NaN where none is in use.",
)


class Metrics:
    """Counts and times what happens in a broker, or in many; an observer."""

    def __init__(self) -> None:
        self._sessions: WeakSet[Session] = WeakSet()
        EXPIRY_SECONDS.set_function(self._expiry)

    def session_changed(self, session: Session) -> None:
        """Watch its token's expiry from now on."""
        self._sessions.add(session)

    def happened(self, event: Event) -> None:
        """Count and time sign-ins and refreshes."""
        if event.kind is Kind.SIGN_IN:
            SIGN_INS.labels(event.result).inc()
        elif event.kind is Kind.REFRESH:
            REFRESHES.labels(event.result).inc()
            REFRESH_SECONDS.observe(event.seconds or 0.0)

    def token_requested(self, result: str) -> None:
        """Count it."""
        TOKEN_REQUESTS.labels(result).inc()

    def close(self) -> None:
        """Show no expiry any more."""
        self._sessions.clear()

    def _expiry(self) -> float:
        in_use = [each for each in tuple(self._sessions) if each.record and each.in_use]
        return min((each.remaining for each in in_use), default=nan)
