"""The token for a proxy in front of the platform, such as Google's Identity-Aware Proxy.

The profile's ``proxy_command`` prints it, in any shape that `platform_auth.oauth.flows.command`
knows. It travels as ``Proxy-Authorization: Bearer …`` (RFC 9110 §11.7.2) with every request to the
platform's own origin: calls of clients, and OAuth requests where the authorization server lives
there, too. It goes nowhere else, and ``http_proxy_url`` is another matter altogether.

It is kept until it expires, and made anew before: a call of a user's waits for the command only the
first time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ..errors import BrokerError, PlatformAuthError, ProxyError
from ..secret import Secret
from .flows.command import FAILURE_AGE, TIMEOUT, parse_output
from .proxy_header import PROXY_HEADER, is_from_proxy
from .steps import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import PlatformConfig
    from .driver import Caller, Runner, Sender
    from .steps import Request, Response, Rpc, RpcReply

_REFUSALS: Final = frozenset({"UNAUTHENTICATED", "HTTP 401", "HTTP 407"})  # of gRPC calls
_JUST_MADE = 5.0  # seconds within which a refused token is not replaced by another one


@dataclass(frozen=True, slots=True)
class ProxyToken:
    """A token for the proxy.

    Parameters
    ----------
    authorization
        The header's value.
    made_at, deadline
        When it was made and when it expires, by the monotonic clock.

    """

    authorization: Secret
    made_at: float
    deadline: float

    @property
    def lifetime(self) -> float:
        """Seconds it lives in all."""
        return self.deadline - self.made_at


class ProxyAuthorization:
    """Gets a profile's tokens for the proxy in front of its platform, one for all who ask.

    Parameters
    ----------
    config
        Names the command and the platform.
    run_command
        Runs it.
    now, monotonic
        The clocks: seconds since the epoch, and seconds that only grow.

    """

    def __init__(
        self,
        config: PlatformConfig,
        run_command: Runner,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = config.proxy_command or ()
        self._host, self._origin = config.host, _origin(config.base_url)
        self._run_command, self._now, self._monotonic = run_command, now, monotonic
        self._token: ProxyToken | None = None
        self._making: asyncio.Task[None] | None = None
        self._error: PlatformAuthError | None = None
        self._retry_at = 0.0

    @property
    def held(self) -> ProxyToken | None:
        """The current token, expired or not."""
        return self._token

    def covers(self, url: str) -> bool:
        """Tell whether the proxy stands before this address: it is of the platform's origin."""
        return _origin(url) == self._origin

    def remaining(self, token: ProxyToken) -> float:
        """Return the seconds a token still lives."""
        return token.deadline - self._monotonic()

    async def token(self, *, min_ttl: float = 60, stale: ProxyToken | None = None) -> ProxyToken:
        """Return a token.

        Parameters
        ----------
        min_ttl
            Seconds it must still live, where tokens live so long.
        stale
            One that the proxy refused.

        Raises
        ------
        PlatformAuthError
            There is none, and the command makes none just now.

        """
        held = self._token
        if held is None or self._is_refused(held, stale):
            await self._make()
            if self._token is held:
                self._token = None
        elif self.remaining(held) <= min(min_ttl, held.lifetime / 4):
            await self._make()
        elif self.remaining(held) <= held.lifetime / 2:
            self._start()
        if self._token is None or self.remaining(self._token) <= 0:
            raise (self._error or _called_off()).with_traceback(None)
        return self._token

    async def send(self, sender: Sender, request: Request) -> Response:
        """Send a request, with the header where that is due; once more if the proxy refuses.

        What a proxy refuses has never reached the server, so that even a one-time code may be sent
        again.

        Raises
        ------
        ProxyError
            It refuses a new token, too.
        PlatformAuthError
            There is no token or no answer.

        """
        if not self.covers(request.url):
            return await sender.send(request)
        token = await self.token()
        response = await sender.send(_with(request, token))
        if not is_from_proxy(response.status, response.headers):
            return response
        fresh = await self.token(stale=token)
        if fresh.authorization != token.authorization:
            response = await sender.send(_with(request, fresh))
        if is_from_proxy(response.status, response.headers):
            raise self._refused(response.status)
        return response

    async def call(self, caller: Caller, rpc: Rpc) -> RpcReply:
        """Make a gRPC call to the platform with the header; once more if the proxy refuses.

        Raises
        ------
        PlatformAuthError
            There is no token or no answer.

        """
        token = await self.token()
        reply = await caller(rpc, {PROXY_HEADER: token.authorization.reveal()})
        if reply.status not in _REFUSALS:
            return reply
        fresh = await self.token(stale=token)
        if fresh.authorization == token.authorization:
            return reply
        return await caller(rpc, {PROXY_HEADER: fresh.authorization.reveal()})

    async def close(self) -> None:
        """End a command that runs."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait({self._making})

    def _is_refused(self, held: ProxyToken, stale: ProxyToken | None) -> bool:
        young = self._monotonic() - held.made_at < _JUST_MADE
        return stale is not None and stale.authorization == held.authorization and not young

    async def _make(self) -> None:
        making = self._start()
        if making is not None:
            await asyncio.wait({making})

    def _start(self) -> asyncio.Task[None] | None:
        """Return the run under way, or start one unless the last one failed just now."""
        if self._making is None and self._monotonic() >= self._retry_at:
            self._making = asyncio.create_task(self._run())
            self._making.add_done_callback(self._done)
        return self._making

    def _done(self, making: asyncio.Task[None]) -> None:
        del making
        self._making = None

    async def _run(self) -> None:
        try:
            output = await self._run_command(Run(self._command, TIMEOUT))
            tokens = parse_output(output, now=self._now())
        except PlatformAuthError as error:
            self._error = error.with_traceback(None)
            self._retry_at = self._monotonic() + FAILURE_AGE
            return
        value, made_at = f"Bearer {tokens.access_token.reveal()}", self._monotonic()
        self._token, self._error = (
            ProxyToken(Secret(value), made_at, made_at + tokens.expires_in),
            None,
        )

    def _refused(self, status: int) -> ProxyError:
        return ProxyError(
            f"The proxy in front of {self._host} does not accept its token.",
            why=f"HTTP {status}, with a token that the proxy command has just made.",
            fix="Check what admin.proxyCommand prints: it must be a token for that proxy.",
            retryable=False,
        )


def _with(request: Request, token: ProxyToken) -> Request:
    return replace(request, headers={**request.headers, PROXY_HEADER: token.authorization.reveal()})


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port (RFC 6454); None of what is no address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", port


def _called_off() -> PlatformAuthError:
    return BrokerError("The proxy command was called off.")
