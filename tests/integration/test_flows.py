"""Every flow but PKCE through the broker, with real programs, real providers and real kernels."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from fakes.provider import ec_key, rsa_key
from harness.broker import profile
from harness.environment import isolated
from harness.gate import Gate
from harness.http import loopback_client
from harness.scripted import ScriptedPerson
from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.clock import Clock
from platform_auth.broker.late_transport import LateTransport
from platform_auth.broker.local import LocalChannel
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.session import State
from platform_auth.config import PlatformConfig, Policy, Profiles
from platform_auth.connection import Connection, connect
from platform_auth.errors import (
    AccessDeniedError,
    InvalidClientError,
    PlatformAuthError,
    PolicyError,
    ProviderError,
    SignInExpiredError,
)
from platform_auth.oauth.driver import Driver
from platform_auth.oauth.flows.command import FAILURE_AGE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from harness.platform import Platform
    from harness.provider import OidcProvider
    from platform_auth.broker.access_token import AccessToken
    from platform_auth.broker.session import Session
    from platform_auth.sandbox import Sandbox

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the commands are shell scripts")


class SettableClock(Clock):
    """A clock that a test puts forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Program:
    """A shell script that counts how often it is started."""

    def __init__(self, directory: Path, name: str = "get-token") -> None:
        self.path = directory / name
        self._starts = directory / f"{name}.starts"

    def says(self, text: str) -> str:
        """Write it, and return its path."""
        lines = ("#!/bin/sh", f"echo >>'{self._starts}'", text, "")
        self.path.write_text("\n".join(lines))
        self.path.chmod(0o755)
        return str(self.path)

    @property
    def starts(self) -> int:
        return len(self._starts.read_bytes()) if self._starts.exists() else 0


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def command_profile(*argv: str) -> dict[str, Any]:
    return {
        "admin": {
            "endpoint": "https://platform.example",
            "authType": "ExternalCommand",
            "command": list(argv),
        }
    }


def with_broker(
    profiles: dict[str, Any],
    case: Callable[[Broker, SettableClock], Awaitable[None]],
    *,
    policy: Policy | None = None,
    clock: SettableClock | None = None,
    **options: Any,
) -> None:
    known = Profiles(admin=profiles, user_file=None, flyte=False, policy=policy or Policy())

    async def main() -> None:
        own = clock or SettableClock()
        broker = Broker(known, Redirects(), clock=own, **options)
        try:
            await case(broker, own)
        finally:
            await broker.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


async def wait_for(look: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not look():  # noqa: ASYNC110 - another process or thread brings it about
            await asyncio.sleep(0.01)


async def at_once(count: int, call: Callable[[], Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*(call() for _ in range(count)), return_exceptions=True)


# Client credentials


def service_profile(issuer: str, platform: str, client_id: str, **oauth: Any) -> dict[str, Any]:
    return {
        "admin": {
            "endpoint": platform,
            "insecure": True,
            "authType": "ClientSecret",
            "clientId": client_id,
            "scopes": ["api"],
        },
        "oauth": {"issuer": issuer, **oauth},
    }


def projects(platform: Platform, token: AccessToken) -> int:
    with loopback_client() as http:
        headers = {"Authorization": token.authorization}
        return http.get(f"{platform.url}/api/v1/projects", headers=headers).status_code


@pytest.mark.parametrize(
    ("client_id", "method"),
    [("service", "client_secret_basic"), ("service-post", "client_secret_post")],
)
def test_a_service_with_a_secret(
    oidc: OidcProvider, platform: Platform, client_id: str, method: str
) -> None:
    # All that a form encodes in another way than Basic alone would (RFC 6749 §2.3.1).
    secret = "p%41s:s+w rd/&=~'\\"
    oidc.register(client_id, client_secret=secret)

    async def case(broker: Broker, _clock: SettableClock) -> None:
        assert projects(platform, await broker.token("ci")) == 200

    oauth = {"client_secret": secret, "token_endpoint_auth_method": method}
    with_broker({"ci": service_profile(oidc.issuer, platform.url, client_id, **oauth)}, case)
    [request] = oidc.log("token")
    assert (request["client_auth"], request["scope"], request["outcome"]) == (method, "api", "ok")


@pytest.mark.parametrize("audience", ["issuer", "token_endpoint"])
@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_a_service_with_a_key(
    oidc: OidcProvider, platform: Platform, tmp_path: Path, kind: str, audience: str
) -> None:
    key = rsa_key() if kind == "RSA" else ec_key()
    (tmp_path / "client.pem").write_bytes(key.as_pem(private=True))
    oidc.register(
        "signer",
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="RS256" if kind == "RSA" else "ES256",
        jwks={"keys": [key.as_dict(private=False)]},
        redirect_uris=[],
        response_types=[],
        grant_types=["client_credentials"],
    )

    async def case(broker: Broker, _clock: SettableClock) -> None:
        token = await broker.token("ci")
        assert projects(platform, token) == 200
        await broker.token("ci", stale=token.fingerprint)

    oauth = {
        "private_key_file": str(tmp_path / "client.pem"),
        "client_assertion_audience": audience,
        "resource": [oidc.audience],
    }
    with_broker({"ci": service_profile(oidc.issuer, platform.url, "signer", **oauth)}, case)
    requests = [(entry["client_auth"], entry["outcome"]) for entry in oidc.log("token")]
    assert requests == [("private_key_jwt", "ok")] * 2  # the provider takes no jti twice
    assert oidc.log("token")[0]["resource"] == oidc.audience


def test_a_mounted_secret_may_rotate_under_a_running_broker(
    oidc: OidcProvider, platform: Platform, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    path.write_text(oidc.client_secret)

    async def case(broker: Broker, _clock: SettableClock) -> None:
        first = await broker.token("ci")
        oidc.register("service", client_secret="the-next-secret")
        path.write_text("the-next-secret\n")
        second = await broker.token("ci", stale=first.fingerprint)
        assert projects(platform, second) == 200

    profile = service_profile(oidc.issuer, platform.url, "service")
    profile["admin"]["clientSecretLocation"] = str(path)
    with_broker({"ci": profile}, case)


def test_a_wrong_secret_is_asked_about_once_however_many_want_a_token(oidc: OidcProvider) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        errors = await at_once(20, lambda: broker.token("ci"))
        assert {type(each) for each in errors} == {InvalidClientError}
        assert "not-the-secret" not in f"{errors}"

    oauth = {"client_secret": "not-the-secret"}
    profile = service_profile(oidc.issuer, "http://127.0.0.1:9", "service", **oauth)
    with_broker({"ci": profile}, case)
    assert [entry["outcome"] for entry in oidc.log("token")] == ["invalid_client"]


# Device flow


class Patience:
    """A broker's clock and drivers for which no time passes while they wait.

    The sandbox's clock is put forward with it; after the first wait, as many as ``early`` seem to
    the sandbox to be half as long.
    """

    def __init__(self, sandbox: Sandbox | None = None, *, early: int = 0) -> None:
        self._sandbox, self._clock = sandbox, SettableClock()
        self._shares = iter([1.0, *[0.5] * early])
        if sandbox is not None:
            sandbox.settings.device_lifetime = 10**6  # it passes quickly

    @property
    def options(self) -> dict[str, Any]:
        return {"clock": self._clock, "new_driver": self._driver}

    def _driver(self, config: PlatformConfig) -> Driver:
        return Driver(LateTransport(config), sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        if self._sandbox is None:
            await asyncio.sleep(0.02)
            return
        seconds *= next(self._shares, 1.0)
        self._clock.ahead += seconds
        # A little more there, or rounding would make a poll seem too early.
        await asyncio.to_thread(self._sandbox.advance, seconds + 0.001)


async def settled(broker: Broker, name: str) -> Session:
    """Return a session once nobody is waited for any more."""
    session = await broker.session(name)
    async with asyncio.timeout(30):
        while session.state is State.SIGNING_IN:
            await session.changed(session.revision, 5)
    return session


def polls(sandbox: Sandbox) -> list[str]:
    return [each.outcome for each in sandbox.requests if "device_code" in each.grant_type]


@pytest.mark.parametrize("approve", [True, False])
def test_a_code_entered_at_the_sandbox(sandbox: Sandbox, approve: bool) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        session = await broker.sign_in("demo-device")
        challenge = session.challenge
        assert challenge is not None
        assert challenge["interval"] == sandbox.settings.device_interval
        await wait_for(lambda: len(polls(sandbox)) > 2)
        url = challenge["verification_uri_complete"]
        await asyncio.to_thread(sandbox.approve_device_scripted, url, approve=approve)
        session = await settled(broker, "demo-device")
        if approve:
            assert session.state is State.SIGNED_IN
            assert session.identity is not None
            assert session.identity.label == "ada@example.com"
            assert (await broker.token("demo-device")).value
        else:
            assert isinstance(session.error, AccessDeniedError)

    with_broker(sandbox.profiles(), case, **Patience(sandbox).options)
    assert set(polls(sandbox)[:-1]) == {"authorization_pending"}
    assert polls(sandbox)[-1] == ("ok" if approve else "access_denied")


def test_a_server_that_is_asked_too_often_is_asked_less_often(sandbox: Sandbox) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        session = await broker.sign_in("demo-device")
        assert session.challenge is not None
        await wait_for(lambda: len(polls(sandbox)) > 4)
        url = session.challenge["verification_uri_complete"]
        await asyncio.to_thread(sandbox.approve_device_scripted, url)
        session = await settled(broker, "demo-device")
        assert session.state is State.SIGNED_IN, (session.error, polls(sandbox))

    with_broker(sandbox.profiles(), case, **Patience(sandbox, early=2).options)
    pending, slow_down = "authorization_pending", "slow_down"
    assert polls(sandbox)[:5] == [pending, slow_down, slow_down, pending, pending]


def test_a_code_that_nobody_enters_expires(sandbox: Sandbox) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        await broker.sign_in("demo-device")
        session = await settled(broker, "demo-device")
        assert isinstance(session.error, SignInExpiredError)
        assert session.state is State.FAILED

    patience = Patience(sandbox)
    sandbox.settings.device_lifetime = 30
    with_broker(sandbox.profiles(), case, **patience.options)
    assert polls(sandbox)[-1] in {"expired_token", "authorization_pending"}


def test_a_code_entered_at_the_certified_provider_through_all_faults(
    oidc: OidcProvider, platform: Platform
) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        for fault in ("drop", "html", "status"):
            oidc.fault(fault)
        session = await broker.sign_in("tv")
        assert session.challenge is not None
        await wait_for(lambda: len(oidc.log("token")) > 4)
        with ScriptedPerson() as ada:
            url = session.challenge["verification_uri_complete"]
            await asyncio.to_thread(ada.visit, url)
        session = await settled(broker, "tv")
        assert session.state is State.SIGNED_IN, session.error
        assert session.identity is not None
        assert session.identity.label == "ada@example.com"
        assert projects(platform, await broker.token("tv")) == 200

    tv = profile(oidc.issuer, platform.url)
    tv["admin"] |= {"authType": "DeviceFlow", "clientId": "device"}
    with_broker({"tv": tv}, case, **Patience().options)
    faults = [entry.get("fault") for entry in oidc.log("token")[:4]]
    assert faults == ["drop", "html", "status", None]


def test_calling_it_off_stops_asking_at_once(sandbox: Sandbox) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        await broker.sign_in("demo-device")
        await wait_for(lambda: polls(sandbox))
        await broker.cancel("demo-device")
        assert (await broker.session("demo-device")).state is State.SIGNED_OUT
        async with asyncio.timeout(1):
            await wait_for(lambda: len(asyncio.all_tasks()) == 1)

    with_broker(sandbox.profiles(), case, **Patience(sandbox).options)


_INTERRUPTED = """
import asyncio, json, threading, time
from platform_auth import connect
from platform_auth.broker.local import local_client

connection = connect("demo-device")
connection.status()
before = set(threading.enumerate())
try:
    connection.sign_in(show=lambda view: print(json.dumps(view["challenge"]), flush=True))
except KeyboardInterrupt:
    began = time.monotonic()
    state = connection.status()["state"]
    loop = local_client()._channel._loop
    while [task for task in asyncio.all_tasks(loop) if "_answer" not in repr(task)]:
        assert time.monotonic() - began < 1
    # The hands of the loop's pool and the one that writes the audit log stay; they ask nobody.
    stay = ("asyncio_", "platform-auth-audit")
    new = [each.name for each in set(threading.enumerate()) - before]
    left = [name for name in new if not name.startswith(stay)]
    print(json.dumps({"state": state, "threads": left}))
"""


def test_an_interrupted_program_leaves_no_poller(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text(json.dumps({"profiles": sandbox.profiles()}))
    env = isolated(tmp_path / "home", PLATFORM_AUTH_CONFIG=str(path))
    with subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED], env=env, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        challenge = json.loads(running.stdout.readline())
        assert challenge["kind"] == "device"
        interrupted = time.monotonic()
        running.send_signal(signal.SIGINT)
        left = json.loads(running.stdout.readline())
        assert time.monotonic() - interrupted < 3
    assert left == {"state": "signed_out", "threads": []}
    assert running.returncode == 0


# Command


@pytest.mark.parametrize("first", ["token", "sign_in"])
def test_twenty_callers_at_once_start_the_command_once(program: Program, first: str) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        second = {"token": "sign_in", "sign_in": "token"}[first]
        calls = (getattr(broker, way)("tool") for way in [first, second] * 10)
        answers = await asyncio.gather(*calls)
        tokens, sessions = (answers[::2], answers[1::2])[:: 1 if first == "token" else -1]
        assert {each.value.reveal() for each in tokens} == {"the-token"}
        assert {each.state for each in sessions} == {State.SIGNED_IN}
        assert program.starts == 1

    with_broker({"tool": command_profile(program.says("echo the-token"))}, case)


@pytest.mark.parametrize("way", ["token", "sign_in"])
def test_its_failure_is_shared_and_lasts_a_while(program: Program, way: str) -> None:
    async def case(broker: Broker, clock: SettableClock) -> None:
        errors = await at_once(20, lambda: getattr(broker, way)("tool"))
        assert {str(each) for each in errors} == {str(errors[0])}
        assert isinstance(errors[0], ProviderError)
        assert errors[0].why == "It said: no network"
        with pytest.raises(ProviderError, match="no network"):
            await broker.token("tool")
        clock.ahead += FAILURE_AGE - 1
        with pytest.raises(ProviderError, match="no network"):
            await broker.token("tool")
        assert program.starts == 1
        clock.ahead += 2
        program.says("echo the-token")
        assert (await broker.token("tool")).value.reveal() == "the-token"
        assert program.starts == 2

    with_broker({"tool": command_profile(program.says("echo no network >&2; exit 1"))}, case)


def test_a_person_who_repaired_it_need_not_wait(program: Program) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        with pytest.raises(ProviderError):
            await broker.token("tool")
        program.says("echo the-token")
        session = await broker.sign_in("tool")
        assert session.state is State.SIGNED_IN

    with_broker({"tool": command_profile(program.says("exit 1"))}, case)


def test_its_token_serves_until_it_expires(program: Program) -> None:
    async def case(broker: Broker, clock: SettableClock) -> None:
        token = (await broker.token("tool")).value.reveal()
        clock.ahead += 290
        assert (await broker.token("tool")).value.reveal() == token
        assert program.starts == 1
        clock.ahead += 300
        assert (await broker.token("tool")).value.reveal() != token
        assert program.starts == 2

    count = f"$(wc -c <'{program.path}.starts' | tr -d ' ')"
    shape = f'printf \'{{"access_token": "token-%s", "expires_in": 600}}\' "{count}"'
    with_broker({"tool": command_profile(program.says(shape))}, case)


def test_a_token_that_the_platform_refuses_is_made_anew(program: Program) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        first = await broker.token("tool")
        await at_once(20, lambda: broker.token("tool", stale=first.fingerprint))
        assert program.starts == 2

    with_broker({"tool": command_profile(program.says("date +%s%N"))}, case)


def test_calling_it_off_ends_the_command(program: Program, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    async def case(broker: Broker, _clock: SettableClock) -> None:
        asking = asyncio.create_task(broker.sign_in("tool"))
        with await asyncio.to_thread(fifo.open) as held_open:
            await broker.cancel("tool")
            with pytest.raises(PlatformAuthError, match="called off"):
                await asking
            assert await asyncio.to_thread(held_open.read) == ""  # whoever held it is gone

    with_broker({"tool": command_profile(program.says(f"exec 3>'{fifo}'; sleep 1000"))}, case)


@pytest.mark.parametrize("setting", ["command", "proxyCommand"])
def test_the_administrator_can_forbid_commands(program: Program, setting: str) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        profile = command_profile(program.says("echo the-token"))
        profile["admin"][setting] = profile["admin"].pop("command")
        with pytest.raises(PolicyError, match="would run a program"):
            await broker.put("mine", profile)
        assert (await broker.token("tool")).value.reveal() == "the-token"  # the admin's own
        assert program.starts == 1

    policy = Policy(allow_commands=False)
    with_broker({"tool": command_profile(program.says("echo the-token"))}, case, policy=policy)


# A proxy in front of the platform


class Iap:
    """A platform behind a proxy, and the program that makes tokens for it."""

    def __init__(self, gate: Gate, program: Program, profile: dict[str, Any]) -> None:
        self.gate, self.program, self.clock = gate, program, SettableClock()
        self.takes("first")
        profile["admin"]["proxyCommand"] = [str(program.path)]
        known = Profiles(admin={"ci": profile}, user_file=None, flyte=False)
        self._channel = LocalChannel(Broker(known, Redirects(), clock=self.clock))
        self.connection = Connection(BrokerClient(self._channel), "ci")

    def takes(self, token: str) -> None:
        """Let the proxy take this token, and the program print it, from now on."""
        self.gate.taken = {token}
        self.program.says(f"echo {token}")
        self.clock.ahead += 60

    def get(self, path: str = "/api/v1/projects", *, asynchronous: bool = False) -> int:
        if not asynchronous:
            with self.connection.http() as http:
                return http.get(path).status_code

        async def get() -> int:
            async with self.connection.http_async() as http:
                return (await http.get(path)).status_code

        return asyncio.run(get())

    def close(self) -> None:
        self._channel.close()


@contextmanager
def behind_proxy(gate: Gate, program: Program, profile: dict[str, Any]) -> Iterator[Iap]:
    iap = Iap(gate, program, profile)
    yield iap
    iap.close()


def gated_profile(sandbox: Sandbox, gate: Gate, token_endpoint: str) -> dict[str, Any]:
    profile: dict[str, Any] = sandbox.profiles()["demo-service"]
    profile["admin"]["endpoint"] = gate.url
    profile["oauth"] = {
        "client_secret": profile["oauth"]["client_secret"],
        "token_endpoint": token_endpoint,
    }
    return profile


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    "refusal", [(407, {}), (401, {"X-Goog-IAP-Generated-Response": "true"})], ids=["407", "iap"]
)
def test_every_request_passes_the_proxy_in_front_of_the_platform(
    sandbox: Sandbox, program: Program, refusal: tuple[int, dict[str, str]], asynchronous: bool
) -> None:
    with Gate(sandbox.platform_url, token=sandbox.issuer) as gate:
        gate.refusal = refusal
        profile = gated_profile(sandbox, gate, f"{gate.url}/token")
        with behind_proxy(gate, program, profile) as iap:
            assert iap.get(asynchronous=asynchronous) == 200
            assert gate.seen == [
                ("/token", "Bearer first"),
                ("/api/v1/projects", "Bearer first"),
            ]
            iap.takes("second")  # a call of a client's is refused, ...
            assert iap.get(asynchronous=asynchronous) == 200
            iap.takes("third")
            iap.clock.ahead += 300
            iap.connection.tokens.forget()  # ... and then a request for a token is
            assert iap.get(asynchronous=asynchronous) == 200
            assert program.starts == 3
            assert [each.outcome for each in sandbox.requests] == ["ok", "ok"]


def test_twenty_calls_that_the_proxy_refuses_make_one_token(
    sandbox: Sandbox, program: Program
) -> None:
    with Gate(sandbox.platform_url, token=sandbox.issuer) as gate:
        profile = gated_profile(sandbox, gate, f"{gate.url}/token")
        with behind_proxy(gate, program, profile) as iap:
            iap.get("/healthz")
            iap.takes("second")
            with ThreadPoolExecutor(20) as pool:
                answers = list(pool.map(lambda _: iap.get("/healthz"), range(20)))
            assert answers == [200] * 20
            assert program.starts == 2


def test_a_proxy_that_refuses_for_good_gives_its_answer(sandbox: Sandbox, program: Program) -> None:
    with Gate(sandbox.platform_url) as gate:
        profile = gated_profile(sandbox, gate, f"{sandbox.issuer}/token")
        with behind_proxy(gate, program, profile) as iap:
            assert iap.get() == 200
            gate.taken = set()
            iap.clock.ahead += 60
            assert iap.get() == 407
            assert len(gate.seen) == 2  # the program printed the same token again
            program.says("exit 1")
            iap.clock.ahead += 60
            with pytest.raises(ProviderError, match="get-token"):
                iap.get()


def test_whichever_of_both_tokens_ends_first_decides(sandbox: Sandbox, program: Program) -> None:
    with Gate(sandbox.platform_url) as gate:
        profile = gated_profile(sandbox, gate, f"{sandbox.issuer}/token")
        with behind_proxy(gate, program, profile) as iap:
            program.says('echo \'{"access_token": "first", "expires_in": 20}\'')
            token = iap.connection.tokens.token()
            assert 15 < token.remaining <= 20
            assert token.lifetime == 20
            assert token.headers["proxy-authorization"] == "Bearer first"
            assert "first" not in repr(token)


def test_a_redirect_takes_the_proxys_token_nowhere(sandbox: Sandbox, program: Program) -> None:
    with Gate(sandbox.platform_url) as gate, Gate(sandbox.platform_url) as elsewhere:
        gate.redirects["/away"] = f"{elsewhere.url}/healthz"
        profile = gated_profile(sandbox, gate, f"{sandbox.issuer}/token")
        with behind_proxy(gate, program, profile) as iap, iap.connection.http() as http:
            assert http.get("/away", follow_redirects=True).status_code == 200
        assert gate.seen == [("/away", "Bearer first")]
        assert elsewhere.seen == [("/healthz", None)]


def test_an_identity_provider_elsewhere_never_sees_the_proxys_token(
    sandbox: Sandbox, program: Program
) -> None:
    with Gate(sandbox.platform_url) as gate, Gate(sandbox.issuer) as elsewhere:
        profile = gated_profile(sandbox, gate, f"{elsewhere.url}/token")
        with behind_proxy(gate, program, profile) as iap:
            assert iap.get() == 200
            with iap.connection.http() as http:
                assert http.get(f"{elsewhere.url}/.well-known/openid-configuration").is_success
    assert [given for _path, given in elsewhere.seen] == [None, None]
    assert gate.seen == [("/api/v1/projects", "Bearer first")]


# Commands from code


class Taken:
    """A broker that only takes profiles in."""

    def __init__(self) -> None:
        self.configs: list[Mapping[str, Any]] = []

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> tuple[int, dict[str, Any]]:
        assert body is not None
        self.configs.append(body["config"]["admin"])
        return 200, {"profile": path.rpartition("/")[2]}


def test_paths_of_a_command_mean_the_same_in_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Taken()
    monkeypatch.setattr("platform_auth.connection.default_client", lambda: BrokerClient(broker))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    words = ["./get.sh", "./a.json", "../b.json", "prod", "a/b", "--file=./c"]
    connect(PlatformConfig("host", command=words, proxy_command=["~/iap", "x"]))
    connect(PlatformConfig("host", command=["python", "./get.py"]))
    first, second = broker.configs
    here = [str(tmp_path / name) for name in ("get.sh", "a.json", "../b.json")]
    assert first["command"] == [*here, "prod", "a/b", "--file=./c"]
    assert first["proxyCommand"] == ["/home/ada/iap", "x"]
    assert second["command"] == ["python", str(tmp_path / "get.py")]
