"""One try to sign in: a flow under way, and the browser it waits for."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import CallbackError, SignInCancelledError
from ..oauth.steps import Ask, AuthorizeChallenge, Challenge

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..oauth.driver import Person
    from ..secret import Secret


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
        browser = hmac.compare_digest(self.browser.encode(), other.browser.encode())
        user = hmac.compare_digest(self.user.encode(), other.user.encode())
        return browser and user


class Attempt:
    """A flow under way.

    Parameters
    ----------
    work
        The flow, to be run to its end; it asks the person it is given.
    binding
        Who began it; None where nobody else can reach it, as with a listener of its own.

    Attributes
    ----------
    task
        The work; the session tells what became of it.
    state
        Of the authorization request it waits for, as soon as there is one.
    memory
        What another process needs to go on with it, see `Ask`.
    elsewhere
        Whether another process goes on with it, so that its end here is none.

    """

    def __init__(
        self, work: Callable[[Person], Coroutine[Any, Any, None]], binding: Binding | None = None
    ) -> None:
        self.binding, self.state = binding, ""
        self.memory: Secret | None = None
        self.elsewhere = False
        self._asked: asyncio.Future[Challenge] = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[str] | None = None
        self.task: asyncio.Task[None] = asyncio.create_task(work(self._person))
        # It is no fault if nobody asks the task itself.
        self.task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _person(self, ask: Ask) -> str | None:
        """Be the flow's person: publish the challenge, and wait for whoever answers."""
        if ask.problem is not None:
            raise ask.problem  # answers come here by their state: no other one will
        if isinstance(ask.challenge, AuthorizeChallenge):
            self.state = ask.challenge.state
            self._answer = asyncio.get_running_loop().create_future()
        self.memory = ask.memory
        if not self._asked.done():
            self._asked.set_result(ask.challenge)
        return await self._answer if self._answer is not None else None

    async def challenge(self) -> Challenge | None:
        """Return the first challenge, or None where the flow ended without one.

        Raises
        ------
        PlatformAuthError
            It failed before.

        """
        both: set[asyncio.Future[Any]] = {self.task, self._asked}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if self._asked.done():
            return self._asked.result()
        self._outcome()
        return None

    @property
    def failure(self) -> BaseException | None:
        """What it failed with; None also where it was called off."""
        return None if self.task.cancelled() else self.task.exception()

    async def complete(self, url: str) -> None:
        """Hand over the URL the browser came back to, and return when the flow has ended well.

        A browser that comes twice, as one that loads pages ahead does, gets the same outcome twice.

        Raises
        ------
        CallbackError
            It is not waited for.
        PlatformAuthError
            The flow failed.

        """
        if self._answer is None:
            raise CallbackError("This sign-in does not wait for a browser.")
        if not self._answer.done():
            self._answer.set_result(url)
        await asyncio.wait({self.task})
        self._outcome()

    def _outcome(self) -> None:
        if self.task.cancelled():
            what = "The sign-in was called off."
            raise SignInCancelledError(what, fix="Sign in again when you are ready.")
        self.task.result()

    def cancel(self) -> None:
        """Call it off."""
        self.task.cancel()

    def let_go(self) -> None:
        """Leave it to another process."""
        self.elsewhere = True
        self.task.cancel()
