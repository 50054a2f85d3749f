"""What authentication adds to a call, how soon the first one is answered, and what expiries cost.

Beside it, in the same run: what flytekit itself takes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import timeit
from typing import TYPE_CHECKING, Any

import flyte.remote
import grpc
import httpx2
import pytest
from flyteidl.admin import project_pb2
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flytekit.clients.auth.authenticator import Authenticator
from flytekit.clients.auth_helper import register_authenticator_plugin
from flytekit.clients.friendly import SynchronousFlyteClient
from flytekit.configuration import PlatformConfig as FlytePlatformConfig

from fakes.flyte_platform import FlytePlatform, flyte2_platform, flyte_platform
from harness.provider import OidcProvider
from harness.strict import Strict, Tally, busy, one_refresh_for_each_token, signed_in
from platform_auth.clients.grpc import channel
from platform_auth.clients.http import http_client
from platform_auth.testing.clients import RenewingTokens, http_platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from conftest import Bench
    from platform_auth.connection import Connection

REQUEST = project_pb2.ProjectListRequest(limit=10)
TOKEN = (("authorization", "Bearer token-1"),)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FlytePlatform]:
    with flyte_platform(tmp_path) as served:
        yield served


class Static(Authenticator):
    """The least that flytekit's chain can ask for a token."""

    def __init__(self, config: FlytePlatformConfig, _: object) -> None:
        super().__init__(config.endpoint, None)

    def fetch_grpc_call_auth_metadata(self) -> tuple[str, str]:
        return TOKEN[0]

    def refresh_credentials(self) -> None:
        raise AssertionError("no token is refused here")


def flytekits_own(platform: FlytePlatform) -> SynchronousFlyteClient:
    register_authenticator_plugin("static", Static)
    return SynchronousFlyteClient(
        FlytePlatformConfig(
            endpoint=platform.config.endpoint,
            ca_cert_file_path=str(platform.ca),
            auth_mode="static",
        )
    )


def interleaved(bench: Bench, works: Mapping[str, Callable[[], object]]) -> list[float]:
    """Return the seconds that a call of each takes, in the median of many rounds.

    A round has some calls of each, so that what else the machine does meets all of them.
    """
    rounds, calls = (200, 10) if bench.serious else (1, 1)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(timeit.timeit(work, number=calls) / calls)
    return [bench.note(name, statistics.median(each)) for name, each in times.items()]


def test_a_grpc_call(bench: Bench, platform: FlytePlatform) -> None:
    credentials = grpc.ssl_channel_credentials(platform.ca.read_bytes())
    with (
        grpc.secure_channel(platform.config.endpoint, credentials) as bare,
        channel(platform.config, RenewingTokens()) as ours,
    ):
        plain, signed = (AdminServiceStub(each) for each in (bare, ours))
        theirs = flytekits_own(platform)._stub
        floor, mine, peer = interleaved(
            bench,
            {
                "gRPC call: bare": lambda: plain.ListProjects(REQUEST, metadata=TOKEN),
                "gRPC call: ours": lambda: signed.ListProjects(REQUEST),
                "gRPC call: flytekit's chain": lambda: theirs.ListProjects(REQUEST),
            },
        )
    # Parts of a call's own time: a machine that is busy takes longer for both.
    bench.limit("ours over bare", mine - floor, at_most=0.4 * floor)
    bench.limit("flytekit's over bare", peer - floor, at_most=1)
    bench.limit("ours over flytekit's", mine - peer, at_most=0.04 * floor)


def test_an_http_call(bench: Bench) -> None:
    with (
        http_platform() as platform,
        httpx2.Client(base_url=platform.config.base_url, headers=dict(TOKEN)) as bare,
        http_client(platform.config, RenewingTokens()) as ours,
    ):
        floor, mine = interleaved(
            bench,
            {
                "HTTP call: bare httpx2": lambda: bare.get("/x"),
                "HTTP call: ours": lambda: ours.get("/x"),
            },
        )
    bench.limit("ours over bare", mine - floor, at_most=0.2 * floor)


# The first call


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    provider = OidcProvider(tmp_path_factory.mktemp("oidc"))
    yield provider
    provider.stop()


@pytest.fixture
def oidc(provider: OidcProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OidcProvider:
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(tmp_path / "profiles.yaml"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    provider.reset()
    return provider


FIRST_CALL = """
import sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "platform_auth")
start = time.perf_counter()
shell.run_line_magic("platform_login", "prod --client " + sys.argv[1])
exec(sys.argv[2], shell.user_ns)
print("seconds", time.perf_counter() - start)
"""
CALLS = {
    "http": "client.post('/flyteidl2.auth.IdentityService/UserInfo', json={}).raise_for_status()",
    "grpc": "client.unary_unary('/flyteidl.service.IdentityService/UserInfo')(b'')",
    "flytekit": "assert client.list_projects()",
    "flyte": "import flyte.remote; assert flyte.remote.User.get().subject()",
}
FLYTEKITS_OWN = """
import os, sys, time
start = time.perf_counter()
from flytekit.configuration import AuthType, Config, PlatformConfig
from flytekit.remote import FlyteRemote
platform = PlatformConfig(
    endpoint=sys.argv[1], ca_cert_file_path=sys.argv[2], auth_mode=AuthType.CLIENTSECRET,
    client_id="service", client_credentials_secret=os.environ["SECRET"], scopes=["api"],
)
assert FlyteRemote(Config(platform=platform)).list_projects()
print("seconds", time.perf_counter() - start)
"""


def seconds(bench: Bench, *argv: str) -> float:
    """Return what a fresh process says of the time it took, in the median of some."""
    times = []
    for _ in range(7 if bench.serious else 1):
        done = subprocess.run(
            [sys.executable, "-c", *argv], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        times.append(float(done.stdout.rpartition("seconds ")[2]))
    return statistics.median(times)


def test_the_first_call(
    bench: Bench, oidc: OidcProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {}
    for serve, kinds in (
        (flyte2_platform, ("http", "flyte")),
        (flyte_platform, ("grpc", "flytekit")),
    ):
        with serve(tmp_path) as platform, signed_in(oidc, platform, tmp_path):
            for kind in kinds:
                ours[kind] = seconds(bench, FIRST_CALL, kind, CALLS[kind])
    monkeypatch.setenv("SECRET", oidc.client_secret)
    with flyte_platform(tmp_path) as platform:
        platform.metadata = {"issuer": oidc.issuer, "token_endpoint": f"{oidc.issuer}/token"}
        theirs = seconds(bench, FLYTEKITS_OWN, platform.endpoint, str(platform.ca))
        assert platform.tokens[-1]
    bench.note("FlyteRemote, its own client credentials: the first call answered", theirs)
    for kind, took in ours.items():
        ratio = f"{took / theirs:.2f} times that"
        bench.note(f"%platform_login --client {kind}, signed in: the same ({ratio})", took)
    bench.limit("flytekit with ours over flytekit alone", ours["flytekit"] - theirs, at_most=0.5)


# Expiries

LIFETIME, A_MINUTE = 10, 60.0
CALL_BY_PLAIN_CONFIG = """
import json, sys
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote
from harness.strict import busy
remote = FlyteRemote(Config.auto(sys.argv[1]), "flytesnacks", "development")
tally = busy(remote.client.list_projects_paginated, float(sys.argv[2]))
print(json.dumps([tally.calls, tally.failures]))
"""


def by_flytekit(connection: Connection, _: FlytePlatform, length: float) -> Tally:
    return busy(connection.flytekit().client.list_projects_paginated, length)


def by_flyte(connection: Connection, _: FlytePlatform, length: float) -> Tally:
    connection.flyte()
    return busy(flyte.remote.User.get, length)


def by_auth_type(_: Connection, platform: FlytePlatform, length: float) -> Tally:
    config = platform.ca.with_name("config.yaml")
    admin = {
        "endpoint": f"dns:///{platform.endpoint}",
        "caCertFilePath": str(platform.ca),
        "authType": "platform_auth",
    }
    config.write_text(json.dumps({"admin": admin}), encoding="utf-8")
    argv = [sys.executable, "-c", CALL_BY_PLAIN_CONFIG, str(config), str(length)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    calls, failures = json.loads(done.stdout.splitlines()[-1])
    return Tally(calls, tuple(failures))


@pytest.mark.parametrize(
    ("name", "serve", "call"),
    [
        ("flytekit", flyte_platform, by_flytekit),
        ("the Flyte 2 SDK", flyte2_platform, by_flyte),
        ("authType: platform_auth", flyte_platform, by_auth_type),
    ],
)
def test_a_minute_in_which_tokens_expire(
    bench: Bench, oidc: OidcProvider, tmp_path: Path, name: str, serve: Any, call: Any
) -> None:
    oidc.settings(access_token_ttl=LIFETIME)
    strict = Strict(oidc)
    with (
        serve(tmp_path) as platform,
        signed_in(oidc, strict.attach(platform), tmp_path) as connection,
    ):
        tally = call(connection, platform, A_MINUTE if bench.serious else 0.2)
    made = one_refresh_for_each_token(oidc, strict, LIFETIME)
    ended = sum(expires <= time.time() for expires in strict.expires.values())
    bench.tell(f"{name}: calls in a minute, 8 threads, tokens of {LIFETIME} s", str(tally.calls))
    bench.tell("  failed", str(len(tally.failures)))
    bench.tell("  tokens used, of which expired", f"{len(strict.expires)}, {ended}")
    bench.tell("  refreshes", str(made))
    assert tally.failures == ()
    assert tally.calls > 0
