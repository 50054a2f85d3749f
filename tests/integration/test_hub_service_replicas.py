"""Three replicas of the Hub's service: the real Hub and its proxy before them, PostgreSQL behind.

The provider rotates refresh tokens and takes a second use of one for theft.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

import httpx2
import pytest

from harness.http import loopback_client
from harness.hub_example import example
from harness.hub_replicas import HubReplicas
from harness.hub_user import HubUser
from harness.people import ADA
from harness.polling import wait_until
from harness.scripted import ScriptedPerson
from load.replicas import Outcome
from load.user_servers import UserServer
from platform_auth.broker.access_token import fingerprint
from platform_auth.secret import Secret
from postgres import Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.hub import Hub
    from harness.hub_replicas import Replica
    from harness.provider import OidcProvider

SERVICE: Final = "services/platform-auth/"
CLICKED: Final = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))

WORKERS: Final = 12
"""How many of a person's workers ask at the same time."""


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(scope="module")
def replicas(
    database: Postgres, oidc_process: OidcProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HubReplicas]:
    url = database.new("sessions")
    with HubReplicas(
        tmp_path_factory.mktemp("service"),
        PLATFORM_AUTH_DATABASE_URL=url,
        PLATFORM_AUTH_STORE_KEY=OLD,
    ) as replicas:
        replicas.settings.write_text(example("z2jh_service.yaml", oidc_process.issuer, {}))
        yield replicas


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub], replicas: HubReplicas) -> Hub:
    here = {"http://platform-auth:8080": replicas.front.url}
    hub = start_hub(
        config=example("z2jh_config.py", None, here),
        env={"PLATFORM_AUTH_SERVICE_TOKEN": replicas.token},
    )
    replicas.belong_to(hub)
    return hub


@pytest.fixture(autouse=True)
def three(hub: Hub, replicas: HubReplicas, oidc: OidcProvider) -> None:
    """Have three of them, whatever the test before has done to them."""
    oidc.allow_redirects("notebook", [f"{hub.url}{SERVICE}callback"])
    missing = 3 - len(replicas.running)
    if missing:
        replicas.start(missing)
    replicas.lead()
    wait_until(lambda: _health(hub), "the Hub's proxy to lead there")


def _health(hub: Hub) -> bool:
    with loopback_client() as http:
        return http.get(f"{hub.url}{SERVICE}health").is_success


@pytest.fixture
def ada(hub: Hub) -> Iterator[HubUser]:
    with HubUser(hub, "ada") as user:
        yield user


@pytest.fixture
def grace(hub: Hub) -> Iterator[HubUser]:
    with HubUser(hub, "grace") as user:
        yield user


def begin(ada: HubUser, led: HubReplicas, replicas: Sequence[Replica]) -> str:
    """Open the service's sign-in page; each request of the way to the provider is another's."""
    url, turns = f"{ada.hub.url}{SERVICE}login?profile=prod&force=1", itertools.cycle(replicas)
    while "/auth?" not in url:
        led.lead(next(turns))
        answer = ada.http.get(url, headers=CLICKED)
        url = urljoin(str(answer.url), answer.headers["location"])
    return url


def sign_in(ada: HubUser, led: HubReplicas, *replicas: Replica) -> None:
    """Sign in at these replicas, or at any."""
    with ScriptedPerson() as person:
        page = ada.come_back(person.answer(begin(ada, led, replicas or led.running)))
    assert ADA.email in page.text


def access(user: HubUser) -> str:
    """Return a token of the Hub that is good for the service."""
    return user.hub.new_token(user.person, ["access:services!service=platform-auth"])


class Crowd:
    """Workers of one person that ask for a token over and over, in a thread of their own.

    Each call is a new worker's, which has nothing in memory.

    Parameters
    ----------
    user
        Whose.
    enough
        Tells of a token whether whoever has got it asks no more.

    """

    def __init__(self, user: HubUser, enough: Callable[[str], bool]) -> None:
        self._address, self._enough = f"{user.hub.url}{SERVICE}", enough
        self._token = access(user)
        self.outcome, self._last = Outcome(), list[str]()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    async def _run(self) -> None:
        async with httpx2.AsyncHTTPTransport() as transport:
            self._last = await asyncio.gather(*(self._work(transport) for _ in range(WORKERS)))

    async def _work(self, transport: httpx2.AsyncBaseTransport) -> str:
        while True:
            worker = UserServer(self._address, self._token, transport)
            got = (await worker.token("prod", self.outcome, min_ttl="1")).get("access_token", "")
            if not got or self._enough(got):
                return got
            await asyncio.sleep(0.02)

    def end(self) -> str:
        """Return the one token that all have got in the end; none of their calls has failed."""
        self._thread.join(60)
        assert self.outcome.failed == []
        assert len(self._last) == WORKERS
        (last,) = set(self._last)
        return last


@contextmanager
def crowd(user: HubUser) -> Iterator[Crowd]:
    """Have a crowd ask for as long as the block lasts."""
    over = threading.Event()
    crowd = Crowd(user, lambda _token: over.is_set())
    try:
        yield crowd
    finally:
        over.set()
    crowd.end()


def token(user: HubUser, **query: str) -> str:
    """Return the token that a new worker gets."""

    async def ask() -> str:
        async with httpx2.AsyncHTTPTransport() as transport:
            worker = UserServer(f"{user.hub.url}{SERVICE}", access(user), transport)
            got: str = (await worker.token("prod", Outcome(), **query))["access_token"]
            return got

    return asyncio.run(ask())


def renewals(oidc: OidcProvider) -> list[str]:
    """Return how each renewal has ended that the provider was asked for."""
    return [entry["outcome"] for entry in oidc.log("token", grant_type="refresh_token")]


def poll(user: HubUser, **query: Any) -> dict[str, Any]:
    """Read the session as a worker does."""
    with loopback_client(timeout=60.0) as http:
        answer = http.get(
            f"{user.hub.url}{SERVICE}v1/profiles/prod",
            params=query,
            headers={"Authorization": f"token {access(user)}"},
        )
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def test_a_sign_in_goes_on_at_whichever_replica_it_comes_to(
    hub: Hub, replicas: HubReplicas, ada: HubUser, oidc: OidcProvider
) -> None:
    first, second, third = replicas.running
    with ScriptedPerson() as person, ThreadPoolExecutor(1) as aside:
        url = begin(ada, replicas, replicas.running)
        replicas.lead(third)
        revision = poll(ada)["revision"]
        waiting = aside.submit(poll, ada, since=revision, wait=20)
        wait_until(lambda: replicas.front.busy(third.port), "a long poll")
        replicas.lead(second)
        page = ada.come_back(person.answer(url))
        seen = waiting.result()

    assert ADA.email in page.text
    assert (seen["state"], seen["signed_in_as"]) == ("signed_in", ADA.email)
    assert all(replicas.front.taken[each.port] for each in (first, second, third))
    tokens = set()
    for each in replicas.running:
        replicas.lead(each)
        tokens.add(token(ada))
    assert len(tokens) == 1
    assert [entry["outcome"] for entry in oidc.log("token")] == ["ok"]


def test_an_expired_token_is_renewed_once_while_replicas_end(
    hub: Hub, replicas: HubReplicas, grace: HubUser, oidc: OidcProvider
) -> None:
    """One is killed, and the one that renews it is told to end."""
    renewing, killed, _other = replicas.running
    oidc.settings(access_token_ttl=2)
    sign_in(grace, replicas, renewing)  # the others know nothing of her yet
    before = token(grace)
    oidc.settings(access_token_ttl=300)
    oidc.fault("hold")
    ends = time.time() + 2
    wait_until(lambda: time.time() > ends, "the end of its life")
    here = Crowd(grace, lambda got: got != before)
    oidc.wait_for_held()
    wait_until(lambda: replicas.front.busy(renewing.port) == WORKERS, "all to wait for it")
    replicas.lead(*replicas.running[1:])
    elsewhere = Crowd(grace, lambda got: got != before)
    for each in replicas.running[1:]:
        wait_until(lambda each=each: replicas.front.busy(each.port), "a call at each")  # type: ignore[misc]
    replicas.lead()

    replicas.kill(killed)
    replicas.leave(renewing)
    wait_until(lambda: not replicas.takes_connections(renewing), "its end to begin")
    oidc.release()

    assert here.end() == elsewhere.end() != before
    assert renewing.status == 0
    assert renewals(oidc) == ["ok"]


def test_the_database_is_started_anew_while_a_token_is_renewed(
    hub: Hub, replicas: HubReplicas, ada: HubUser, oidc: OidcProvider, database: Postgres
) -> None:
    oidc.settings(access_token_ttl=2)
    sign_in(ada, replicas)
    oidc.settings(access_token_ttl=300)
    oidc.fault("hold")
    before = token(ada)
    asking = Crowd(ada, lambda got: got != before)
    oidc.wait_for_held()
    database.stop(signal.SIGQUIT)
    oidc.release()
    wait_until(lambda: renewals(oidc), "the provider's answer, which nobody can save")
    database.start()

    assert asking.end() != before
    assert renewals(oidc) == ["ok"]


def test_the_key_is_changed_by_starting_replicas_anew(
    hub: Hub, replicas: HubReplicas, ada: HubUser, oidc: OidcProvider
) -> None:
    sign_in(ada, replicas)
    before = token(ada)
    with crowd(ada):
        for keys in (f"{OLD},{NEW}", f"{NEW},{OLD}"):
            leaving = [*replicas.running]
            replicas.start(3, PLATFORM_AUTH_STORE_KEY=keys)
            for each in leaving:
                replicas.leave(each)
                assert each.status == 0
    renewed = token(ada, stale=fingerprint(Secret(before)))
    (last,) = replicas.start(PLATFORM_AUTH_STORE_KEY=NEW)
    replicas.lead(last)

    assert token(ada) == renewed != before
    assert renewals(oidc) == ["ok"]
