"""Three replicas and their users: sessions that expire together, and what is done to it all."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from load.replica import profiles
from platform_auth.broker.realm import realm_of
from platform_auth.broker.record import Record
from platform_auth.hub.database import Database
from platform_auth.hub.keys import FileKeys
from platform_auth.hub.store import SqlStore
from platform_auth.oauth.tokens import TokenSet
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from load.rotating import Rotating
    from postgres import Postgres

NAMES = ["prod", "dev"]
_SUPPORT = Path(__file__).parents[1]
_PYTHONPATH = os.pathsep.join([str(_SUPPORT), *filter(None, sys.path)])
_PATIENCE = 15.0  # seconds, and as many as a lease that a killed replica leaves behind


@dataclass
class Outcome:
    """What users have seen: seconds that each call took, and what failed in the end."""

    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    tries: int = 0

    def quantile(self, part: float) -> float:
        """Return the time that so large a part of all calls was done in."""
        return sorted(self.seconds)[int(part * (len(self.seconds) - 1))]


class Replicas:
    """Replicas of the service, each a process.

    Parameters
    ----------
    url, keys, provider
        The database, the file with keys, and who issued the tokens.
    lease_seconds
        See `Lease`.

    """

    def __init__(self, url: str, keys: Path, provider: Rotating, lease_seconds: float) -> None:
        self._order = {
            "url": url,
            "keys": str(keys),
            "issuer": provider.issuer,
            "profiles": NAMES,
            "lease_seconds": lease_seconds,
        }
        self._url, self._keys, self._provider = url, keys, provider
        self._patience = lease_seconds + _PATIENCE
        self._processes: list[subprocess.Popen[str]] = []
        self.ports: list[int] = []

    def start(self, count: int = 1) -> None:
        """Start more of them, at the same time."""
        started = [self._spawn() for _ in range(count)]
        for process in started:
            assert process.stdout is not None
            self.ports.append(int(process.stdout.readline()))
            self._processes.append(process)

    def _spawn(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "load.replica"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": _PYTHONPATH},
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(self._order) + "\n")
        process.stdin.flush()
        return process

    def end(self, number: int, how: int) -> None:
        """End one, and return when it has ended."""
        process = self._processes.pop(number)
        self.ports.pop(number)
        process.send_signal(how)
        assert process.wait(self._patience) == (0 if how == signal.SIGTERM else -how)
        _close(process)

    def close(self) -> None:
        """End all."""
        for process in self._processes:
            process.kill()
            process.wait()
            _close(process)

    async def seed(self, people: int, lifetime: float, left: float, spread: float = 0.0) -> None:
        """Sign people in to all profiles; see `seed`."""
        await seed(self._url, self._keys, self._provider, people, lifetime, left, spread)

    async def use(
        self, people: int, seconds: float, each: float, outcome: Outcome, *, servers: int = 1
    ) -> None:
        """Have all people ask for all their tokens every so many seconds, for a while.

        Those with several servers ask from all of them at the same moment.
        """
        limits = httpx2.Limits(max_connections=100)
        async with httpx2.AsyncClient(
            trust_env=False, limits=limits, timeout=self._patience
        ) as client:
            end = time.monotonic() + seconds
            tasks = [
                self._person(client, f"user{number}/{name}", end, each, outcome)
                for number in range(people)
                for name in NAMES
                for _ in range(servers)
            ]
            await asyncio.gather(*tasks)

    async def _person(
        self, client: httpx2.AsyncClient, who: str, end: float, each: float, outcome: Outcome
    ) -> None:
        pace = random.Random(who)  # noqa: S311
        await asyncio.sleep(pace.uniform(0, each))
        while time.monotonic() < end:
            began = time.monotonic()
            what = await self._token(client, who, outcome)
            outcome.seconds.append(time.monotonic() - began)
            if what:
                outcome.failed.append(f"{who}: {what}")
            await asyncio.sleep(each)

    async def _token(self, client: httpx2.AsyncClient, who: str, outcome: Outcome) -> str:
        """Ask as a user's server does: another replica where one is gone, and again."""
        give_up, what = time.monotonic() + self._patience, ""
        while time.monotonic() < give_up:
            outcome.tries += 1
            port = random.choice(self.ports)  # noqa: S311
            try:
                answer = await client.get(f"http://127.0.0.1:{port}/{who}")
            except httpx2.TransportError as error:
                what = type(error).__name__
            else:
                if answer.status_code == httpx2.codes.OK:
                    return ""
                what = f"{answer.status_code} {answer.text[:200]}"
                if not answer.json()["error"]["retryable"]:
                    return what
            await asyncio.sleep(0.25)
        return what


async def seed(
    url: str,
    keys: Path,
    provider: Rotating,
    people: int,
    lifetime: float,
    left: float,
    spread: float = 0.0,
    *,
    prefix: str = "user",
) -> None:
    """Sign people in to all profiles; their names are a prefix and a number.

    Their tokens of ``lifetime`` have ``left`` seconds to live, and up to ``spread`` more.
    """
    database = Database(url)
    await database.upgrade()
    known = profiles(provider.issuer, NAMES)
    for number in range(people):
        store = SqlStore(database, FileKeys(keys), f"{prefix}{number}")
        for name in NAMES:
            first = provider.first(f"{prefix}{number}/{name}")
            tokens = TokenSet(Secret("first"), lifetime, refresh_token=Secret(first))
            realm = realm_of(known.get(name).config)
            at = time.time() - lifetime + left + spread * number / people
            record = Record(name, realm, "pkce", tokens, at, 0.0, signed_in_at=at)
            await store.save(record)
    await database.close()


def _close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def leased(server: Postgres, database: str) -> set[str]:
    """Return the sessions that a replica was renewing, or is: its lease outlives it."""
    rows = server.execute(
        "SELECT person, profile FROM platform_auth_sessions WHERE holder IS NOT NULL", database
    )
    return {f"{person}/{profile}" for person, profile in rows}


def report(provider: Rotating, outcome: Outcome, prefix: str = "user") -> dict[str, Any]:
    """Return the figures of the people with a prefix."""
    return {
        "calls": len(outcome.seconds),
        "p50": outcome.quantile(0.5),
        "p99": outcome.quantile(0.99),
        "failed": len(outcome.failed),
        "revoked": sum(each.startswith(prefix) for each in provider.revoked),
        "refreshes": sum(
            number for each, number in provider.refreshes.items() if each.startswith(prefix)
        ),
    }
