"""One call, made once more where its token was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import grpc

from .call_auth import CallAuth

if TYPE_CHECKING:
    from collections.abc import Callable

    from .. import TokenSource


class Requests(Protocol):
    """What a call sends."""

    @property
    def replayable(self) -> bool:
        """Whether another attempt can send all of it."""

    def attempt(self) -> Any:
        """Return it, from the beginning."""

    def accepted(self) -> None:
        """Take note that there will be no other attempt."""

    def close(self) -> None:
        """Take note that the call is over."""


class OneRequest:
    """A single request: it can be sent as often as it takes."""

    replayable = True

    def __init__(self, request: Any) -> None:
        self._request = request

    def attempt(self) -> Any:
        """Return the request."""
        return self._request

    def accepted(self) -> None:
        """Nothing is kept for it."""

    def close(self) -> None:
        """Nothing waits for it."""


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: bool | None
    compression: Any


class CallDetails(_Details, grpc.ClientCallDetails):
    """What is asked of a call (`grpc.ClientCallDetails` is an interface alone)."""

    @classmethod
    def of(cls, given: Any, auth: CallAuth) -> CallDetails:
        """Return what was asked for, with the token."""
        return cls(
            method=given.method,
            timeout=auth.timeout(),
            metadata=auth.metadata(),
            credentials=given.credentials,
            wait_for_ready=getattr(given, "wait_for_ready", None),
            compression=getattr(given, "compression", None),
        )


class Attempts:
    """Makes a call, and makes it again.

    Parameters
    ----------
    source
        Gives the tokens.
    continuation, details
        As interceptors get them.
    requests
        What is sent.

    """

    def __init__(
        self,
        source: TokenSource,
        continuation: Callable[[Any, Any], Any],
        details: Any,
        requests: Requests,
    ) -> None:
        self._source, self._continuation, self._details = source, continuation, details
        self.requests = requests
        self._auth = CallAuth(details, source.token())

    def first(self) -> Any:
        """Make the call."""
        details = CallDetails.of(self._details, self._auth)
        return self._continuation(details, self.requests.attempt())

    def refused(self, error: BaseException | None) -> str | None:
        """Return the fingerprint of what an outcome refuses, if there can be another attempt."""
        if not isinstance(error, grpc.Call) or not self.requests.replayable:
            return None
        return self._auth.refused(error.code(), error.details())

    def again(self, stale: str) -> Any | None:
        """Make the call with another token; None where there is no other.

        Raises
        ------
        SignInRequiredError
            It takes a person to get one.

        """
        return self.first() if self._auth.renew(self._source.token(stale=stale)) else None
