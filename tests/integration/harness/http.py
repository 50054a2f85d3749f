"""HTTP to this machine: no proxy, no redirects unless asked for, and no time lost on TLS."""

from __future__ import annotations

import ssl
from typing import Any, Final

import httpx2

# Reading the machine's certificate authorities takes longer than most tests.
_TRUST_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def loopback_client(**options: Any) -> httpx2.Client:
    """Return a client; `options` are httpx2's."""
    return httpx2.Client(
        **{"trust_env": False, "verify": _TRUST_NOBODY, "timeout": 15.0, **options}
    )
