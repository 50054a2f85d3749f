"""The Hub's service with many users: sessions that rest cost nothing, and those that expire
together are refreshed once each, whatever happens to replicas, keys and the database meanwhile.
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.hub import key
from load.replica import profiles
from load.replicas import NAMES, Outcome, Replicas, leased, report
from load.rotating import Rotating
from platform_auth.broker.redirects import Redirects
from platform_auth.hub.database import Database
from platform_auth.hub.keys import FileKeys
from platform_auth.hub.people import People
from postgres import Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIFETIME = 3600


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres(durable=True) as running:
        yield running


@pytest.fixture
def provider() -> Iterator[Rotating]:
    provider = Rotating(_LIFETIME)
    yield provider
    provider.close()


@pytest.fixture
def replicas(server: Postgres, provider: Rotating, tmp_path: Path, bench: Any) -> Iterator[Any]:
    (tmp_path / "keys").write_text(key())
    url = server.new(tmp_path.name)
    # A short lease: a killed replica's sessions are held up for as long.
    running = Replicas(url, tmp_path / "keys", provider, lease_seconds=45.0 if bench.serious else 8)
    yield running
    running.close()
    server.drop(tmp_path.name)


def _copy(server: Postgres, name: str, sessions: int) -> None:
    """Fill the table up to so many sessions: of people who are not here."""
    columns = "profile, serial, mark, record, who, flow, expires_at"
    server.execute(
        f"INSERT INTO platform_auth_sessions (person, version, {columns})"  # noqa: S608 - our own numbers
        f" SELECT 'resting' || n, version - 3600000 - n, {columns} FROM platform_auth_sessions,"
        f" generate_series(1, {sessions}) n WHERE person = 'user0' AND profile = 'prod'"
        " ON CONFLICT DO NOTHING",
        name,
    )
    server.execute("ANALYZE platform_auth_sessions", name)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def _measured(url: str, keys: Path, provider: Rotating, calls: int) -> tuple[float, int]:
    """Return the median of a token request by one who is here, and the memory of this process."""
    database = Database(url)
    known = profiles(provider.issuer, NAMES)
    people = People(database, known, Redirects("/login"), keys=FileKeys(keys))
    took = []
    for _ in range(calls):
        began = time.perf_counter()
        broker = await people.broker("user0")
        await broker.token("prod")
        took.append(time.perf_counter() - began)
    await people._sweep()
    resident = _resident()
    await people.close()
    await database.close()
    return sorted(took)[len(took) // 2], resident


def test_stored_sessions_cost_a_request_nothing(
    replicas: Replicas, provider: Rotating, server: Postgres, tmp_path: Path, bench: Any
) -> None:
    asyncio.run(replicas.seed(1, _LIFETIME, _LIFETIME))
    sizes = (100, 1_000, 10_000, 100_000) if bench.serious else (100, 200)
    measured = []
    for size in sizes:
        _copy(server, tmp_path.name, size)
        url, calls = server.url(tmp_path.name), 500 if bench.serious else 5
        seconds, resident = asyncio.run(_measured(url, tmp_path / "keys", provider, calls))
        measured.append((seconds, resident))
        bench.note(f"token request, {size} stored sessions (PostgreSQL)", seconds)
        bench.tell(
            f"  memory of the service, {size} stored sessions", f"{resident / 2**20:.0f} MiB"
        )
    (first, before), *_, (last, after) = measured
    bench.limit("what 100,000 sessions add to a request", last - first, at_most=first + 0.002)
    assert after - before < 20 * 2**20


@pytest.mark.parametrize("killed", [False, True], ids=["in-order", "killed"])
def test_all_expire_within_a_minute(
    replicas: Replicas,
    provider: Rotating,
    server: Postgres,
    tmp_path: Path,
    bench: Any,
    killed: bool,
) -> None:
    """Replicas end, the database crashes and the key is changed meanwhile."""
    people, minute, each = (1000, 60.0, 10.0) if bench.serious else (5, 2.0, 1.0)
    asyncio.run(replicas.seed(people, 300, 170.0 if bench.serious else 5.0, minute))
    replicas.start(3)

    held: set[str] = set()

    def deeds() -> None:
        how = signal.SIGKILL if killed else signal.SIGTERM
        for keys in (f"{key(0)},{key(1)}", f"{key(1)},{key(0)}"):
            replicas.end(0, how)
            held.update(leased(server, tmp_path.name))
            replicas.start()
            (tmp_path / "keys").write_text(keys)
        server.restart(signal.SIGQUIT)

    async def work() -> Outcome:
        outcome = Outcome()
        using = replicas.use(people, minute + 15.0 if bench.serious else 4.0, each, outcome)
        await asyncio.gather(using, asyncio.to_thread(deeds))
        return outcome

    outcome = asyncio.run(work())
    found, sessions = report(provider, outcome), people * len(NAMES)
    name = f"{sessions} sessions expire, replicas {'killed' if killed else 'end in order'}"
    bench.note(f"{name}: p50 of a token request", found["p50"])
    bench.note(f"{name}: p99", found["p99"])
    for what in ("calls", "failed", "refreshes", "revoked"):
        bench.tell(f"  {what}", str(found[what]))
    assert {each.partition(":")[0] for each in outcome.failed} <= provider.revoked
    assert provider.revoked <= held  # what the dead were renewing at that moment
    if not killed:
        assert outcome.failed == []
        assert provider.revoked == set()
        assert found["refreshes"] == sessions
