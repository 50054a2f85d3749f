"""A token request from a kernel to its broker, beside Tornado alone on the same kind of socket."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.broker.client import BrokerClient, SocketChannel

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("bare", "broker")
CALLS = 4000
AT_ONCE = 4
NEVER_SLOWER = 1.5
SUPPORT = Path(__file__).parents[1] / "support"
PYTHONPATH = os.pathsep.join([str(SUPPORT), *filter(None, sys.path)])


@contextmanager
def serving(kind: str, directory: Path) -> Iterator[SocketChannel]:
    """Run a server in a process of its own and return the way to it."""
    argv = [sys.executable, "-m", "load.servers", kind, str(directory)]
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": PYTHONPATH},
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield SocketChannel(*json.loads(server.stdout.readline()).values())
        finally:
            server.stdin.close()
            server.wait(20)


@pytest.fixture
def clients() -> Iterator[dict[str, BrokerClient]]:
    with ExitStack() as ends:
        short = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        yield {
            kind: BrokerClient(ends.enter_context(serving(kind, short / kind))) for kind in KINDS
        }


def seconds(client: BrokerClient) -> float:
    began = time.perf_counter()
    client.token("prod")
    return time.perf_counter() - began


def test_a_token_from_the_broker(bench: Any, clients: dict[str, BrokerClient]) -> None:
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(CALLS if bench.serious else 20):
        for kind in KINDS:  # one after the other: what else the machine does meets both
            times[kind].append(seconds(clients[kind]))
    for name, cut in (("p50", 49), ("p99", 98)):
        bare, ours = (statistics.quantiles(times[kind], n=100)[cut] for kind in KINDS)
        bench.note(f"a bare Tornado handler on a Unix socket, {name}", bare)
        bench.note(f"a token from the broker, {name} ({ours / bare:.2f} times that)", ours)
        bench.limit(f"a token from the broker, {name}", ours, at_most=NEVER_SLOWER * bare)


def test_tokens_in_a_second(bench: Any, clients: dict[str, BrokerClient]) -> None:
    rates = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for kind in KINDS:
            calls = CALLS if bench.serious else 20
            began = time.perf_counter()
            list(pool.map(seconds, [clients[kind]] * calls))
            rates[kind] = calls / (time.perf_counter() - began)
    bench.tell("calls a second, a bare Tornado handler", f"{rates['bare']:.0f}")
    bench.tell("calls a second, tokens from the broker", f"{rates['broker']:.0f}")
    if bench.serious:
        assert rates["broker"] > rates["bare"] / NEVER_SLOWER
