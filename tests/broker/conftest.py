from __future__ import annotations

import pytest

from fakes.bench import Bench
from fakes.short import short  # noqa: F401 - a directory for sockets


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def new_bench() -> type[Bench]:
    return Bench
