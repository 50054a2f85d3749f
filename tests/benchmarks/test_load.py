"""Many processes, many kernels, one sign-in: a provider that rotates refresh tokens and takes a
second use of one for theft, and tokens of ten seconds.

Beside ours, on the same provider: flytekit's and msal's own way to share a sign-in.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc.errors import ExpiredTokenError

from fakes.served import served
from harness.broker import profile
from harness.jupyter import JupyterServer
from harness.jupyter_user import JupyterUser
from harness.kernel import ServerKernel, start_kernel
from harness.platform import Platform
from harness.provider import OidcProvider
from harness.scripted import ScriptedPerson
from harness.verifier import Verifier
from load.crowd import crowd
from load.msal_peer import application
from load.use import Order, Tally
from platform_auth.broker.broker import Broker
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.source import TokenSource
from platform_auth.broker.stores import open_store
from platform_auth.config import Profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from platform_auth.oauth.tokens import TokenSet

LIFETIME, LATE = 10, 2.0
"""Seconds that a token lives, and that the provider takes to answer when it is to be renewed."""

SHORT_LIFETIME, SHORT_LATE = 4, 0.5
"""The same in an ordinary test run."""

PAUSE = 1.0
SUPPORT = Path(__file__).parents[1] / "support"
PYTHONPATH = os.pathsep.join([str(SUPPORT), *filter(None, sys.path)])
NOWHERE = "http://127.0.0.1:9/callback"
KEYRING = "flyte._keyring.file.SimplePlainTextKeyring"

IN_KERNEL = """
from load.use import Order, use
from platform_auth import connect
connection = connect("prod")
client = connection.http()
connection.access_token()
print("ready")
"""
USE = "print(use(Order(**{order}), lambda url: client.get(url).status_code, {begin}).dumps())"
SEED = """
import json, keyring, sys
for name, value in json.load(sys.stdin).items():
    keyring.set_password("platform.example", name, value)
"""


class Remembering(Verifier):
    """Looks at a token's signature once: there are many calls."""

    def __init__(self, issuer: str, audience: str) -> None:
        super().__init__(issuer, audience)
        self._known: dict[str, dict[str, Any]] = {}

    def claims(self, token: str) -> dict[str, Any]:
        if token not in self._known:
            self._known[token] = super().claims(token)
        if self._known[token]["exp"] <= time.time():
            raise ExpiredTokenError("exp")
        return self._known[token]


@dataclass
class Place:
    """A provider with short tokens and a slow token endpoint, and a platform that takes them."""

    oidc: OidcProvider
    platform: Platform
    lifetime: int
    late: float

    @property
    def url(self) -> str:
        return f"{self.platform.url}/api/v1/projects"

    def profile(self, client_id: str) -> dict[str, Any]:
        made = profile(self.oidc.issuer, self.platform.url)
        made["admin"]["clientId"] = client_id
        return made

    def hurry(self, *, late: bool) -> None:
        """Sign-ins come quickly, renewals do not."""
        self.oidc.settings(access_token_ttl=self.lifetime)
        if late:
            self.oidc.fault("slow", ms=int(self.late * 1000), count=100_000)

    def renewals(self) -> tuple[int, int]:
        """Return how many renewals there were, and how many the provider refused."""
        asked = self.oidc.log("token", grant_type="refresh_token")
        refused = [entry for entry in asked if entry["outcome"] != "ok"]
        return len(asked), len(refused)

    def due(self) -> tuple[float, float]:
        """Return how many renewals there must and may have been since the sign-in.

        A token is renewed in the second half of its life, or up to a tenth before that.
        """
        signed_in, *_ = self.oidc.log("token", grant_type="authorization_code")
        passed = time.time() - signed_in["ended"] / 1000
        return passed / self.lifetime - 1, passed / (0.4 * self.lifetime)

    async def sign_in(self, broker: Broker) -> TokenSet:
        """Sign in as a person who pastes, and return the tokens."""
        session = await broker.sign_in("prod", redirect="paste")
        assert session.challenge is not None
        with ScriptedPerson() as person:
            back = await asyncio.to_thread(person.answer, session.challenge["url"])
        record = (await broker.complete(back)).record
        await broker.close()
        assert record is not None
        return record.tokens


@pytest.fixture(scope="module")
def oidc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    provider = OidcProvider(tmp_path_factory.mktemp("oidc"))
    yield provider
    provider.stop()


@pytest.fixture
def place(oidc: OidcProvider, bench: Any) -> Iterator[Place]:
    oidc.reset()
    times = (LIFETIME, LATE) if bench.serious else (SHORT_LIFETIME, SHORT_LATE)
    with Platform(oidc.issuer, oidc.audience) as platform:
        platform.verifier = Remembering(oidc.issuer, oidc.audience)
        platform._server.socket.listen(512)  # or many that come at once wait for seconds
        yield Place(oidc, platform, *times)


@contextmanager
def started(name: str, order: Order, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Start so many of a program, and return when all of them are ready."""
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH, "PYTHON_KEYRING_BACKEND": KEYRING}
    with ExitStack() as ends:
        processes = [
            ends.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", f"load.{name}"], env=environment, text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                )
            )
            for _ in range(count)
        ]  # fmt: skip
        for process in processes:
            ends.callback(process.kill)
            tell(process, order.dumps())
        for process in processes:
            assert told(process) == "ready"
        yield processes


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def together(name: str, order: Order, count: int) -> Tally:
    """Let so many of a program do as ordered, and return the sum of what they tell."""
    with started(name, order, count) as processes:
        begin = time.time() + 1
        for process in processes:
            tell(process, str(begin))  # all in the same instant, second after second
        return total([Tally(**json.loads(told(process))) for process in processes])


def total(tallies: list[Tally]) -> Tally:
    complaints = [tally.complaint for tally in tallies if tally.complaint]
    return Tally(
        sum(tally.calls for tally in tallies),
        sum(tally.failed for tally in tallies),
        max(tally.longest for tally in tallies),
        complaints[0] if complaints else "",
    )


def show(bench: Any, name: str, place: Place, tally: Tally) -> None:
    """Put a line about a run among what was measured."""
    renewals, refused = place.renewals()
    bench.tell(f"{name}: calls, of which failed", f"{tally.calls}, {tally.failed}")
    bench.tell("  renewals at the provider, of which refused", f"{renewals}, {refused}")
    bench.note("  the longest call", tally.longest)


def is_perfect(place: Place, tally: Tally) -> None:
    """Judge a run of ours: each token was renewed once and in time, and no call failed."""
    renewals, refused = place.renewals()
    assert (tally.failed, tally.complaint, refused) == (0, "", 0)
    asked = place.oidc.log("token", grant_type="refresh_token")
    assert len({entry["refresh_token"] for entry in asked}) == renewals
    fewest, most = place.due()
    assert fewest <= renewals <= most


# -- Ours ------------------------------------------------------------------------------------------


def test_processes(
    bench: Any, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share a home and have no server: each is a broker of its own."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(tmp_path / "profiles.yaml"))
    monkeypatch.setenv("PLATFORM_AUTH_AUDIT", "off")
    profiles = {"profiles": {"prod": place.profile("cli")}}
    (tmp_path / "profiles.yaml").write_text(json.dumps(profiles))
    place.hurry(late=False)
    asyncio.run(place.sign_in(Broker(Profiles(), Redirects(), store=open_store("file"))))
    count, seconds = (32, 60) if bench.serious else (3, 3.5)
    tally = together("ours", Order(place.url, seconds, PAUSE), count)
    show(bench, f"{count} processes, one home, {seconds:g} s", place, tally)
    is_perfect(place, tally)


@pytest.fixture
def server(place: Place) -> Iterator[JupyterServer]:
    with tempfile.TemporaryDirectory() as directory:
        server = JupyterServer(
            Path(directory),
            config={"profiles": {"prod": place.profile("notebook")}},
            env={"PYTHONPATH": PYTHONPATH},
        )
        place.oidc.allow_redirects("notebook", [server.callback_url])
        yield server
        server.stop()


def test_kernels(bench: Any, place: Place, server: JupyterServer) -> None:
    """They share a server's broker, and the provider takes its time."""
    place.hurry(late=False)
    with closing(JupyterUser(server)) as user:
        user.sign_in("prod")
    place.hurry(late=True)
    count, seconds = (64, 60) if bench.serious else (2, 3.5)
    with ExitStack() as ends:
        with ThreadPoolExecutor(3) as pool:
            started = list(pool.map(start_kernel, [server] * count))
        kernels = [ends.enter_context(ServerKernel(server, each)) for each in started]
        for cell in [(kernel, kernel.begin(IN_KERNEL)) for kernel in kernels]:
            assert cell[0].end(cell[1]) == "ready"
        order = Order(place.url, seconds, PAUSE)
        said, begin = json.loads(order.dumps()), time.time() + 1
        cells = [
            # Evenly spread: how long a call takes is to be the broker's doing, not the crowd's.
            (kernel, kernel.begin(USE.format(order=said, begin=begin + number * PAUSE / count)))
            for number, kernel in enumerate(kernels)
        ]
        tally = total([Tally(**json.loads(kernel.end(cell))) for kernel, cell in cells])
    show(bench, f"{count} kernels of one Jupyter server, {seconds:g} s", place, tally)
    is_perfect(place, tally)
    # The broker has all it needs by then: whoever waited longer has waited for a renewal.
    promise = f"the longest call, where a renewal takes {place.late:g} s"
    bench.limit(promise, tally.longest, at_most=place.late)


# -- Others ----------------------------------------------------------------------------------------


def flytekit(place: Place, home: Path) -> dict[str, Any]:
    """Put the tokens of a sign-in where flytekit keeps them; return what it must know."""
    profiles = Profiles(admin={"prod": place.profile("cli")}, user_file=None, flyte=False)
    tokens = asyncio.run(place.sign_in(Broker(profiles, Redirects())))
    assert tokens.refresh_token is not None
    held = {
        "access_token": tokens.access_token.reveal(),
        "refresh_token": tokens.refresh_token.reveal(),
    }
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": KEYRING}
    argv = [sys.executable, "-c", SEED]
    subprocess.run(argv, input=json.dumps(held), text=True, check=True, env=environment)
    issuer = place.oidc.issuer
    config = {
        "token_endpoint": f"{issuer}/token", "authorization_endpoint": f"{issuer}/auth",
        "redirect_uri": NOWHERE, "client_id": "cli", "scopes": [],
    }  # fmt: skip
    return {"endpoint": "platform.example", "config": config}


def msal(place: Place, home: Path) -> dict[str, Any]:
    """Sign in with msal itself; return what it must know."""
    place.oidc.allow_redirects("notebook", [NOWHERE])
    known = {
        "issuer": place.oidc.issuer, "client_id": "notebook", "cache": str(home / "msal.json"),
    }  # fmt: skip
    app = application(**known)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the way the browser comes back
        flow = app.initiate_auth_code_flow(["api"], redirect_uri=NOWHERE, prompt="consent")
    with ScriptedPerson() as person:
        back = person.answer(flow["auth_uri"].replace("https://", "http://"))
    found = app.acquire_token_by_auth_code_flow(flow, dict(parse_qsl(urlsplit(back).query)))
    assert "access_token" in found, found
    return {**known, "scopes": ["api"]}


@pytest.mark.parametrize("prepare", [flytekit, msal], ids=["flytekit", "msal"])
def test_processes_of_others(
    bench: Any,
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Place, Path], dict[str, Any]],
) -> None:
    """The same with another library, in the way it says; nothing is promised about it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    place.hurry(late=False)
    more = prepare(place, tmp_path)
    count, seconds = (32, 20) if bench.serious else (2, 1.5)
    name = prepare.__name__
    tally = together(f"{name}_peer", Order(place.url, seconds, PAUSE, more), count)
    show(bench, f"{count} processes, one home, {name} instead, {seconds:g} s", place, tally)


# -- A crowd ---------------------------------------------------------------------------------------


def test_a_crowd(bench: Any) -> None:
    """Two hundred threads, and two hundred tasks in five loops, on one token that has expired."""
    with tempfile.TemporaryDirectory() as directory, served(Path(directory)) as server:
        server.sign_in()
        source = TokenSource(server.client(), "prod")
        source.token()
        server.bench.clock.advance(301)
        source.forget()
        before = server.bench.refreshes()
        began = time.perf_counter()
        got = crowd(source, threads=200, loops=5, tasks=200)
        bench.note("200 threads and 200 tasks on an expired token", time.perf_counter() - began)
        assert len(got) == 400
        assert len({token.fingerprint for token in got}) == 1
        assert server.bench.refreshes() == before + 1
