"""Authentication for the library requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from requests.auth import AuthBase
from requests.utils import rewind_body

from .auth_flow import origin
from .missing_scope import tell_missing_scope

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from ..broker.access_token import AccessToken
    from . import TokenSource


class PlatformRequestsAuth(AuthBase):
    """Puts a fresh token on every request to the platform, and on no other.

    A 401 is answered once: with the token that replaces the refused one, if the body can be sent
    again. So is a refusal of a proxy in front of the platform. A redirect to another origin takes
    none of the headers along.

    Parameters
    ----------
    source
        Where tokens come from.
    base_url
        The platform; tokens go to its origin (RFC 6454) alone.

    """

    def __init__(self, source: TokenSource, base_url: str) -> None:
        self._source, self._origin = source, origin(base_url)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Authenticate a request; see the class."""
        if self._covers(request.url):
            token = self._source.token()
            request.headers.update(token.headers)
            request.register_hook("response", _Answered(self, token))
        return request

    def _covers(self, url: str | None) -> bool:
        return origin(url or "") == self._origin

    def leave_home(self, token: AccessToken, response: Response) -> None:
        """Take the token off a request that is about to be sent elsewhere.

        requests copies what it has sent, and drops ``Authorization`` alone.
        """
        target = response.headers.get("location") if response.is_redirect else None
        if target and not self._covers(urljoin(response.url, target)):
            for name in token.headers:
                response.request.headers.pop(name, None)

    def again(self, token: AccessToken, response: Response, **options: Any) -> Response | None:  # noqa: ANN401 - requests' own
        """Send a refused request once more; None where that cannot be, or would not help."""
        stale = token.refused_by(response.status_code, response.headers)
        if stale is None or not self._covers(response.url) or not _rewound(response.request):
            return None
        fresh = self._source.token(stale=stale)
        if fresh.headers == token.headers:
            return None
        response.content  # noqa: B018 - frees the connection for the next request
        response.close()
        request = response.request.copy()
        request.headers.update(fresh.headers)
        another: Response = response.connection.send(request, **options)
        another.history.append(response)
        another.request = request
        self.leave_home(fresh, another)
        return another


class _Answered:
    """What is done with the answer to one request, and with those to where it is redirected."""

    def __init__(self, auth: PlatformRequestsAuth, token: AccessToken) -> None:
        self._auth, self._token = auth, token
        self._is_first = True

    def __call__(self, response: Response, **options: Any) -> Response:  # noqa: ANN401 - requests' own
        first, self._is_first = self._is_first, False
        another = self._auth.again(self._token, response, **options) if first else None
        if another is None:
            self._auth.leave_home(self._token, response)
            host = urlsplit(response.url).hostname or ""
            tell_missing_scope(host, response.status_code, response.headers)
        return response if another is None else another


def _rewound(request: PreparedRequest) -> bool:
    """Make a request's body begin at its beginning; False where it cannot."""
    if request.body is None or isinstance(request.body, (bytes, str)):
        return True
    # requests notes where a file was when it took it.
    if not isinstance(request._body_position, int):  # noqa: SLF001
        return False
    try:
        rewind_body(request)
    except OSError:
        return False
    return True
