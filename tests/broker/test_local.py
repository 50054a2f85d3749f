from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from fakes.interrupt import interrupted_after, interrupted_in
from platform_auth.broker import local
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.local import LocalChannel
from platform_auth.errors import BrokerUnavailableError, ProfileNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.bench import Bench

SCRIPT = """
import os
from platform_auth.broker.local import local_client
from platform_auth.broker.source import TokenSource

client = local_client()
source = TokenSource(client, "printed")
first = source.token()
child = os.fork()
if child == 0:
    # What was fetched before still serves, and so does a broker of the child's own.
    same = source.token().value == first.value
    source.forget()
    again = source.token().value == first.value
    os._exit(7 if same and again else 8)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), first.value.reveal())
"""


@pytest.fixture
def channel(bench: Bench) -> Iterator[LocalChannel]:
    channel = LocalChannel(bench.broker)
    yield channel
    channel.close()


def test_a_whole_life(bench: Bench, channel: LocalChannel) -> None:
    client = BrokerClient(channel)
    challenge = client.sign_in("prod", redirect="paste")["challenge"]
    assert client.complete("prod", bench.provider.authorize(challenge["url"]))
    token = client.token("prod")
    assert token.value.reveal() == "at-1-CANARY"
    assert client.token("prod", stale=token.fingerprint).value.reveal() == "at-2-CANARY"
    assert client.sign_out("prod")["state"] == "signed_out"


def test_errors_cross_it_as_they_cross_a_socket(channel: LocalChannel) -> None:
    with pytest.raises(ProfileNotFoundError, match="prd"):
        BrokerClient(channel).session("prd")


def test_names_with_odd_letters(channel: LocalChannel) -> None:
    client = BrokerClient(channel)
    view = client.put("ä b?#%", {"admin": {"endpoint": "a.example.com"}})
    assert client.session("ä b?#%")["profile"] == view["profile"] == "ä b?#%"


def test_many_threads(bench: Bench, channel: LocalChannel) -> None:
    client = BrokerClient(channel)
    challenge = client.sign_in("prod", redirect="paste")["challenge"]
    client.complete("prod", bench.provider.authorize(challenge["url"]))
    bench.clock.advance(301)
    tokens: list[str] = []
    threads = [
        threading.Thread(target=lambda: tokens.append(client.token("prod").fingerprint))
        for _ in range(100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(tokens) == 100
    assert len(set(tokens)) == 1
    assert bench.refreshes() == 2  # the sign-in's and one more


def test_an_interrupt_leaves_no_wait_behind(bench: Bench, channel: LocalChannel) -> None:
    """The long poll of a kernel that was interrupted ends with it."""
    client = BrokerClient(channel)
    revision = client.session("prod")["revision"]
    loop = channel._started()
    with interrupted_in("_wait"), pytest.raises(KeyboardInterrupt):
        client.session("prod", since=revision, wait=30)
    deadline = time.monotonic() + 10
    while asyncio.all_tasks(loop) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert not asyncio.all_tasks(loop)
    assert client.session("prod")["state"] == "signed_out"


def test_an_interrupt_holds_nothing_that_the_broker_needs(
    channel: LocalChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it comes in a call: one that breaks into taking a lock may leave it taken."""
    client = BrokerClient(channel)
    client.session("prod")
    monkeypatch.setattr(local, "_PATIENCE", 10.0)
    for steps in itertools.count():
        with interrupted_after(steps, "threading", "_base", "local") as interruption:
            client.session("prod")
        assert client.session("prod")["state"] == "signed_out", steps
        if not interruption.happened:
            break
    assert steps > 50


def test_an_interrupt_just_before_the_wait_is_noticed_soon(channel: LocalChannel) -> None:
    client = BrokerClient(channel)
    revision = client.session("prod")["revision"]
    began = time.monotonic()
    with interrupted_in("_wait"), pytest.raises(KeyboardInterrupt):
        client.session("prod", since=revision, wait=20)
    assert time.monotonic() - began < 5


def test_a_broker_that_hangs_is_said_to(
    channel: LocalChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_PATIENCE", 0.05)
    revision = BrokerClient(channel).session("prod")["revision"]
    with pytest.raises(BrokerUnavailableError, match="does not answer"):
        channel.call("GET", f"/v1/profiles/prod?since={revision}&wait=20")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_child_has_a_broker_of_its_own(tmp_path: Path) -> None:
    program = tmp_path / "print-token"
    program.write_text("#!/bin/sh\necho printed-token\n")
    program.chmod(0o700)
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text(
        "profiles: {printed: {admin: {endpoint: flyte.example.com,"
        f" authType: ExternalCommand, command: ['{program}']}}}}}}"
    )
    environment = {
        "PLATFORM_AUTH_CONFIG": str(profiles),
        "PLATFORM_AUTH_STORE": "memory",
        "PYTHONPATH": ":".join(sys.path),
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert found.stdout.strip() == "7 printed-token", found.stderr
