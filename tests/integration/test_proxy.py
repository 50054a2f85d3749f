"""HTTP proxies: a real one, in front of a provider that cannot be reached without.

The provider's name is known to nobody but the proxies' gateway: whatever gets there has come
through a proxy.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import pytest

from fakes.bench import HERE
from fakes.certificates import authority
from harness.environment import isolated, program
from harness.forward_proxy import Elsewhere, ForwardProxy
from harness.provider import OidcProvider
from harness.scripted import ScriptedPerson
from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.late_transport import LateTransport
from platform_auth.broker.local import LocalChannel
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.session import State
from platform_auth.config import Profiles
from platform_auth.connection import Connection
from platform_auth.errors import PlatformAuthError, ProxyError, TLSError, TransportError
from platform_auth.oauth.driver import Driver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from platform_auth.config import PlatformConfig

ISSUER, ID, FLYTE = "https://id.example.test", "id.example.test", "flyte.example.test"
PASSWORD = "hunter2"
CALLBACK = "http://127.0.0.1:8888/callback"
METADATA = {"discovery", "oauth_metadata"}
BACK_CHANNEL = {*METADATA, "token", "jwks", "revocation", "device_authorization"}


class Far(NamedTuple):
    """What is far away: the provider, the gateway to it, and the CA that everybody there has."""

    oidc: OidcProvider
    elsewhere: Elsewhere
    person: ScriptedPerson
    ca: Path


class Api(BaseHTTPRequestHandler):
    """A platform that takes everybody."""

    def do_GET(self) -> None:
        body = json.dumps({"authorization": self.headers["Authorization"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""


@contextmanager
def platform() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def far_away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    directory = tmp_path_factory.mktemp("far")
    ca = directory / "ca.pem"
    ca.write_bytes(authority().pem)
    oidc = OidcProvider(directory, issuer=ISSUER)
    with platform() as api:
        hosts = {
            host: (port, authority().server(directory, host=host))
            for host, port in ((ID, oidc.port), (FLYTE, api))
        }
        # The person's browser has a way of its own, so that what comes by the other is ours.
        with Elsewhere(hosts) as elsewhere, Elsewhere(hosts) as theirs, ScriptedPerson() as person:
            person.http.close()
            trusted = ssl.create_default_context(cafile=ca)
            person.http = httpx2.Client(proxy=theirs.gateway, verify=trusted, trust_env=False)
            yield Far(oidc, elsewhere, person, ca)
    oidc.stop()


@pytest.fixture
def far(far_away: Far) -> Far:
    far_away.oidc.reset()
    far_away.oidc.allow_redirects("notebook", [CALLBACK])
    far_away.elsewhere.visits.clear()
    far_away.person.http.cookies.clear()
    return far_away


@pytest.fixture
def proxy(far: Far, tmp_path: Path) -> Iterator[ForwardProxy]:
    """Run a proxy that demands a password."""
    with ForwardProxy(tmp_path / "proxy", far.elsewhere, PASSWORD) as proxy:
        yield proxy


@pytest.fixture
def open_proxy(far: Far, tmp_path: Path) -> Iterator[ForwardProxy]:
    """Run a proxy that asks nobody anything."""
    with ForwardProxy(tmp_path / "open-proxy", far.elsewhere) as proxy:
        yield proxy


def profiles(far: Far, url: str | None, **admin: Any) -> dict[str, Any]:
    def one(flow: str, client: str, *scopes: str, **oauth: str) -> dict[str, Any]:
        usual = {
            "endpoint": f"https://{FLYTE}",
            "authType": flow,
            "clientId": client,
            "scopes": list(scopes),
            "caCertFilePath": str(far.ca),
            **({"httpProxyURL": url} if url else {}),
            **admin,
        }
        return {"admin": usual, "oauth": {"issuer": ISSUER, **oauth}}

    return {
        "person": one("Pkce", "notebook", "openid", "email", "offline_access", "api"),
        "device": one("DeviceFlow", "device", "openid", "offline_access"),
        "service": one("ClientSecret", "service", "api", client_secret=far.oidc.client_secret),
    }


def with_broker(known: dict[str, Any], case: Callable[[Broker], Awaitable[None]]) -> None:
    async def main() -> None:
        broker = Broker(
            Profiles(admin=known, user_file=None, flyte=False), Redirects(), new_driver=_driver
        )
        try:
            await asyncio.wait_for(case(broker), 60)
        finally:
            await broker.close()

    asyncio.run(main())


def _driver(config: PlatformConfig) -> Driver:
    return Driver(LateTransport(config), sleep=lambda _seconds: asyncio.sleep(0.02))


async def failure(work: Awaitable[object]) -> PlatformAuthError:
    with pytest.raises(PlatformAuthError) as caught:
        await work
    return caught.value


async def sign_in(broker: Broker, far: Far) -> None:
    url = await broker.begin("person", CALLBACK, HERE)
    await broker.complete(await asyncio.to_thread(far.person.answer, url), HERE)


def endpoints(far: Far) -> list[tuple[str, str | None]]:
    """Return what the provider was asked by programs, and how it went."""
    entries = [each for each in far.oidc.log() if each["endpoint"] in BACK_CHANNEL]
    expected = {
        "ok",
        "authorization_pending",
        "unsupported_token_type",  # to revoke a JSON Web Token, which nothing can
    }
    found = [each for each in entries if each["endpoint"] != "oauth_metadata"]
    assert {each["outcome"] for each in found} <= expected
    return [(each["endpoint"], each.get("grant_type")) for each in entries]


def assert_all_came_through(far: Far, proxy: ForwardProxy) -> None:
    asked = endpoints(far)
    assert asked
    assert proxy.asked() == [f"CONNECT {ID}:443"] * len(asked)
    assert far.elsewhere.visits == [f"{ID}:443"] * len(asked)


# -- all flows -----------------------------------------------------------------------------------


@pytest.fixture(params=["with a password", "open"])
def either(request: pytest.FixtureRequest) -> tuple[ForwardProxy, str]:
    """Return a proxy and the way to name it."""
    name, password = {"open": ("open_proxy", ""), "with a password": ("proxy", PASSWORD)}[
        request.param
    ]
    proxy: ForwardProxy = request.getfixturevalue(name)
    return proxy, proxy.url(password)


def test_a_person_signs_in_stays_signed_in_and_signs_out(
    far: Far, either: tuple[ForwardProxy, str]
) -> None:
    proxy, url = either

    async def case(broker: Broker) -> None:
        await sign_in(broker, far)
        token = await broker.token("person")
        assert (await broker.token("person", stale=token.fingerprint)).value != token.value
        await broker.sign_out("person")

    with_broker(profiles(far, url), case)
    asked = endpoints(far)
    assert ("token", "authorization_code") in asked
    assert ("token", "refresh_token") in asked
    assert {name for name, _ in asked} == {"discovery", "token", "jwks", "revocation"}
    assert_all_came_through(far, proxy)


def test_a_code_is_entered_on_another_device(far: Far, either: tuple[ForwardProxy, str]) -> None:
    proxy, url = either

    async def case(broker: Broker) -> None:
        session = await broker.sign_in("device")
        assert session.challenge is not None
        address = session.challenge["verification_uri_complete"]
        await asyncio.to_thread(far.person.visit, address)
        while session.state is State.SIGNING_IN:
            await session.changed(session.revision, 5)
        assert session.state is State.SIGNED_IN, session.error

    with_broker(profiles(far, url), case)
    assert {name for name, _ in endpoints(far)} >= {"discovery", "device_authorization", "token"}
    assert_all_came_through(far, proxy)


def test_a_service_gets_its_token(far: Far, either: tuple[ForwardProxy, str]) -> None:
    proxy, url = either

    async def case(broker: Broker) -> None:
        assert (await broker.token("service")).value

    with_broker(profiles(far, url), case)
    assert ("token", "client_credentials") in endpoints(far)
    assert_all_came_through(far, proxy)


def test_the_environments_proxy_serves_where_the_profile_has_none(
    far: Far, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url(PASSWORD))

    async def case(broker: Broker) -> None:
        await broker.token("service")

    with_broker(profiles(far, None), case)
    assert_all_came_through(far, proxy)


def test_the_profiles_proxy_comes_before_the_environments(
    far: Far, proxy: ForwardProxy, open_proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", open_proxy.url())

    async def case(broker: Broker) -> None:
        await broker.token("service")

    with_broker(profiles(far, proxy.url(PASSWORD)), case)
    assert_all_came_through(far, proxy)
    assert open_proxy.asked() == []


# -- proxies that do not help --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "words"),
    [("wrong-CANARY", "does not accept the user name"), ("", "wants a user name and password")],
)
def test_a_proxy_that_does_not_know_us_is_named_once_and_its_password_never(
    far: Far, proxy: ForwardProxy, password: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def case(broker: Broker) -> None:
        error = await failure(broker.token("service"))
        assert isinstance(error, ProxyError)
        assert not error.retryable
        assert words in error.what
        assert (f"http://ada@{proxy.host}" if password else f"http://{proxy.host}") in error.what
        assert ("401" if password else "407") in error.why  # as tinyproxy has it
        assert "admin.httpProxyURL" in error.fix
        assert "CANARY" not in f"{error} {caplog.text}"

    with_broker(profiles(far, proxy.url(password)), case)
    assert len(proxy.asked()) == 1
    assert far.oidc.log() == []


def test_a_proxy_that_is_down_is_blamed_and_nobody_is_signed_out(far: Far, tmp_path: Path) -> None:
    async def case(broker: Broker) -> None:
        await sign_in(broker, far)
        token = await broker.token("person")
        await asyncio.to_thread(proxy.child.stop)
        error = await failure(broker.token("person", stale=token.fingerprint))
        assert isinstance(error, ProxyError)
        assert error.retryable
        assert f"http://ada@{proxy.host}" in error.what
        assert PASSWORD not in str(error)
        assert (await broker.session("person")).state is State.SIGNED_IN
        assert (await broker.token("person")).value == token.value

    with ForwardProxy(tmp_path / "proxy", far.elsewhere, PASSWORD) as proxy:
        with_broker(profiles(far, proxy.url(PASSWORD)), case)


def test_a_proxy_that_cannot_get_there_says_where(far: Far, open_proxy: ForwardProxy) -> None:
    async def case(broker: Broker) -> None:
        error = await failure(broker.token("service"))
        assert isinstance(error, ProxyError)
        assert "https://nobody.example.test" in error.what
        assert f"http://{open_proxy.host}" in error.what
        assert error.retryable

    known = profiles(far, open_proxy.url())
    known["service"]["oauth"]["issuer"] = "https://nobody.example.test"
    with_broker(known, case)


def test_who_is_exempt_goes_directly(
    far: Far, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so gets nowhere here, as there is no other way."""
    monkeypatch.setenv("NO_PROXY", "other.test, .example.test")

    async def case(broker: Broker) -> None:
        error = await failure(broker.token("service"))
        assert isinstance(error, TransportError)
        assert not isinstance(error, ProxyError)
        assert proxy.host not in str(error)

    with_broker(profiles(far, proxy.url(PASSWORD)), case)
    assert proxy.asked() == far.elsewhere.visits == []


# -- what else is in between ---------------------------------------------------------------------


def test_certificates_are_checked_behind_a_proxy_too(far: Far, open_proxy: ForwardProxy) -> None:
    async def case(broker: Broker) -> None:
        error = await failure(broker.token("service"))
        assert isinstance(error, TLSError)
        assert ISSUER in error.what
        assert "a test's authority" in error.what  # who signed it is seen through the tunnel
        assert "caCertFilePath" in error.fix

    with_broker(profiles(far, open_proxy.url(), caCertFilePath=None), case)
    assert far.oidc.log() == []


@pytest.mark.parametrize("way", ["SSL_CERT_FILE", "insecureSkipVerify"])
def test_other_ways_to_trust_work_behind_a_proxy_too(
    far: Far, open_proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    admin: dict[str, Any] = {"caCertFilePath": None}
    if way == "SSL_CERT_FILE":
        monkeypatch.setenv(way, str(far.ca))
    else:
        admin[way] = True

    async def case(broker: Broker) -> None:
        await broker.token("service")

    with_broker(profiles(far, open_proxy.url(), **admin), case)
    assert_all_came_through(far, open_proxy)


def test_calls_of_the_platform_go_by_the_environment(
    far: Far, proxy: ForwardProxy, open_proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``http_proxy_url`` is the identity provider's alone, as flytekit has it."""
    monkeypatch.setenv("HTTPS_PROXY", open_proxy.url())
    known = Profiles(admin=profiles(far, proxy.url(PASSWORD)), user_file=None, flyte=False)
    channel = LocalChannel(Broker(known, Redirects()))
    connection = Connection(BrokerClient(channel), "service")
    with connection.http() as http:
        assert http.get("/me").json()["authorization"].startswith("Bearer ")

    async def twin() -> int:
        async with connection.http_async() as http:
            return (await http.get("/me")).status_code

    assert asyncio.run(twin()) == 200
    channel.close()
    assert set(proxy.asked()) == {f"CONNECT {ID}:443"}
    assert open_proxy.asked() == [f"CONNECT {FLYTE}:443"] * 2
    assert PASSWORD not in repr(connection.config)
    assert connection.config.http_proxy_url == proxy.url()


def test_the_command_line_goes_through_it_and_never_shows_the_password(
    far: Far, proxy: ForwardProxy, tmp_path: Path
) -> None:
    file = tmp_path / "profiles.yaml"
    known = profiles(far, proxy.url(PASSWORD))
    file.write_text(json.dumps({"default": "service", "profiles": known}))
    file.chmod(0o600)
    env = isolated(tmp_path / "home", PLATFORM_AUTH_CONFIG=str(file))
    said = []
    for command in (["token", "service"], ["status", "--json"], ["profiles"], ["doctor"]):
        argv = [program("platform-auth"), *command]
        said.append(
            subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
        )
    assert said[0].stdout.count(".") == 2, said[0].stderr  # a JSON Web Token
    assert PASSWORD not in "".join(each.stdout + each.stderr for each in said)
    assert set(proxy.asked()) >= {f"CONNECT {ID}:443"}
