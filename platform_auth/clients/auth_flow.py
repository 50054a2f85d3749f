"""The authentication of HTTP requests, as httpx2 and its predecessor httpx both drive it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..errors import ConfigError
from .missing_scope import tell_missing_scope

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from ..broker.access_token import AccessToken
    from . import TokenSource

_OURS: Final = "platform_auth.headers"  # an extension outlives redirects, as headers do
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class AuthFlow:
    """Puts a fresh token on every request to the platform, and on no other.

    A 401 is answered once: with the token that replaces the refused one, if the body can be sent
    again. So is a refusal of a proxy in front of the platform, which the profile's
    ``proxy_command`` makes tokens for.

    Parameters
    ----------
    source
        Where tokens come from.
    base_url
        The platform; tokens go to its origin (RFC 6454) alone.
    guarded
        Whether the client calls `keep_home` before each request. Where it does not, a token goes in
        ``Authorization`` only, which is all that the client drops itself when it is led elsewhere.

    """

    replayable: type
    """What a body that can be sent again is an instance of, in the library at hand."""

    def __init__(self, source: TokenSource, base_url: str, *, guarded: bool = False) -> None:
        self._source, self._origin = source, origin(base_url)
        self._guarded = guarded

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:  # noqa: ANN401 - of either
        """Authenticate a request; see the class."""
        if not self.covers(str(request.url)):
            yield request
            return
        token, answered = self._source.token(), set[bool]()
        response = yield self._with(token, request)
        while (stale := self._stale(token, response, answered)) is not None:
            fresh = self._source.token(stale=stale)
            if fresh.headers == token.headers:
                return
            token = fresh
            response = yield self._with(token, request)
        tell_missing_scope(response.url.host, response.status_code, response.headers)

    async def async_auth_flow(
        self,
        request: Any,  # noqa: ANN401 - of either library
    ) -> AsyncGenerator[Any, Any]:
        """Authenticate a request; see the class."""
        if not self.covers(str(request.url)):
            yield request
            return
        token, answered = await self._source.token_async(), set[bool]()
        response = yield self._with(token, request)
        while (stale := self._stale(token, response, answered)) is not None:
            fresh = await self._source.token_async(stale=stale)
            if fresh.headers == token.headers:
                return
            token = fresh
            response = yield self._with(token, request)
        tell_missing_scope(response.url.host, response.status_code, response.headers)

    def covers(self, url: str) -> bool:
        """Tell whether tokens may go there."""
        return origin(url) == self._origin

    def keep_home(self, request: Any) -> None:  # noqa: ANN401 - of either library
        """Take a token off a request that is about to go elsewhere, as after a redirect.

        Clients drop ``Authorization`` by themselves, but neither a platform's own header nor a
        proxy's.
        """
        if not self.covers(str(request.url)):
            for name in request.extensions.get(_OURS, ()):
                request.headers.pop(name, None)

    def _stale(self, token: AccessToken, response: Any, answered: set[bool]) -> str | None:  # noqa: ANN401
        """Return the fingerprint of what is refused, of the platform's and the proxy's once each.

        None where it cannot be replaced, or the request cannot be sent again.
        """
        refused = token.refused_by(response.status_code, response.headers)
        by_platform = refused == token.fingerprint
        # After a redirect it may be somebody else who refuses.
        if refused is None or by_platform in answered or not self.covers(str(response.url)):
            return None
        answered.add(by_platform)
        return refused if isinstance(response.request.stream, self.replayable) else None

    def _with(self, token: AccessToken, request: Any) -> Any:  # noqa: ANN401 - of either library
        if not self._guarded:
            check_dropped(token)
        request.headers.update(token.headers)
        request.extensions[_OURS] = tuple(token.headers)
        return request


def check_dropped(token: AccessToken) -> None:
    """Raise a `ConfigError` unless every client drops a token's headers when it is led elsewhere.

    Parameters
    ----------
    token
        What a request is about to carry.

    """
    others = [name for name in token.headers if name != "authorization"]
    if others:
        raise ConfigError(
            f"This platform takes its token in {others[0]}, which a redirect would carry along.",
            why="Clients drop Authorization when they are led to another host, and nothing else.",
            fix="Use connection.authenticate(client), which watches where requests go.",
        )


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL (RFC 6454 §4).

    Examples
    --------
    >>> origin("https://user@Flyte.example.com/api") == origin("https://flyte.example.com:443")
    True

    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    return scheme, host, parts.port or _DEFAULT_PORTS.get(scheme)
