"""Doing what flows ask for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from ..errors import (
    ConfigError,
    DiscoveryError,
    IdentityError,
    MissingExtraError,
    PlatformAuthError,
    ProviderError,
    SignInRequiredError,
)
from .date_header import LEEWAY, clock_offset, said
from .steps import Ask, AskHub, Request, Response, Rpc, RpcReply, Run, Step, Wait, origin_of

if TYPE_CHECKING:
    from .proxy import ProxyAuthorization

log = logging.getLogger("platform_auth")

MAX_DOCUMENT: Final = 256 * 1024
"""Bytes of an answer that is kept."""

T = TypeVar("T")
Person = Callable[[Ask], Awaitable[str | None]]
"""Puts an `Ask` before the person and returns the answer."""

Runner = Callable[[Run], Awaitable[str]]
"""Runs a command and returns its standard output."""

Caller = Callable[[Rpc, Mapping[str, str]], Awaitable[RpcReply]]
"""Makes a gRPC call with this metadata."""


Hub = Callable[[], Awaitable[dict[str, Any]]]
"""Asks the JupyterHub about the person."""


class Sender(Protocol):
    """What a driver needs of a transport."""

    async def send(self, request: Request) -> Response:
        """Send a request; see `platform_auth.oauth.transport.Transport.send`."""


class Driver:
    """Runs flows: sends their requests, asks the person, lets time pass.

    Parameters
    ----------
    sender
        The transport.
    sleep
        Lets seconds pass.
    now
        Seconds since the epoch: to compare with what servers take the time to be.
    monotonic
        A clock that never jumps, in seconds: for the age of kept answers.
    run
        Runs commands.
    call
        Makes gRPC calls; None where gRPC is not spoken.
    proxy
        Adds what a proxy in front of the platform wants.
    hub
        Asks the JupyterHub; None where there is none to ask.

    """

    def __init__(  # noqa: PLR0913 - one for each thing that flows ask for
        self,
        sender: Sender,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        run: Runner | None = None,
        call: Caller | None = None,
        proxy: ProxyAuthorization | None = None,
        hub: Hub | None = None,
    ) -> None:
        self.proxy, self._hub = proxy, hub or _no_hub
        self._sender, self._sleep, self._run = sender, sleep, run
        self._now, self._monotonic, self._wrong_clock = now, monotonic, ""
        self._call = call or _no_caller
        self._kept: dict[tuple[str, str, bool | None], tuple[float, Response]] = {}

    async def drive(self, steps: Generator[Step, Any, T], person: Person | None = None) -> T:
        """Run a flow to its end and return its result.

        Parameters
        ----------
        steps
            The flow.
        person
            Who answers its challenges; None where nobody is there.

        Raises
        ------
        PlatformAuthError
            The flow failed, or nobody is there to answer it. What nobody foresaw is one, too.

        """
        try:
            return await self._drive(steps, person)
        except IdentityError as error:
            raise self._with_hint(error) from None
        except PlatformAuthError:
            raise
        except Exception:
            log.exception("a flow came across something that nobody foresaw")
        raise ProviderError(
            "The identity provider's answer could not be dealt with.",
            fix="The log says why; show it to those who make platform-auth.",
        )

    def _with_hint(self, error: IdentityError) -> IdentityError:
        """Let an error that a wrong clock may be behind say that it is wrong."""
        if not self._wrong_clock:
            return error
        fix = "Set the clock, best by a time service (NTP), and sign in again."
        return IdentityError(error.what, why=f"{error.why} {self._wrong_clock}", fix=fix)

    def forget(self) -> None:
        """Keep no earlier answer, but those that are asked for again by a rule of their own."""
        for question in [each for each in self._kept if None in each]:
            del self._kept[question]

    async def _drive(self, steps: Generator[Step, Any, T], person: Person | None) -> T:
        resume: Callable[[], Step] = lambda: next(steps)  # noqa: E731
        while True:
            try:
                step = resume()
            except StopIteration as end:
                result: T = end.value
                return result
            except DiscoveryError:
                self.forget()  # so that its repair is seen at once
                raise
            try:
                answer = await self._perform(step, person)
            except PlatformAuthError as error:
                resume = _thrown(steps, error)
            else:
                resume = _sent(steps, answer)

    async def _perform(self, step: Step, person: Person | None) -> object:
        if isinstance(step, Request):
            return await self._send(step)
        if isinstance(step, Rpc):
            return await (self.proxy.call(self._call, step) if self.proxy else self._call(step, {}))
        if isinstance(step, Wait):
            await self._sleep(step.seconds)
            return None
        if isinstance(step, Ask):
            return await (person or _nobody)(step)
        if isinstance(step, AskHub):
            return await self._hub()
        return await (self._run or _no_runner)(step)

    async def _send(self, request: Request) -> Response:
        question = request.method, request.url
        at, kept = self._kept.get((*question, request.again), (0.0, None))
        if kept and self._monotonic() - at <= request.max_age:
            return kept
        sent_at = self._now()
        if self.proxy is None:
            response = await self._sender.send(request)
        else:
            response = await self.proxy.send(self._sender, request)
        self._compare_clocks(response, sent_at)
        if request.max_age and _is_document(response):
            for again in (True, False) if request.again else (request.again,):
                self._kept[*question, again] = (self._monotonic(), response)
        return response

    def _compare_clocks(self, response: Response, sent_at: float) -> None:
        offset = clock_offset(response.headers, sent_at, self._now())
        if offset is None:
            return
        known, wrong = self._wrong_clock, abs(offset) > LEEWAY
        self._wrong_clock = said(offset, origin_of(response.url)) if wrong else ""
        if wrong and not known:  # once, not with every answer
            log.warning("%s Proofs of who signed in may be refused.", self._wrong_clock)


async def _nobody(_ask: Ask) -> str | None:
    raise SignInRequiredError("A person must sign in, and nobody can be asked here.")


async def _no_runner(_step: Run) -> str:
    raise ConfigError("Commands are not run here.")


async def _no_hub() -> dict[str, Any]:
    raise ConfigError("No JupyterHub is asked here.")


async def _no_caller(_step: Rpc, _metadata: Mapping[str, str]) -> RpcReply:
    raise MissingExtraError("gRPC is not spoken here.")


def _is_document(response: Response) -> bool:
    # The page of a captive portal must not be kept for hours, nor what nobody can use.
    if len(response.body) > MAX_DOCUMENT:
        return False
    try:
        return response.status == 200 and bool(response.json_object())  # noqa: PLR2004 - OK
    except ProviderError:
        return False


def _thrown(steps: Generator[Step, Any, Any], error: PlatformAuthError) -> Callable[[], Step]:
    return lambda: steps.throw(error)


def _sent(steps: Generator[Step, Any, Any], answer: object) -> Callable[[], Step]:
    return lambda: steps.send(answer)
