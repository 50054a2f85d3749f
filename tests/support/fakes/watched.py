"""Fixtures: worlds to sign in to, and a watch that no secret shows in whatever happens there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .leaks import Watch
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Fail whatever test shows a secret in an error, its traceback, its page or the log."""
    watching = Watch()
    watching.start(monkeypatch)
    yield watching
    assert watching.leaks() == []


@pytest.fixture
def new_world(watch: Watch) -> Iterator[Callable[..., World]]:
    """Makes worlds, with settings of their own."""
    made: list[World] = []

    def make(**settings: Any) -> World:
        made.append(World(**settings))
        watch.providers.append(made[-1].provider)
        return made[-1]

    yield make
    for world in made:
        world.wire.close()


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    return new_world()
