"""The documented examples, with only the import changed: each runs, and means what it meant."""

from __future__ import annotations

import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import documented
from fakes.certificates import authority
from platform_auth import AuthType, PlatformConfig
from platform_auth.config import Profiles
from platform_auth.secret import Secret

CA = "/etc/ssl/certs/my_custom_ca.pem"
SECRETS = ["your-very-secret-key", "another-very-secret-key", "direct-secret-value"]

# One open file of the example's is closed when it is forgotten, and Python says so.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a directory with the file that one example reads."""
    (tmp_path / "client_secret.txt").write_text("another-very-secret-key\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYTE_SERVICE_SECRET", "")  # so that the example's own value is undone
    return tmp_path


def flyte_file() -> Path:
    path = Path.home() / ".flyte" / "config.yaml"
    path.parent.mkdir()
    path.write_text(documented.AUTO_FILE)
    return path


def test_endpoints() -> None:
    found = documented.run(documented.ENDPOINTS)
    config, local = found["config"], found["local_config"]
    assert config.base_url == "https://my-flyte-admin.example.com:443"
    assert local.base_url == "http://localhost:30080"
    assert (config.flow, local.flow) == ("pkce", "pkce")


def test_auto_without_a_file() -> None:
    assert documented.run(documented.AUTO)["auto_config"] == PlatformConfig()


def test_auto_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    flyte_file()
    config = documented.run(documented.AUTO)["auto_config"]
    assert config.endpoint == "my-prod-admin.example.com:443"
    assert (config.client_id, config.ca_cert_file_path) == ("my-app-client-id", CA)
    assert config.auth_mode is AuthType.PKCE
    monkeypatch.setenv("FLYTE_CLIENT_SECRET", "hunter2")
    config = documented.run(documented.AUTO)["auto_config"]
    assert config.client_credentials_secret == Secret("hunter2")
    assert config.auth_mode is AuthType.CLIENTSECRET  # there is a secret, so no person is needed


def test_auto_takes_the_environment_first(monkeypatch: pytest.MonkeyPatch) -> None:
    flyte_file()
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "other.example.com")
    monkeypatch.setenv("FLYTE_CREDENTIALS_SCOPES", "a,b")
    config = documented.run(documented.AUTO)["auto_config"]
    assert (config.endpoint, config.scopes) == ("other.example.com", ("a", "b"))
    assert config.client_id == "my-app-client-id"


def test_the_file_is_also_a_profile(directory: Path) -> None:
    path = flyte_file()
    ca = directory / "ca.pem"
    ca.write_bytes(authority().pem)
    path.write_text(path.read_text().replace(CA, str(ca)))
    assert Profiles().default == "default"
    assert Profiles().get("default").config.client_id == "my-app-client-id"


def test_pkce() -> None:
    config = documented.run(documented.PKCE)["pkce_config"]
    assert (config.flow, config.client_id) == ("pkce", "your-pkce-client-id")
    assert config.scopes == ("openid", "profile", "email", "offline_access")


def test_client_credentials() -> None:
    found = documented.run(documented.CLIENT_CREDENTIALS)
    configs = [found[f"client_credentials_config_{way}"] for way in ("env", "file", "direct")]
    assert [config.client_secret() for config in configs] == [Secret(each) for each in SECRETS]
    assert {config.flow for config in configs} == {"client_credentials"}
    assert not any(secret in repr(found) for secret in SECRETS)


def test_external_command() -> None:
    config = documented.run(documented.EXTERNAL_COMMAND)["external_command_config"]
    assert (config.flow, config.command) == ("command", ("./get_token.sh",))


def test_device_flow() -> None:
    config = documented.run(documented.DEVICE_FLOW)["device_flow_config"]
    assert (config.flow, config.scopes) == ("device", ("openid", "profile"))


def test_secure_connections() -> None:
    found = documented.run(documented.SECURE_CONNECTIONS)
    assert found["secure_config"].ca_cert_file_path == CA
    assert found["dev_config"].base_url == "http://localhost:30080"
    assert found["risky_config"].insecure_skip_verify
    assert found["risky_config"].base_url == "https://admin.example.com:443"


def test_proxy() -> None:
    config = documented.run(documented.PROXY)["proxy_config"]
    assert config.http_proxy_url == "http://proxy.example.com:8080"


@pytest.mark.parametrize("name", documented.EXAMPLES)
def test_it_means_what_it_means_to_flytekit(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = documented.run(documented.EXAMPLES[name], imports=documented.THEIRS)
    ours = documented.run(documented.EXAMPLES[name])
    configs = [each for each, value in ours.items() if isinstance(value, PlatformConfig)]
    assert configs
    for each in configs:
        assert values(ours[each], theirs[each]) == values(theirs[each], theirs[each])


def values(config: Any, flytekit: Any) -> dict[str, Any]:
    """Return what one has in the fields that the other knows."""
    found = {each.name: getattr(config, each.name) for each in fields(flytekit)}
    return {name: plain(value) for name, value in found.items()}


def plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, tuple):
        return list(value)
    return getattr(value, "name", value)  # a mode is an object of two libraries
