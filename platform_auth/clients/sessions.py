"""People's own sessions: authenticated in place, whichever library they are of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    from . import TokenSource
    from .auth_flow import AuthFlow


def authenticate(session: object, source: TokenSource, base_url: str) -> None:
    """Have all requests of a session to the platform carry a fresh token.

    Parameters
    ----------
    session
        A client of httpx2 or httpx, of either kind, or a session of requests.
    source
        Where tokens come from.
    base_url
        The platform.

    Raises
    ------
    ConfigError
        It is none of these.

    """
    libraries = {each.__module__.partition(".")[0] for each in type(session).__mro__}
    if "httpx2" in libraries:
        from .http import PlatformHttpAuth

        _watch(session, PlatformHttpAuth(source, base_url, guarded=True))
    elif "httpx" in libraries:
        from .httpx import PlatformHttpxAuth

        _watch(session, PlatformHttpxAuth(source, base_url, guarded=True))
    elif "requests" in libraries:
        from .requests import PlatformRequestsAuth

        session.auth = PlatformRequestsAuth(source, base_url)  # type: ignore[attr-defined] # a requests.Session
    else:
        raise ConfigError(
            f"A {type(session).__name__} is no session of httpx2, httpx or requests.",
            fix="Pass one of those, or put connection.tokens.token().headers on each request.",
        )


def _watch(client: Any, auth: AuthFlow) -> None:  # noqa: ANN401 - of either library
    async def keep_home(request: Any) -> None:  # noqa: ANN401 - of either library
        auth.keep_home(request)

    is_async = asyncio.iscoroutinefunction(client.send)
    hooks = client.event_hooks
    hooks["request"] = [*hooks["request"], keep_home if is_async else auth.keep_home]
    client.event_hooks, client.auth = hooks, auth
