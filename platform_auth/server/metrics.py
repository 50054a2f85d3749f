"""Prometheus metrics, on the server's own ``/metrics``.

``result`` is ``ok``, ``cancelled`` or an error's code; no label names a person or a profile.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

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
