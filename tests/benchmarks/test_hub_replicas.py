"""The Hub's whole service with many users: three replicas of `platform-auth hub-service` behind the
real Hub's real proxy, asked with real tokens of the Hub by what asks in users' servers.

Everything expires within a minute at a provider that takes the second use of a refresh token for
theft, while replicas end, the database crashes and the key is changed.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from fakes.hub import key
from harness.http import loopback_client
from harness.hub import Hub
from harness.hub_replicas import HubReplicas
from harness.polling import wait_until
from load.replica import profile
from load.replicas import NAMES, Outcome, leased, report, seed
from load.rotating import Rotating
from load.user_servers import use
from postgres import Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIFETIME, DATABASE = 300, "sessions"
SERVICE = "services/platform-auth/"
CONFIG = """
from platform_auth.hub import configure
configure(c, url={url!r}, api_token={token!r})
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres(durable=True) as running:
        yield running


@pytest.fixture(scope="module")
def provider() -> Iterator[Rotating]:
    provider = Rotating(LIFETIME)
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(key())
    return path


@pytest.fixture(scope="module")
def replicas(
    server: Postgres, provider: Rotating, keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HubReplicas]:
    with HubReplicas(
        tmp_path_factory.mktemp("service"),
        PLATFORM_AUTH_DATABASE_URL=server.new(DATABASE),
        PLATFORM_AUTH_STORE_KEY_FILE=str(keys),
    ) as replicas:
        shapes = {name: profile(provider.issuer) for name in NAMES}
        replicas.settings.write_text(json.dumps({"profiles": shapes}))
        yield replicas


@pytest.fixture(scope="module")
def hub(replicas: HubReplicas) -> Iterator[Hub]:
    with ExitStack() as ends:
        given = CONFIG.format(url=replicas.front.url, token=replicas.token)
        hub = Hub(users=("ada",), config=given)
        ends.callback(hub.remove)
        replicas.belong_to(hub)
        replicas.start(3)
        wait_until(lambda: _health(hub), "the Hub's proxy to lead there")
        yield hub


def _health(hub: Hub) -> bool:
    with loopback_client() as http:
        return http.get(f"{hub.url}{SERVICE}health").is_success


def _users(hub: Hub, prefix: str, count: int) -> dict[str, str]:
    """Make users, and return a token of each that is good for the service."""
    names = [f"{prefix}{number}" for number in range(count)]
    hub.api("POST", "users", json={"usernames": names}).raise_for_status()
    body = {"scopes": ["access:services!service=platform-auth"]}

    def made(name: str) -> str:
        answer = hub.api("POST", f"users/{name}/tokens", json=body).raise_for_status()
        token: str = answer.json()["token"]
        return token

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(made, names), strict=True))


@pytest.mark.parametrize("killed", [False, True], ids=["in-order", "killed"])
def test_all_expire_within_a_minute(
    hub: Hub,
    replicas: HubReplicas,
    provider: Rotating,
    server: Postgres,
    keys: Path,
    bench: Any,
    killed: bool,
) -> None:
    """A user's server asks every 20 seconds; the Hub, too, is asked whose each token is.

    Both runs are on one Hub: what they differ in is more than how replicas end.
    """
    people, minute, each = (1000, 60.0, 20.0) if bench.serious else (5, 1.0, 0.5)
    prefix, first, second = ("killed", 1, 2) if killed else ("ended", 0, 1)
    began = time.perf_counter()
    tokens = _users(hub, prefix, people)
    bench.note(f"{people} users and their tokens at the Hub", time.perf_counter() - began)
    url, left = server.url(DATABASE), 170.0 if bench.serious else 5.0
    asyncio.run(seed(url, keys, provider, people, LIFETIME, left, minute, prefix=prefix))
    held: set[str] = set()
    over, chance = threading.Event(), random.Random(f"{killed}")  # noqa: S311

    def deeds() -> None:
        for rotated in (f"{key(first)},{key(second)}", f"{key(second)},{key(first)}"):
            over.wait(chance.uniform(0.1, 0.3) * minute)
            if killed:
                replicas.kill(replicas.running[0])
                held.update(leased(server, DATABASE))
            else:
                ending = replicas.running[0]
                replicas.leave(ending)
                assert ending.status == 0
            replicas.start()
            keys.write_text(rotated)
        over.wait(chance.uniform(0.1, 0.3) * minute)
        server.restart(signal.SIGQUIT)

    async def work() -> Outcome:
        outcome, seconds = Outcome(), minute + 30.0 if bench.serious else 3.0
        using = use(f"{hub.url}{SERVICE}", tokens, NAMES, outcome, seconds=seconds, each=each)
        await asyncio.gather(using, asyncio.to_thread(deeds))
        return outcome

    outcome = asyncio.run(work())
    found, sessions = report(provider, outcome, prefix), people * len(NAMES)
    name = f"{sessions} sessions, whole service, replicas {'killed' if killed else 'end in order'}"
    bench.note(f"{name}: p50 of a token request", found["p50"])
    bench.note(f"{name}: p99", found["p99"])
    for what in ("calls", "failed", "refreshes", "revoked"):
        bench.tell(f"  {what}", str(found[what]))
    assert provider.revoked <= held  # what the dead were renewing at that moment
    assert {each.partition(":")[0] for each in outcome.failed} <= provider.revoked
    if not killed:
        assert outcome.failed == []
        assert provider.revoked == set()
        assert found["refreshes"] == sessions
