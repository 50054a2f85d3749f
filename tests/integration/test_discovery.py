"""Signing in knows no more than an endpoint: real platforms say how, in each of their ways."""

from __future__ import annotations

import subprocess
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import pytest
from flyteidl.service import identity_pb2, identity_pb2_grpc

from fakes.certificates import authority
from harness.broker import broker_client
from harness.environment import isolated, program
from harness.flyte_platform import REDIRECT_URI, FlytePlatform
from harness.jupyter_user import JupyterUser
from harness.ports import free_port
from harness.scripted import ScriptedPerson
from harness.verifier import Verifier
from platform_auth import PlatformConfig, connect
from platform_auth.broker import local
from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.local import LocalChannel
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.stores.memory import MemoryStore
from platform_auth.clients import kind_for
from platform_auth.config import Profiles
from platform_auth.errors import DiscoveryError, SignInRequiredError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.jupyter import JupyterServer
    from harness.provider import OidcProvider
    from platform_auth.connection import Connection

ADA = "ada@example.com"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
METADATA = "/flyteidl.service.AuthMetadataService/GetOAuth2Metadata"


@pytest.fixture
def ca(tmp_path: Path) -> str:
    """Return a file with the authority that signs for the platforms here."""
    path = tmp_path / "ca.pem"
    path.write_bytes(authority().pem)
    return str(path)


class Start(Protocol):
    """Starts a platform; the options are those of `FlytePlatform`."""

    def __call__(self, *, secure: bool = True, **options: Any) -> FlytePlatform: ...


@pytest.fixture
def start(oidc: OidcProvider, tmp_path: Path, redirect_uri: str) -> Iterator[Start]:
    """Start platforms in front of the certified provider, where Flyte's client is registered."""
    oidc.register(
        "flytectl",
        client_name="Flyte",
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=[redirect_uri],
        response_types=["code"],
        grant_types=["authorization_code", "refresh_token", DEVICE],
    )
    metadata = {
        "issuer": oidc.issuer,
        "authorization_endpoint": f"{oidc.issuer}/auth",
        "token_endpoint": f"{oidc.issuer}/token",
        "jwks_uri": f"{oidc.issuer}/jwks",
        "device_authorization_endpoint": f"{oidc.issuer}/device/auth",
    }
    running: list[FlytePlatform] = []

    def start(*, secure: bool = True, **options: Any) -> FlytePlatform:
        client = {"redirect_uri": redirect_uri, **options.pop("client", {})}
        tls = authority().server(tmp_path) if secure else None
        verifier = Verifier(oidc.issuer, oidc.audience)
        platform = FlytePlatform(verifier, metadata, client, tls=tls, **options)
        running.append(platform)
        return platform

    yield start
    for platform in running:
        platform.__exit__(None, None, None)


@pytest.fixture
def redirect_uri() -> str:
    """Return the only redirect URI of Flyte's client; its usual port may be another test's."""
    return f"http://localhost:{free_port()}/callback"


@contextmanager
def own_broker(
    monkeypatch: pytest.MonkeyPatch, profiles: Profiles, store: MemoryStore | None = None
) -> Iterator[None]:
    """Have a broker in this process, as plain Python has."""
    channel = LocalChannel(Broker(profiles, Redirects(), store=store))
    monkeypatch.setattr(local, "local_client", lambda: BrokerClient(channel))
    try:
        yield
    finally:
        channel.close()


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give this test a broker of its own, without a profile."""
    with own_broker(monkeypatch, Profiles(user_file=None, flyte=False)):
        yield


def sign_in(connection: Connection, **options: Any) -> dict[str, Any]:
    """Sign in as a person does, whose browser comes back to this machine."""
    walks: list[threading.Thread] = []

    def show(view: dict[str, Any]) -> None:
        challenge = view["challenge"]
        url = challenge.get("url") or challenge["verification_uri_complete"]
        walks.append(threading.Thread(target=_walk, args=(url,)))
        walks[-1].start()

    view = connection.sign_in(show=show, timeout=30, **options)
    for walk in walks:
        walk.join(30)
    return view


def _walk(url: str) -> None:
    with ScriptedPerson() as person:
        person.visit(url)


def user_info(platform: FlytePlatform, connection: Connection) -> str:
    """Ask the platform over gRPC who one is."""
    headers = tuple(connection.tokens.token().headers.items())
    credentials = grpc.ssl_channel_credentials(authority().pem)
    with grpc.secure_channel(platform.endpoint, credentials) as channel:
        stub = identity_pb2_grpc.IdentityServiceStub(channel)
        answer = stub.UserInfo(identity_pb2.UserInfoRequest(), metadata=headers, timeout=10)
    return str(answer.email)


@pytest.mark.parametrize(
    "speaks",
    [("grpc",), ("grpc", "well-known"), ("connect",), ("grpc", "connect"), ("well-known",)],
    ids=" and ".join,
)
@pytest.mark.usefixtures("_alone")
def test_an_endpoint_is_enough(start: Start, ca: str, speaks: tuple[str, ...]) -> None:
    platform = start(speaks=speaks)
    connection = connect(PlatformConfig(platform.endpoint, ca_cert_file_path=ca))
    sign_in(connection)
    assert connection.tokens.token().header == "flyte-authorization"
    assert user_info(platform, connection) == ADA
    if speaks != ("grpc",):
        with connection.http() as http:
            assert http.get("/me").json()["email"] == ADA
    assert platform.names().count(METADATA) == (speaks == ("grpc",))  # and it is asked once
    fitting = "flyte" if "connect" in speaks else "flytekit"
    assert kind_for(connection.status()) == fitting


@pytest.mark.usefixtures("_alone")
def test_a_protected_resource_and_a_client_of_ones_own(
    start: Start, ca: str, oidc: OidcProvider
) -> None:
    platform = start(speaks=("protected-resource",))
    connection = connect(
        PlatformConfig(
            platform.endpoint,
            ca_cert_file_path=ca,
            client_id="cli",
            scopes=["openid", "email", "api"],
        )
    )
    view = sign_in(connection)
    assert view["signed_in_as"] == ADA  # its issuer is known, and so its id_token can be verified
    assert oidc.log("authorization")[0]["redirect_uri"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    "config",
    [
        lambda platform: PlatformConfig.for_endpoint(platform.endpoint, insecure=True),
        lambda platform: PlatformConfig.for_endpoint(platform.url),
    ],
    ids=["insecure", "http on this machine"],
)
@pytest.mark.parametrize("speaks", ["grpc", "well-known"])
@pytest.mark.usefixtures("_alone")
def test_in_plain_text(start: Start, config: Any, speaks: str) -> None:
    platform = start(secure=False, speaks=(speaks,))
    connection = connect(config(platform))
    sign_in(connection)
    assert connection.tokens.token().header == "flyte-authorization"


@pytest.mark.parametrize("speaks", ["grpc", "well-known"])
@pytest.mark.usefixtures("_alone")
def test_without_a_check_of_certificates(start: Start, speaks: str) -> None:
    platform = start(speaks=(speaks,))
    connection = connect(PlatformConfig(platform.endpoint, insecure_skip_verify=True))
    sign_in(connection)
    assert user_info(platform, connection) == ADA


@pytest.mark.parametrize("speaks", ["grpc", "well-known"])
@pytest.mark.usefixtures("_alone")
def test_a_platform_that_is_not_trusted_is_not_believed(start: Start, speaks: str) -> None:
    platform = start(speaks=(speaks,))
    with pytest.raises(TransportError) as caught:
        connect(PlatformConfig.for_endpoint(platform.endpoint)).sign_in(timeout=10)
    assert caught.value.fix
    assert not platform.received


@pytest.mark.usefixtures("_alone")
def test_a_platform_without_authentication_is_said_to_be_that(start: Start, ca: str) -> None:
    platform = start(speaks=())
    with pytest.raises(DiscoveryError, match="has no authentication configured"):
        connect(PlatformConfig(platform.endpoint, ca_cert_file_path=ca)).sign_in(timeout=10)


@pytest.mark.usefixtures("_alone")
def test_any_device(start: Start, ca: str, oidc: OidcProvider) -> None:
    platform = start(speaks=("grpc",))
    config = PlatformConfig(platform.endpoint, ca_cert_file_path=ca, auth_mode="DeviceFlow")
    connection = connect(config)
    sign_in(connection)
    assert user_info(platform, connection) == ADA
    assert {each["client_id"] for each in oidc.log("token")} == {"flytectl"}


@pytest.mark.usefixtures("_alone")
def test_a_service_as_itself(start: Start, ca: str, oidc: OidcProvider) -> None:
    platform = start(client={"scopes": ["api"]})
    connection = connect(
        PlatformConfig(
            platform.endpoint,
            ca_cert_file_path=ca,
            client_id="service",
            client_credentials_secret=oidc.client_secret,
        )
    )
    assert connection.tokens.token().header == "flyte-authorization"
    user_info(platform, connection)
    assert platform.received[-1].status == "OK"
    assert [each["client_id"] for each in oidc.log("token")] == ["service"]


@pytest.mark.usefixtures("_alone")
def test_a_command_learns_the_header(start: Start, ca: str, tmp_path: Path) -> None:
    script = tmp_path / "print-token"
    script.write_text("#!/bin/sh\necho some-token\n")
    script.chmod(0o755)
    platform = start(speaks=("grpc",))
    config = PlatformConfig(
        platform.endpoint,
        ca_cert_file_path=ca,
        auth_mode="ExternalCommand",
        command=[str(script)],
    )
    assert connect(config).tokens.token().headers == {"flyte-authorization": "Bearer some-token"}


@pytest.mark.usefixtures("_alone")
def test_a_proxy_in_front_of_it_gets_its_token_with_every_question(
    start: Start, ca: str, tmp_path: Path
) -> None:
    script = tmp_path / "iap-token"
    script.write_text("#!/bin/sh\necho proxy-token\n")
    script.chmod(0o755)
    platform = start(speaks=("grpc",))
    config = PlatformConfig(platform.endpoint, ca_cert_file_path=ca, proxy_command=[str(script)])
    sign_in(connect(config))
    asked = [each for each in platform.received if "AuthMetadata" in each.name]
    assert [each.headers["proxy-authorization"] for each in asked] == ["Bearer proxy-token"] * 2
    assert not any("flyte-authorization" in each.headers for each in asked)


def test_the_next_process_goes_on_where_this_one_ended(
    start: Start, ca: str, oidc: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, store = start(speaks=("grpc",)), MemoryStore()
    config = PlatformConfig(platform.endpoint, ca_cert_file_path=ca)
    with own_broker(monkeypatch, Profiles(user_file=None, flyte=False), store):
        sign_in(connect(config))
        asked = len(platform.received)
    with own_broker(monkeypatch, Profiles(user_file=None, flyte=False), store):
        connection = connect(config)
        assert connection.tokens.token().header == "flyte-authorization"
        assert len(platform.received) == asked  # nobody had to be asked for that
        dead = connection.tokens.token().fingerprint
        fresh = connection.tokens.token(stale=dead)
        assert fresh.header == "flyte-authorization"
        assert [each["grant_type"] for each in oidc.log("token")][-1] == "refresh_token"
        connection.sign_out()
        with pytest.raises(SignInRequiredError):
            connection.access_token()
    assert oidc.log("revocation")[0]["outcome"] == "ok"  # where the provider says, not the platform


class TestPlainFlyteConfiguration:
    """``~/.flyte/config.yaml`` names the endpoint, as flytectl writes it, and nothing else."""

    @pytest.fixture
    def home(self, tmp_path: Path, start: Start, ca: str) -> Path:
        home = tmp_path / "home"
        (home / ".flyte").mkdir(parents=True)
        self.platform = start()
        text = f"admin:\n  endpoint: dns:///{self.platform.endpoint}\n  caCertFilePath: {ca}\n"
        (home / ".flyte" / "config.yaml").write_text(text)
        return home

    def test_in_python(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(home))
        with own_broker(monkeypatch, Profiles()):
            connection = connect()
            sign_in(connection)
            assert user_info(self.platform, connection) == ADA

    def test_on_the_command_line(self, home: Path) -> None:
        env = isolated(home)
        login = subprocess.Popen(
            [program("platform-auth"), "login", "--no-browser"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert login.stdout is not None
        try:
            address = next(line for line in login.stdout if line.startswith("http")).strip()
            _walk(address)
            said = login.stdout.read()
            assert login.wait(30) == 0, said
        finally:
            login.kill()
            login.stdout.close()
            login.wait()
        assert "Signed in" in said
        header = subprocess.run(
            [program("platform-auth"), "token", "default", "--output", "header"],
            env=env, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert header.stdout.lower().startswith("flyte-authorization: bearer "), header.stderr

    def test_the_doctor_finds_the_provider(self, home: Path, oidc: OidcProvider) -> None:
        found = subprocess.run(
            [program("platform-auth"), "doctor"],
            env=isolated(home), capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert oidc.issuer in found.stdout, found.stdout + found.stderr


class TestJupyterServer:
    """A server that people reach from their own machines, with Flyte's client as it comes."""

    @pytest.fixture
    def redirect_uri(self) -> str:
        return REDIRECT_URI

    def test_what_nobody_can_reach_is_pasted(
        self,
        start: Start,
        ca: str,
        jupyter_server_process: Callable[..., JupyterServer],
    ) -> None:
        platform = start()
        admin = {"endpoint": platform.endpoint, "caCertFilePath": ca}
        server = jupyter_server_process(config={"profiles": {"flyte": {"admin": admin}}})
        broker = broker_client(server)
        challenge = broker.sign_in("flyte")["challenge"]
        assert challenge["kind"] == "paste"
        assert REDIRECT_URI in challenge["sentence"]
        with closing(JupyterUser(server)) as user, ScriptedPerson() as person:
            shown = user.session("flyte")["challenge"]
            assert shown["sentence"] == challenge["sentence"]
            address = person.answer(challenge["url"])
            assert address.startswith(f"{REDIRECT_URI}?")
            assert user.post("flyte", "complete", {"url": address}).status_code == 200
            assert user.session("flyte")["state"] == "signed_in"
        assert broker.token("flyte").header == "flyte-authorization"
