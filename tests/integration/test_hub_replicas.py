"""Three replicas of the Hub's service on one PostgreSQL, while all sessions expire together.

The provider gives out each refresh token once and revokes the family of one that is used twice, so
that two replicas which refresh at once, or one that forgets what it got, end somebody's sign-in.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import pytest

from fakes.hub import key
from load.replicas import NAMES, Outcome, Replicas, leased, report
from load.rotating import Rotating
from postgres import Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PEOPLE, SERVERS, LIFETIME, LEFT, SECONDS, EACH = 12, 3, 600, 4.0, 5.0, 1.5
LATE = 0.2  # seconds that the provider takes: time enough for another replica to refresh, too


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def provider() -> Iterator[Rotating]:
    provider = Rotating(LIFETIME, LATE)
    yield provider
    provider.close()


@pytest.fixture
def replicas(
    server: Postgres, provider: Rotating, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Replicas]:
    (tmp_path / "keys").write_text(key())
    url = server.new(request.node.name)
    running = Replicas(url, tmp_path / "keys", provider, lease_seconds=20.0)
    asyncio.run(running.seed(PEOPLE, LIFETIME, LEFT))
    running.start(3)
    yield running
    running.close()
    server.drop(request.node.name)


def use(
    replicas: Replicas, provider: Rotating, deeds: Callable[[], None] | None = None
) -> tuple[Outcome, dict[str, Any]]:
    """Have everybody use it, and do something meanwhile in a thread."""

    async def work() -> Outcome:
        outcome = Outcome()
        using = replicas.use(PEOPLE, SECONDS, EACH, outcome, servers=SERVERS)
        await asyncio.gather(using, *([asyncio.to_thread(deeds)] if deeds else []))
        return outcome

    outcome = asyncio.run(work())
    found = report(provider, outcome)
    print(found)  # noqa: T201 - the figures
    return outcome, found


def test_each_session_is_refreshed_once(replicas: Replicas, provider: Rotating) -> None:
    outcome, found = use(replicas, provider)
    assert outcome.failed == []
    assert provider.revoked == set()
    assert found["refreshes"] == PEOPLE * len(NAMES)


def test_replicas_that_end_in_order_lose_nothing(replicas: Replicas, provider: Rotating) -> None:
    def deeds() -> None:
        for _ in range(2):
            replicas.end(0, signal.SIGTERM)
            replicas.start()

    outcome, found = use(replicas, provider, deeds)
    assert outcome.failed == []
    assert provider.revoked == set()
    assert found["refreshes"] == PEOPLE * len(NAMES)


def test_the_database_is_started_anew(
    replicas: Replicas, provider: Rotating, server: Postgres
) -> None:
    outcome, found = use(replicas, provider, lambda: server.restart(signal.SIGQUIT))
    assert outcome.failed == []
    assert provider.revoked == set()
    assert found["refreshes"] == PEOPLE * len(NAMES)


def test_the_key_is_changed(replicas: Replicas, provider: Rotating, tmp_path: Path) -> None:
    def deeds() -> None:
        for keys in (f"{key(0)},{key(1)}", f"{key(1)},{key(0)}"):
            (tmp_path / "keys").write_text(keys)

    outcome, found = use(replicas, provider, deeds)
    assert outcome.failed == []
    assert provider.revoked == set()
    assert found["refreshes"] == PEOPLE * len(NAMES)


def test_a_replica_that_is_killed_loses_at_most_what_it_was_being_sent(
    replicas: Replicas, provider: Rotating, server: Postgres, request: pytest.FixtureRequest
) -> None:
    """A refresh token that the provider has replaced, and whose answer nobody saved, is lost.

    No protocol without a second chance at the provider prevents that; all other sessions live on.
    """
    held: set[str] = set()

    def deeds() -> None:
        replicas.end(0, signal.SIGKILL)
        held.update(leased(server, request.node.name))
        replicas.start()

    outcome, _found = use(replicas, provider, deeds)
    assert provider.revoked <= held
    assert {each.partition(":")[0] for each in outcome.failed} <= provider.revoked
