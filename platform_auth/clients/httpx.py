"""Authentication for clients of httpx, the predecessor of httpx2."""

from __future__ import annotations

import httpx

from .auth_flow import AuthFlow


class PlatformHttpxAuth(AuthFlow, httpx.Auth):
    """Authenticates requests of an `httpx.Client` or `httpx.AsyncClient`; see `AuthFlow`."""

    replayable = httpx.ByteStream
