"""Driving a flow by hand, one step after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from platform_auth.errors import PlatformAuthError
from platform_auth.oauth.context import FlowContext
from platform_auth.oauth.metadata import from_document
from platform_auth.oauth.steps import Ask, Request, Rpc, Step, Wait

from .flyte import FlytePlatform
from .provider import ISSUER, NOW, Provider, config

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")
CALLBACK = "http://127.0.0.1:8888/platform-auth/callback"


def play(
    steps: Generator[Step, Any, T],
    provider: Provider,
    person: Callable[[Ask], str | None] | None = None,
    waits: list[float] | None = None,
) -> T:
    """Run a flow to its end against a provider and return its result."""
    answer: object = None
    problem: PlatformAuthError | None = None
    try:
        while True:
            step = steps.throw(problem) if problem is not None else steps.send(answer)
            answer, problem = None, None
            try:
                answer = _perform(step, provider, person, waits)
            except PlatformAuthError as error:
                problem = error
    except StopIteration as end:
        result: T = end.value
        return result


def _perform(
    step: Step,
    provider: Provider,
    person: Callable[[Ask], str | None] | None,
    waits: list[float] | None,
) -> object:
    if isinstance(step, Request):
        return provider.handle(step)
    if isinstance(step, Rpc):
        assert isinstance(provider, FlytePlatform), "this provider speaks no gRPC"
        return provider.rpc(step)
    if isinstance(step, Ask):
        assert person is not None, "nobody was to be asked"
        return person(step)
    assert isinstance(step, Wait)
    assert waits is not None, "nothing was to be waited for"
    waits.append(step.seconds)
    return None


def context(provider: Provider, **changes: Any) -> FlowContext:
    """Return what a flow works with, the provider's metadata as it is now."""
    now = changes.pop("now", NOW)
    redirect_uri = changes.pop("redirect_uri", CALLBACK)
    metadata = from_document(provider.metadata, issuer=ISSUER)
    return FlowContext(config(**changes), metadata, lambda: now, redirect_uri)
