"""One call, made once more where its token was refused (asynchronous)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc.aio

from .call_auth import CallAuth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .. import TokenSource
    from .attempts import Requests


class _PatientCall:
    """A call of gRPC's core whose status is the server's.

    A request that could not be sent is an internal error to grpc.aio. It could not be sent because
    the server had ended the call, and the status that says why is on its way.
    """

    def __init__(self, call: Any) -> None:
        self._call = call

    def set_internal_error(self, text: str) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


class AsyncAttempts:
    """Makes a call, and makes it again; see `platform_auth.clients.grpc.attempts.Attempts`.

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
        continuation: Callable[[Any, Any], Awaitable[Any]],
        details: grpc.aio.ClientCallDetails,
        requests: Requests,
    ) -> None:
        self._source, self._continuation, self._details = source, continuation, details
        self.requests = requests
        self._auth: CallAuth | None = None

    async def first(self) -> Any:
        """Make the call."""
        self._auth = CallAuth(self._details, await self._source.token_async())
        return await self._make(self._auth)

    async def _make(self, auth: CallAuth) -> Any:
        details = grpc.aio.ClientCallDetails(
            self._details.method,
            auth.timeout(),
            grpc.aio.Metadata(*auth.metadata()),
            self._details.credentials,
            self._details.wait_for_ready,
        )
        call = await self._continuation(details, self.requests.attempt())
        if hasattr(call, "_cython_call"):  # not where somebody else's interceptor answers
            call._cython_call = _PatientCall(call._cython_call)  # noqa: SLF001 - no other place
        return call

    async def again(self, call: Any) -> Any | None:
        """Make a call that has ended once more; None where its outcome stands."""
        auth = self._auth
        if auth is None or not self.requests.replayable:
            return None
        stale = auth.refused(await call.code(), await call.details())
        if stale is None or not auth.renew(await self._source.token_async(stale=stale)):
            return None
        return await self._make(auth)
