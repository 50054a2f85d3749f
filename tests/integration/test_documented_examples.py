"""The documented examples against a real platform: with only the import changed, each gets in.

Their hosts exist here by way of a proxy that leads to this machine, and their certificates are a
private authority's; not a letter of the examples is another one for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

import documented
from fakes.certificates import authority
from fakes.forward_proxy import ForwardProxy
from harness.flyte_platform import FlytePlatform
from harness.http import loopback_client
from harness.ingress import Ingress
from harness.ports import free_port
from harness.provider import OidcProvider
from harness.scripted import ScriptedPerson
from harness.verifier import Verifier
from platform_auth import connect
from platform_auth.broker import local
from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.local import LocalChannel
from platform_auth.broker.redirects import Redirects
from platform_auth.config import Profiles
from platform_auth.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from platform_auth import Connection, PlatformConfig

ISSUER = "https://id.example.com"
HOSTS = ("auth-enabled-admin.example.com", "custom-auth-admin.example.com")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"

# One open file of an example's is closed when it is forgotten, and Python says so.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """Run the certified provider at a public address."""
    provider = OidcProvider(tmp_path_factory.mktemp("provider"), issuer=ISSUER)
    yield provider
    provider.stop()


@pytest.fixture
def platform(
    provider: OidcProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FlytePlatform]:
    """Run the platform of the examples, where they say that it is."""
    provider.reset()
    redirect_uri = f"http://127.0.0.1:{free_port()}/callback"
    register_people(provider, redirect_uri)
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    tls = authority().server(tmp_path, host="*.example.com")
    verifier = Asking(ISSUER, provider.audience, f"http://127.0.0.1:{provider.port}")
    client = {"redirect_uri": redirect_uri, "authorization_metadata_key": "authorization"}
    with (
        Ingress(provider.port, provider.port, tls=tls) as front,
        FlytePlatform(verifier, METADATA, client, speaks=("well-known",), tls=tls) as platform,
    ):
        port = int(platform.endpoint.rpartition(":")[2])
        ports = {"id.example.com:443": front.port} | {f"{host}:443": port for host in HOSTS}
        with ForwardProxy(ports) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            yield platform


class Asking(Verifier):
    """Takes tokens that say nothing themselves, too: the provider knows whose they are."""

    def claims(self, token: str) -> dict[str, Any]:
        if token.count(".") == 2:
            return super().claims(token)
        with loopback_client() as http:
            answer = http.get(f"{self.address}/me", headers={"Authorization": f"Bearer {token}"})
        if answer.is_error:
            msg = "the provider does not know this token"
            raise ValueError(msg)
        return dict(answer.json())


METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "device_authorization_endpoint": f"{ISSUER}/device/auth",
}


def register_people(provider: OidcProvider, redirect_uri: str) -> None:
    public = {"token_endpoint_auth_method": "none", "application_type": "native"}
    provider.register(
        "your-pkce-client-id",
        redirect_uris=[redirect_uri],
        grant_types=["authorization_code", "refresh_token"],
        **public,
    )
    provider.register(
        "your-device-client-id",
        redirect_uris=[],
        response_types=[],
        grant_types=[DEVICE, "refresh_token"],
        **public,
    )


@pytest.fixture(autouse=True)
def _at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be in the directory of the examples' files, with a broker and no profiles."""
    (tmp_path / "client_secret.txt").write_text("another-very-secret-key\n")
    (tmp_path / "get_token.sh").write_text(documented.EXTERNAL_COMMAND_SCRIPT)
    (tmp_path / "get_token.sh").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYTE_SERVICE_SECRET", "")  # so that the example's own value is undone
    channel = LocalChannel(Broker(Profiles(user_file=None, flyte=False), Redirects()))
    monkeypatch.setattr(local, "local_client", lambda: BrokerClient(channel))
    yield
    channel.close()


def signed_in(config: PlatformConfig) -> Connection:
    """Sign in as Ada does, whose browser comes back to this machine."""
    connection = connect(config)

    def show(view: dict[str, Any]) -> None:
        challenge = view["challenge"]
        with ScriptedPerson() as ada:
            ada.http.close()
            ada.http = httpx2.Client()  # takes the proxy and the authority from the environment
            ada.visit(challenge.get("verification_uri_complete") or challenge["url"])

    view = connection.sign_in(show=show, timeout=30)
    assert view["state"] == "signed_in"
    return connection


def status(connection: Connection) -> int:
    with connection.http() as http:
        return http.get("/me").status_code


def test_pkce(platform: FlytePlatform) -> None:
    connection = signed_in(documented.run(documented.PKCE)["pkce_config"])
    assert status(connection) == 200


@pytest.mark.parametrize(
    ("way", "secret"),
    [
        ("env", "your-very-secret-key"),
        ("file", "another-very-secret-key"),
        ("direct", "direct-secret-value"),
    ],
)
def test_client_credentials(
    platform: FlytePlatform, provider: OidcProvider, way: str, secret: str
) -> None:
    provider.register(
        "your-service-client-id",
        client_secret=secret,
        redirect_uris=[],
        response_types=[],
        grant_types=["client_credentials"],
    )
    found = documented.run(documented.CLIENT_CREDENTIALS)
    assert status(connect(found[f"client_credentials_config_{way}"])) == 200


def test_external_command(platform: FlytePlatform) -> None:
    connection = connect(documented.run(documented.EXTERNAL_COMMAND)["external_command_config"])
    assert connection.access_token() == "my-custom-access-token"
    assert status(connection) == 401  # which is no token of this platform's, but it arrives there
    assert platform.received[-1].headers["authorization"] == "Bearer my-custom-access-token"


def test_device_flow(platform: FlytePlatform) -> None:
    connection = signed_in(documented.run(documented.DEVICE_FLOW)["device_flow_config"])
    assert status(connection) == 200


def test_a_proxy_that_does_not_exist_is_named() -> None:
    connection = connect(documented.run(documented.PROXY)["proxy_config"])
    with pytest.raises(TransportError) as caught:
        connection.sign_in()
    assert "http://proxy.example.com:8080" in str(caught.value)
