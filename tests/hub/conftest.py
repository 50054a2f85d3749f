from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from fakes.hub import HubBench
from postgres import Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL for this run of the tests."""
    with postgres() as running:
        yield running


@pytest.fixture
def postgres_url(server: Postgres) -> Iterator[str]:
    """A new database on it."""
    name = f"test{next(_NUMBERS)}"
    yield server.new(name)
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A new database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.sqlite'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def hub(url: str, tmp_path: Path) -> HubBench:
    return HubBench(url, tmp_path)
