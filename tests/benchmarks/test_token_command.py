"""What other tools wait for before each call: ``platform-auth token``, beside Python alone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.listener import Listener
from platform_auth.broker.local import LocalChannel
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.stores import open_store
from platform_auth.config import Profiles
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 40
LONG_AGO = 3600
LIMIT = 0.040
NOTHING = [sys.executable, "-c", "pass"]
TOKEN = [str(Path(sysconfig.get_path("scripts"), "platform-auth")), "token", "demo"]


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """Return a broker that somebody has signed in to, and whose sessions are saved."""
    with Sandbox() as sandbox:
        file = tmp_path / "profiles.yaml"
        file.write_text(json.dumps({"profiles": sandbox.profiles()}))
        before = time.time() - LONG_AGO
        os.utime(file, (before, before))
        monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(file))
        broker = Broker(Profiles(), Redirects(), store=open_store("file"))
        client = BrokerClient(LocalChannel(broker))
        challenge = client.sign_in("demo", redirect="paste")["challenge"]
        client.complete("demo", sandbox.sign_in_scripted(challenge["url"]))
        yield broker


def more_than_nothing(name: str, bench: Any) -> float:
    """Return how much longer it takes to print a token than to start and end Python.

    One after the other, and the best of each: what else the machine was doing is not ours.
    """
    times: dict[str, list[float]] = {"nothing": [], "token": []}
    for _ in range(ROUNDS if bench.serious else 2):
        for kind, argv in (("nothing", NOTHING), ("token", TOKEN)):
            start = time.perf_counter()
            done = subprocess.run(argv, check=True, capture_output=True, text=True)
            times[kind].append(time.perf_counter() - start)
            assert done.stdout.count("\n") == (kind == "token")
    nothing = bench.note("python -c pass", min(times["nothing"]))
    token: float = bench.note(f"platform-auth token, {name}", min(times["token"]))
    return token - nothing


def test_a_token_that_is_saved(bench: Any, broker: Broker) -> None:
    """The first of them looks up what the profile is."""
    subprocess.run(TOKEN, check=True, capture_output=True)
    more = more_than_nothing("saved on the disk", bench)
    bench.limit("a saved token over Python alone", more, at_most=LIMIT)


def test_a_token_of_a_jupyter_server(
    bench: Any, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def serve() -> Listener:
        listener = Listener(Broker(Profiles(), Redirects(), store=open_store("file")), tmp_path)
        listener.start()
        return listener

    listener = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    for name, value in listener.environment.items():
        monkeypatch.setenv(name, value)
    more = more_than_nothing("from a broker", bench)
    loop.call_soon_threadsafe(listener.stop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    bench.limit("a broker's token over Python alone", more, at_most=LIMIT)
