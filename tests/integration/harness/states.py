"""Every state of a session that people can come to see, as the broker tells it."""

from __future__ import annotations

import time
from typing import Any, Final

VIEW: Final[dict[str, Any]] = {
    "profile": "prod",
    "state": "signed_out",
    "revision": 1,
    "platform": "flyte.example.com",
    "endpoint": "https://flyte.example.com",
    "flow": "pkce",
    "interactive": True,
    "client": None,
    "source": "admin",
    "locked": True,
    "default": True,
    "signed_in_as": None,
    "expires_at": None,
    "next_refresh": None,
    "scopes": [],
    "sign_in_url": "/a%40b/platform-auth/login?profile=prod",
    "challenge": None,
    "error": None,
    "warnings": [],
}

UNVERIFIED: Final = (
    "Certificates are not verified (insecureSkipVerify): anybody on the way to "
    "flyte.example.com can read your tokens. Set caCertFilePath instead."
)


def states() -> dict[str, dict[str, Any]]:
    """Return them: by a short name, what differs from `VIEW`."""
    now = time.time()
    soon = {"expires_at": now + 290}
    error = {
        "code": "access_denied",
        "what": "The sign-in was refused at id.example.com.",
        "why": "It says: consent was not given.",
        "fix": "Sign in again and allow the access.",
        "retryable": False,
    }
    ada = {"state": "signed_in", "signed_in_as": "ada@example.com", "expires_at": now + 3000}
    waiting = {"state": "signing_in"}
    device = {
        "kind": "device",
        "verification_uri": "https://id.example.com/device",
        "verification_uri_complete": "https://id.example.com/device?user_code=WDJB-MJHT",
        "user_code": "WDJB-MJHT",
        "interval": 5,
        **soon,
    }
    paste = {"kind": "paste", "url": "https://id.example.com/authorize?client_id=x", **soon}
    start = {"kind": "open", "url": VIEW["sign_in_url"], **soon}
    return {
        "signed-out": {},
        "open": {**waiting, "challenge": start},
        "device": {**waiting, "flow": "device", "challenge": device},
        "paste": {**waiting, "challenge": paste},
        "signed-in": {**ada, "next_refresh": now + 1500},
        "notices": {
            **ada,
            "notices": ["The provider did not grant the scope admin."],
            "last_error": {**error, "what": "id.example.com cannot be reached.", "at": now - 90},
        },
        "expired": {"state": "expired", "error": {**error, "what": "The sign-in has ended."}},
        "failed": {"state": "failed", "error": error},
        "unverified": {"warnings": [UNVERIFIED]},
        "unverified-device": {
            **waiting, "flow": "device", "challenge": device, "warnings": [UNVERIFIED]
        },
        "left": {"logout_url": "https://id.example.com/logout?client_id=notebooks"},
    }  # fmt: skip
