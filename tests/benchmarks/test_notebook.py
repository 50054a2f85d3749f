"""What a notebook's user waits for: loading the extension, signing in again, a token's header."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import start_new_kernel

from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.listener import Listener
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.source import TokenSource
from platform_auth.config import Profiles
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KERNELS = 7

TIMED = """
import time
_start = time.perf_counter()
{statement}
print("seconds", time.perf_counter() - _start)
"""
LOAD = "get_ipython().run_line_magic('load_ext', 'platform_auth')"
LOGIN = "get_ipython().run_line_magic('platform_login', 'demo')"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrokerClient]:
    """Serve a broker, signed in to, as a Jupyter server does; kernels find it."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    with Sandbox() as sandbox:
        profiles = Profiles(admin=sandbox.profiles(), user_file=None, flyte=False)
        broker = Broker(profiles, Redirects("/platform-auth/login"))
        listener = Listener(broker, tmp_path / "runtime")
        loop.call_soon_threadsafe(listener.start)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()
        for name, value in listener.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
        client = BrokerClient(SocketChannel(*listener.environment.values()))
        challenge = client.sign_in("demo", redirect="paste")["challenge"]
        client.complete("demo", sandbox.sign_in_scripted(challenge["url"]))
        yield client
        asyncio.run_coroutine_threadsafe(broker.close(), loop).result()
        loop.call_soon_threadsafe(listener.stop)
        loop.call_soon_threadsafe(loop.stop)


def in_kernels(*statements: str, kernels: int) -> list[float]:
    """Return the seconds that each statement takes, one after the other in a fresh kernel.

    The best of all kernels: what else the machine was doing is not ours.
    """
    runs = [_in_a_kernel(statements) for _ in range(kernels)]
    return [min(times) for times in zip(*runs, strict=True)]


def _in_a_kernel(statements: tuple[str, ...]) -> list[float]:
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        return [_seconds(client, statement) for statement in statements]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _seconds(client: Any, statement: str) -> float:
    shown: list[dict[str, Any]] = []
    client.execute_interactive(
        TIMED.format(statement=statement), output_hook=shown.append, timeout=60
    )
    text = "".join(each["content"]["text"] for each in shown if each["msg_type"] == "stream")
    return float(text.rpartition("seconds ")[2])


def test_loading_the_extension(bench: Any) -> None:
    (ours,) = in_kernels(LOAD, kernels=KERNELS if bench.serious else 1)
    bench.note("%load_ext platform_auth, in a kernel that runs", ours)
    if bench.serious:
        (theirs,) = in_kernels("import flytekit", kernels=3)
        bench.note(
            f"import flytekit, in a kernel that runs ({theirs / ours:.0f} times that)", theirs
        )
    bench.limit("added by %load_ext platform_auth", ours, at_most=0.050)


def test_signing_in_when_signed_in(bench: Any, client: BrokerClient) -> None:
    use = "client.get('/me').raise_for_status()"
    statements = (LOAD, LOGIN, LOGIN, use, use)
    times = in_kernels(*statements, kernels=KERNELS if bench.serious else 1)
    _load, first, again, first_use, second_use = times
    bench.note("%platform_login, signed in, first time in a kernel: ready client", first)
    bench.note("%platform_login, signed in, after that", again)
    bench.note("the client's first call (imports httpx2)", first_use)
    bench.note("the client's second call", second_use)
    bench.limit("ready client after %platform_login", first, at_most=0.050)


def test_a_tokens_header(bench: Any, client: BrokerClient) -> None:
    tokens = TokenSource(client, "demo")
    tokens.token()
    held = {"authorization": "Bearer held"}
    plain = bench.call("a dict lookup", lambda: held["authorization"])
    ours = bench.call("the header from a TokenSource", tokens.header)
    theirs = bench.call("the header from google-auth", _google_auth())
    bench.note(f"ours to google-auth's: 1 to {theirs / ours:.0f}; a header costs", ours)
    bench.limit("a header over a dict lookup", ours - plain, at_most=2e-6)


def _google_auth() -> Any:
    credentials = pytest.importorskip("google.oauth2.credentials")
    expiry = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(hours=1)
    held = credentials.Credentials(token="held", expiry=expiry)
    headers: dict[str, str] = {}
    return lambda: held.before_request(None, "GET", "https://flyte.example.com/", headers)
