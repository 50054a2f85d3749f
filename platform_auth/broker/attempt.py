"""One try to sign in: a flow under way, and the browser it waits for."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import CallbackError, SignInCancelledError
from ..oauth.steps import Ask, AuthorizeChallenge, Challenge

if TYPE_CHECKING:
    from collections.abc import Coroutine


@dataclass(frozen=True, slots=True)
class Binding:
    """Who began a sign-in and so must end it (RFC 9700 §4.7).

    Parameters
    ----------
    browser
        A random value that only the browser that began holds, in a cookie.
    user
        The Jupyter user, where the server can tell users apart.

    """

    browser: str = field(default="", repr=False)
    user: str = ""

    def matches(self, other: Binding) -> bool:
        """Tell, in constant time, whether both are the same browser and user."""
        ours, theirs = f"{self.user}\n{self.browser}", f"{other.user}\n{other.browser}"
        return hmac.compare_digest(ours.encode(), theirs.encode())


class Attempt:
    """A flow under way.

    Parameters
    ----------
    binding
        Who began it; None where nobody else can reach it, as with a listener of its own.

    """

    def __init__(self, binding: Binding | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.binding = binding
        self.task: asyncio.Task[None] | None = None
        self._asked: asyncio.Future[Challenge] = loop.create_future()
        self._answer: asyncio.Future[str] | None = None
        self._problem: asyncio.Future[None] | None = None

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Begin, and return the work's task; it asks through `person`."""
        self.task = asyncio.create_task(work)
        # The session tells what became of it, so it is no fault if nobody asks the task.
        self.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self.task

    async def person(self, ask: Ask) -> str | None:
        """Be the flow's person: publish the challenge, and wait for whoever answers."""
        if not self._asked.done():
            self._asked.set_result(ask.challenge)
        if ask.problem is not None and self._problem is not None:
            self._problem.set_exception(ask.problem)
        if not isinstance(ask.challenge, AuthorizeChallenge):
            return None
        self._answer = asyncio.get_running_loop().create_future()
        return await self._answer

    async def challenge(self) -> Challenge | None:
        """Return the first challenge, or None where the flow ended without one.

        Raises
        ------
        PlatformAuthError
            It failed before.

        """
        assert self.task is not None
        await asyncio.wait({self.task, self._asked}, return_when=asyncio.FIRST_COMPLETED)
        if self._asked.done():
            return self._asked.result()
        self._outcome()
        return None

    async def complete(self, url: str) -> None:
        """Hand over the URL the browser came back to, and return when the flow has ended well.

        Raises
        ------
        CallbackError
            It answers another request, or this one was answered already.
        PlatformAuthError
            The flow failed.

        """
        assert self.task is not None
        if self._answer is None or self._answer.done():
            what = "This sign-in has been completed already."
            raise CallbackError(what, fix="Go back to the notebook.")
        self._problem = asyncio.get_running_loop().create_future()
        self._answer.set_result(url)
        await asyncio.wait({self.task, self._problem}, return_when=asyncio.FIRST_COMPLETED)
        if self._problem.done():
            self._problem.result()
        self._problem.cancel()
        self._outcome()

    def _outcome(self) -> None:
        assert self.task is not None
        if self.task.cancelled():
            what = "The sign-in was called off."
            raise SignInCancelledError(what, fix="Sign in again when you are ready.")
        self.task.result()

    def cancel(self) -> None:
        """Call it off."""
        if self.task is not None:
            self.task.cancel()
