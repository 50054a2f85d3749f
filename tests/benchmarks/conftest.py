"""Measuring: `make bench` times, prints and judges; in an ordinary test run each piece runs once.

A limit is a promise about a ratio or a difference measured in one run on one machine, so that it
holds on a slow machine too.
"""

from __future__ import annotations

import statistics
import subprocess
import time
import timeit
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_rows = pytest.StashKey[list[tuple[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--bench``."""
    parser.addoption("--bench", action="store_true", help="measure for real and judge the limits")


class Bench:
    """Times pieces of work and holds the times to their limits.

    Parameters
    ----------
    serious
        Whether to measure for real; otherwise everything runs once and no limit counts.
    rows
        Where the printed lines are collected.

    """

    def __init__(self, rows: list[tuple[str, str]], *, serious: bool) -> None:
        self.serious = serious
        self._rows = rows

    def call(self, name: str, work: Callable[[], object], *, rounds: int = 15) -> float:
        """Return the seconds that one call takes, in the best of `rounds` rounds."""
        timer = timeit.Timer(work)
        number = timer.autorange()[0] // 4 + 1 if self.serious else 1
        rounds = rounds if self.serious else 1
        return self.note(name, min(timer.repeat(rounds, number)) / number)

    def process(self, name: str, argv: Sequence[str], *, rounds: int = 10) -> float:
        """Return the seconds from starting a process to its end, in the median of `rounds`."""
        times = []
        for _ in range(rounds if self.serious else 1):
            start = time.perf_counter()
            subprocess.run(argv, check=True, capture_output=True)
            times.append(time.perf_counter() - start)
        return self.note(name, statistics.median(times))

    def note(self, name: str, seconds: float) -> float:
        """Print a time that was measured in another way; return it."""
        self._rows.append((name, _readable(seconds)))
        return seconds

    def tell(self, name: str, value: str) -> None:
        """Print something that was measured and is no time."""
        self._rows.append((name, value))

    def limit(self, promise: str, seconds: float, *, at_most: float) -> None:
        """Fail when a promise is broken: ``bench.limit("over a dict lookup", a - b, ...)``."""
        self._rows.append((f"  {promise}: at most {_readable(at_most)}", _readable(seconds)))
        if self.serious:
            assert seconds <= at_most, f"{promise}: {_readable(seconds)}"


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Bench:
    """Return the stopwatch."""
    rows = request.config.stash.setdefault(_rows, [])
    return Bench(rows, serious=request.config.getoption("--bench", default=False))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what was measured."""
    rows = config.stash.get(_rows, [])
    if rows and config.getoption("--bench", default=False):
        terminalreporter.section("measured")
        for name, value in rows:
            terminalreporter.write_line(f"{name:<72}{value:>12}")


def _readable(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if abs(seconds) >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"
