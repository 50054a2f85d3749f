"""What a flow asks of whoever drives it, and what it is handed in return.

A flow is a generator of steps. It yields a `Request` and is sent a `Response`, or an `Rpc` and is
sent an `RpcReply`; it yields an `Ask` and is sent the person's answer; it yields a `Wait` and is
sent ``None``; it yields a `Run` or an `AskHub` and is sent what came of it. What went wrong is
thrown into it as a `PlatformAuthError`. What it returns is its result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..errors import PlatformAuthError, ProviderError

if TYPE_CHECKING:
    from ..secret import Secret


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request for the driver to send.

    Parameters
    ----------
    method
        ``GET`` or ``POST``.
    url
        Absolute.
    headers, body
        As sent; both may carry credentials, so neither is shown.
    replay
        Whether it may be sent again after a failure that leaves open if it had an effect. Never so
        for a one-time code (RFC 6749 §4.1.2).
    max_age
        Accept an earlier answer to the same question that is at most so many seconds old.
    again
        Whether the kept answer did not serve: it is asked for anew, but only once in ``max_age``.
        None where there is no such rule, and a failure makes the driver forget the answer.
    plain
        Whether it may go over plain http to another machine: only where it carries nothing secret,
        and the profile is ``insecure``, which says that what it brings need not be protected.
    timeout
        Seconds it may take in all; the transport's own limit when omitted.

    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)
    replay: bool = False
    max_age: float = 0
    again: bool | None = None
    plain: bool = False
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What came back.

    Parameters
    ----------
    status
        HTTP status code.
    headers
        Names in lower case.
    body
        Bytes, decoded from any content coding; never shown, it may hold tokens.
    url
        Where it came from.
    attempts
        How often the request was sent until this came; the answers before it, if any, were lost.

    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    url: str = ""
    attempts: int = 1

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises
        ------
        ProviderError
            It is not one; a member that appears twice with two values counts (two readers could
            disagree on it).

        """
        hint = _HINTS.get(self.content_type, "")
        try:
            data = json.loads(self.body.decode("utf-8-sig"), object_pairs_hook=_unique)
        except _AmbiguousError:
            data, hint = None, " A member appears twice, with different values."
        except (ValueError, RecursionError):
            data = None
        if isinstance(data, dict):
            return data
        what = f"{origin_of(self.url)} did not answer with a JSON object."
        why = f"HTTP {self.status}, {self.content_type[:80] or 'no content type'}.{hint}"
        raise ProviderError(what, why=why, fix="Check the address, and the proxy in between.")


_HINTS: Final = {
    "text/html": " A web page instead of data often means a proxy or captive portal in between.",
    "application/x-www-form-urlencoded": " It was asked for JSON (Accept: application/json).",
}


class _AmbiguousError(ValueError):
    """A member appears twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs) and any(found[name] != value for name, value in pairs):
        raise _AmbiguousError
    return found


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL: what may be shown of it.

    Examples
    --------
    >>> origin_of("https://user:pw@id.example.com:8443/cb?code=x")
    'https://id.example.com:8443'

    """
    scheme, slashes, rest = url.partition("://")
    if not slashes:
        return "(no address)"  # whatever it is, it could be anything, a secret too
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    return f"{scheme}://{authority.rpartition('@')[2]}"


@dataclass(frozen=True, slots=True)
class AuthorizeChallenge:
    """Ask the person to open a URL in a browser; the answer is the URL they come back to.

    Parameters
    ----------
    url
        The authorization request (RFC 6749 §4.1.1).
    state
        Its one-time state, by which the answer is recognised.

    """

    url: str = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceChallenge:
    """Ask the person to enter a code on any device (RFC 8628 §3.2); no answer is awaited.

    Parameters
    ----------
    verification_uri, verification_uri_complete
        Where; the latter holds the code already.
    user_code
        What to enter.
    expires_in, interval
        Seconds.

    """

    verification_uri: str
    user_code: str = field(repr=False)
    expires_in: float
    interval: float
    verification_uri_complete: str | None = field(default=None, repr=False)


Challenge: TypeAlias = AuthorizeChallenge | DeviceChallenge


@dataclass(frozen=True, slots=True)
class Ask:
    """Put a challenge before the person.

    An `AuthorizeChallenge` is answered with the redirect URL; a `DeviceChallenge` with ``None``,
    at once.

    Parameters
    ----------
    challenge
        What is put before them.
    problem
        Why the last answer was not one, where this asks again.
    memory
        What another process needs to go on from here with the flow's `Resumable.resume`; None where
        none can.

    """

    challenge: Challenge
    problem: PlatformAuthError | None = None
    memory: Secret | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Let so many seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """Run a command, without a shell, and be sent its standard output (`str`).

    Parameters
    ----------
    argv
        The command and its arguments.
    timeout
        Seconds after which it is killed with all it started.

    """

    argv: tuple[str, ...] = field(repr=False)
    timeout: float = 30


@dataclass(frozen=True, slots=True)
class Rpc:
    """Make a unary gRPC call to the profile's platform; none of ours carries a token of its own.

    Parameters
    ----------
    method
        ``/package.Service/Method``.
    message
        The request, encoded.
    timeout
        Seconds it may take, connecting included.

    """

    method: str
    message: bytes = b""
    timeout: float = 10


@dataclass(frozen=True, slots=True)
class RpcReply:
    """What a platform answered to an `Rpc`; where there was no answer, an error is thrown instead.

    Parameters
    ----------
    status
        The name of the status code, ``OK`` or ``UNIMPLEMENTED``; ``HTTP 404`` or its like where no
        gRPC server answered.
    message
        The response, encoded; empty unless the status is ``OK``.

    """

    status: str
    message: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class AskHub:
    """Ask the JupyterHub this belongs to about the person, and be sent its model of them (`dict`).

    What is asked is the Hub's ``GET /users/NAME``.
    """


Step: TypeAlias = Request | Rpc | Ask | Wait | Run | AskHub
Now: TypeAlias = Callable[[], float]
