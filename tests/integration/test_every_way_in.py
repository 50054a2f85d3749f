"""Every flow, at both providers, from plain Python, the command line and a notebook."""

from __future__ import annotations

import json
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import start_new_kernel

from fakes.provider import ec_key
from harness.broker import broker_client, broker_environment, profile
from harness.environment import isolated
from harness.faces import CommandLine, Notebook, PlainPython
from harness.gate import Gate
from harness.jupyter_user import JupyterUser
from harness.platform import Platform
from harness.scripted import ScriptedPerson
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.faces import Face
    from harness.jupyter import JupyterServer
    from harness.provider import OidcProvider

PEOPLE = ("pkce-server", "pkce-loopback", "pkce-paste", "device")
SERVICES = ("secret", "secret-in-a-variable", "secret-in-a-file")
COMMANDS = ("command", "proxy-command")
KEY = "key"  # which the sandbox has no client for

# What a cloud's own command line would be: it gets a token by itself, and prints it.
GET_TOKEN = """
import json, sys, urllib.parse, urllib.request

url, client_id, secret_file, scope, resource = sys.argv[1:]
form = {
    "grant_type": "client_credentials", "client_id": client_id, "scope": scope,
    "client_secret": open(secret_file).read(), "resource": resource,
}
body = urllib.parse.urlencode(form).encode()
print(json.load(urllib.request.urlopen(url, body))["access_token"])
"""


@dataclass
class Provider:
    """A provider, a platform that takes its tokens, and the profiles for both."""

    name: str
    issuer: str
    platform: str
    secret: str
    directory: Path
    gate: str
    person: dict[str, Any]
    scopes: list[str]
    services: dict[str, str]
    resource: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def profiles(self) -> dict[str, Any]:
        """Return one profile for each way in."""
        found = {f"pkce-{way}": self._for_person(redirect=way) for way in ("loopback", "paste")}
        found["pkce-server"] = self._for_person(redirect="server")
        found["device"] = self._for_person()
        found["device"]["admin"]["authType"] = "DeviceFlow"
        found |= self._services()
        found["command"] = self._service("basic")
        found["command"]["admin"] |= {"authType": "ExternalCommand", "command": self._command()}
        found["proxy-command"] = self._service("basic", client_secret=self.secret)
        found["proxy-command"]["admin"] |= {
            "endpoint": self.gate,
            "proxyCommand": [sys.executable, "-c", "print('for-the-gate')"],
        }
        return {f"{self.name}-{way}": shape for way, shape in (found | self.more).items()}

    def _services(self) -> dict[str, Any]:
        file = self.directory / f"{self.name}.secret"
        file.write_text(self.secret)
        post = {"token_endpoint_auth_method": "client_secret_post"}
        found = {
            "secret": self._service("post", client_secret=self.secret, **post),
            "secret-in-a-variable": self._service("basic"),
            "secret-in-a-file": self._service("basic"),
        }
        variable = f"SECRET_OF_{self.name.upper()}"
        found["secret-in-a-variable"]["admin"]["clientSecretEnvVar"] = variable
        found["secret-in-a-file"]["admin"]["clientSecretLocation"] = str(file)
        return found

    def _command(self) -> list[str]:
        script = self.directory / "get_token.py"
        script.write_text(GET_TOKEN)
        token = f"{self.issuer}/token"
        file = str(self.directory / f"{self.name}.secret")
        client = self.services["post"]
        return [sys.executable, str(script), token, client, file, *self._wanted()]

    def _wanted(self) -> list[str]:
        return [" ".join(self.scopes), self.resource]

    def _for_person(self, **oauth: Any) -> dict[str, Any]:
        shape = profile(self.issuer, self.platform, **oauth)
        shape["admin"] |= self.person
        return shape

    def _service(self, method: str, **oauth: Any) -> dict[str, Any]:
        shape = profile(self.issuer, self.platform, **oauth)
        client = self.services[method]
        shape["admin"] |= {"authType": "ClientSecret", "clientId": client, "scopes": self.scopes}
        return shape


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where this module's files are."""
    return tmp_path_factory.mktemp("ways-in")


@pytest.fixture(scope="module")
def providers(oidc_process: OidcProvider, place: Path) -> Iterator[dict[str, Provider]]:
    """Run both, with a platform for each and a proxy in front of it."""
    with (
        Sandbox() as sandbox,
        Platform(oidc_process.issuer, oidc_process.audience) as platform,
        Gate(platform.url, token=oidc_process.issuer) as certified_gate,
        Gate(sandbox.platform_url, token=sandbox.issuer) as sandbox_gate,
    ):
        sandbox.settings.device_interval = 1
        for gate in (certified_gate, sandbox_gate):
            gate.taken = {"for-the-gate"}
        yield {
            "certified": certified(oidc_process, platform.url, certified_gate.url, place),
            "sandbox": in_sandbox(sandbox, sandbox_gate.url, place),
        }


def certified(oidc: OidcProvider, platform: str, gate: str, place: Path) -> Provider:
    provider = Provider(
        "certified",
        oidc.issuer,
        platform,
        oidc.client_secret,
        place,
        gate,
        {"clientId": "cli"},
        ["api"],
        {"basic": "service", "post": "service-post"},
        oidc.audience,
    )
    (place / "client.pem").write_bytes(ec_key().as_pem(private=True))
    shape = profile(oidc.issuer, platform, private_key_file=str(place / "client.pem"))
    shape["admin"] |= {"authType": "ClientSecret", "clientId": "signer", "scopes": ["api"]}
    provider.more[KEY] = shape
    return provider


def in_sandbox(sandbox: Sandbox, gate: str, place: Path) -> Provider:
    profiles = sandbox.profiles()
    person, service = profiles["demo"]["admin"], profiles["demo-service"]
    client = service["admin"]["clientId"]
    return Provider(
        "sandbox",
        sandbox.issuer,
        sandbox.platform_url,
        service["oauth"]["client_secret"],
        place,
        gate,
        {name: person[name] for name in ("clientId", "scopes")},
        service["admin"]["scopes"],
        {"basic": client, "post": client},
    )


@pytest.fixture(scope="module")
def variables(providers: dict[str, Provider], place: Path) -> dict[str, str]:
    """Return the environment of somebody without a Jupyter server."""
    profiles = {n: each for some in providers.values() for n, each in some.profiles().items()}
    path = place / "profiles.yaml"
    path.write_text(json.dumps({"profiles": profiles}))
    path.chmod(0o600)
    secrets = {f"SECRET_OF_{name.upper()}": each.secret for name, each in providers.items()}
    more = {"PLATFORM_AUTH_CONFIG": str(path), "PLATFORM_AUTH_STORE": "file", **secrets}
    return isolated(place / "home", **more)


@pytest.fixture(scope="module")
def server(
    module_jupyter_server_process: Callable[..., JupyterServer], variables: dict[str, str]
) -> JupyterServer:
    """Run a Jupyter server with the same profiles."""
    own = {n: each for n, each in variables.items() if n.startswith(("PLATFORM_AUTH", "SECRET"))}
    return module_jupyter_server_process(env=own)


@pytest.fixture(scope="module")
def in_terminal(server: JupyterServer, variables: dict[str, str]) -> dict[str, str]:
    """Return the environment of a terminal of that server."""
    return {**variables, **broker_environment(server), "JUPYTER_SERVER_URL": server.url}


@contextmanager
def kernel(environment: dict[str, str], place: Path) -> Iterator[Notebook]:
    environment = {**environment, "IPYTHONDIR": str(place / "ipython")}
    manager, client = start_new_kernel(kernel_name="python3", env=environment, cwd=str(place))
    yield Notebook(client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel_alone(variables: dict[str, str], place: Path) -> Iterator[Notebook]:
    with kernel(variables, place) as notebook:
        yield notebook


@pytest.fixture(scope="module")
def kernel_of_server(in_terminal: dict[str, str], place: Path) -> Iterator[Notebook]:
    with kernel(in_terminal, place) as notebook:
        yield notebook


@pytest.fixture(params=["python", "command-line", "notebook"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def face(request: pytest.FixtureRequest, kind: str, way: str) -> Face:
    """Return a way in: in a terminal or notebook of the server, or without one."""
    has_server = way not in {"pkce-loopback", "pkce-paste"}
    if kind == "notebook":
        found: Face = request.getfixturevalue("kernel_of_server" if has_server else "kernel_alone")
        return found
    variables = request.getfixturevalue("in_terminal" if has_server else "variables")
    return PlainPython(variables) if kind == "python" else CommandLine(variables)


@pytest.fixture(params=["certified", "sandbox"])
def provider(request: pytest.FixtureRequest, providers: dict[str, Provider]) -> Provider:
    found: Provider = providers[request.param]
    return found


def walk(server: JupyterServer, name: str, way: str) -> Callable[[str], str | None]:
    """Return what a person does when they are asked to."""

    def act(url: str) -> str | None:
        with ScriptedPerson() as ada:
            if way == "pkce-paste":
                return ada.answer(url)
            if way == "pkce-server":
                with closing(JupyterUser(server)) as user:
                    assert user.sign_in(name).status_code == 200
            else:
                ada.visit(url)
        return None

    return act


@pytest.mark.parametrize("way", PEOPLE)
def test_a_person(
    provider: Provider, way: str, face: Face, server: JupyterServer, oidc: OidcProvider
) -> None:
    oidc.allow_redirects("cli", [server.callback_url, "http://localhost:53593/callback"])
    name = f"{provider.name}-{way}"
    broker_client(server).sign_out(name)
    assert "ada@example.com" in face.sign_in(name, walk(server, name, way))
    assert face.projects(name) == 200


@pytest.mark.parametrize("way", [*SERVICES, *COMMANDS])
def test_nobody(
    provider: Provider, way: str, face: Face, server: JupyterServer, oidc: OidcProvider, kind: str
) -> None:
    name = f"{provider.name}-{way}"
    broker_client(server).sign_out(name)
    if kind == "notebook":
        assert "client" in face.sign_in(name, lambda _: pytest.fail("nobody is asked"))
    if way == "proxy-command" and kind == "command-line":
        assert face.projects(name) == 407  # `token` prints the platform's, not the proxy's
    else:
        assert face.projects(name) == 200


@pytest.mark.parametrize("way", [KEY])
def test_a_key(face: Face, server: JupyterServer, oidc: OidcProvider, kind: str, way: str) -> None:
    oidc.register(
        "signer",
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="ES256",
        jwks={"keys": [ec_key().as_dict(private=False)]},
        redirect_uris=[],
        response_types=[],
        grant_types=["client_credentials"],
    )
    broker_client(server).sign_out(f"certified-{way}")
    if kind == "notebook":
        face.sign_in(f"certified-{way}", lambda _: pytest.fail("nobody is asked"))
    assert face.projects(f"certified-{way}") == 200
    assert [entry["client_auth"] for entry in oidc.log("token")] == ["private_key_jwt"]
