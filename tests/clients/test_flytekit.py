"""The real flytekit, against a platform of the real wire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from flytekit.clients import auth_helper
from flytekit.configuration import AuthType
from flytekit.configuration import PlatformConfig as FlytePlatformConfig
from flytekit.exceptions.system import FlyteSystemException

from fakes.flyte_platform import FlytePlatform, flyte_platform
from fakes.token_source import RenewingSource
from platform_auth.clients import flytekit as ours
from platform_auth.clients import make_client
from platform_auth.config import PlatformConfig
from platform_auth.connection import Connection
from platform_auth.errors import ConfigError, SignInRequiredError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FlytePlatform]:
    with flyte_platform(tmp_path) as served:
        yield served


@pytest.fixture
def source() -> RenewingSource:
    return RenewingSource()


@pytest.fixture
def connection(
    platform: FlytePlatform, source: RenewingSource, monkeypatch: pytest.MonkeyPatch
) -> Connection:
    made = Connection(SimpleNamespace(), "prod")  # type: ignore[arg-type] # nobody asks it
    made._config = PlatformConfig(
        platform.endpoint, ca_cert_file_path=str(platform.ca), console_endpoint="https://c.example"
    )
    made.tokens = source  # type: ignore[assignment] # all a client knows
    monkeypatch.setattr(ours, "connect", lambda name: {"prod": made}[name])
    return made


def projects(remote: Any) -> list[str]:
    return [each.id for each in remote.client.list_projects_paginated()[0]]


def test_a_remote_is_signed_in(connection: Connection, platform: FlytePlatform) -> None:
    remote = connection.flytekit("flytesnacks", "development")
    assert projects(remote) == ["flytesnacks", "forecasts"]
    assert platform.tokens == ["Bearer token-1"]
    assert (remote.default_project, remote.default_domain) == ("flytesnacks", "development")


def test_the_header_is_the_platforms_own(connection: Connection, platform: FlytePlatform) -> None:
    platform.header = "flyte-authorization"
    connection.tokens = RenewingSource("flyte-authorization")  # type: ignore[assignment]
    assert projects(connection.flytekit())
    assert platform.tokens == ["Bearer token-1"]


def test_a_refused_token_is_replaced_by_name(
    connection: Connection, platform: FlytePlatform, source: RenewingSource
) -> None:
    platform.accepted = {"token-2"}
    first = source.current.fingerprint
    assert projects(connection.flytekit())
    assert platform.tokens == ["Bearer token-1", "Bearer token-2"]
    assert source.refused == [first]


def test_threads_with_the_same_dead_token_replace_it_once(
    connection: Connection, platform: FlytePlatform, source: RenewingSource
) -> None:
    platform.accepted = {"token-2"}
    remote = connection.flytekit()
    first = source.current.fingerprint
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: projects(remote), range(16)))
    assert answers == [["flytesnacks", "forecasts"]] * 16
    assert set(source.refused) == {first}  # who names it when it is replaced already gets the new
    assert source.current.value.reveal() == "token-2"


def test_a_missing_sign_in_is_said_as_it_is(connection: Connection, source: RenewingSource) -> None:
    source.fault = SignInRequiredError("Nobody is signed in.", fix="Sign in.")
    # flytekit wraps all that is not gRPC's; it keeps the reason, and ours beneath it.
    with pytest.raises(FlyteSystemException, match="Nobody is signed in") as raised:
        projects(connection.flytekit())
    assert isinstance(raised.value.__cause__, SignInRequiredError)


def test_in_a_notebook_a_remote_is_interactive(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not connection.flytekit().interactive_mode_enabled
    monkeypatch.setattr("flytekit.remote.remote.ipython_check", lambda: True)
    assert connection.flytekit().interactive_mode_enabled


def test_an_older_flytekit_starts_our_command(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(auth_helper, "register_authenticator_plugin")
    config = ours.flyte_config(connection)
    assert config.auth_mode is AuthType.EXTERNALCOMMAND
    assert config.command[1:] == ["-m", "platform_auth.cli", "token", "prod"]


class Broker:
    def __init__(self, *views: dict[str, Any]) -> None:
        self._views = list(views)

    def profiles(self) -> dict[str, Any]:
        return {"profiles": self._views}


def view(profile: str, *, default: bool = False) -> dict[str, Any]:
    return {"profile": profile, "platform": "flyte.example.com:443", "default": default}


@pytest.mark.parametrize(
    ("views", "profile"),
    [
        ([view("prod")], "prod"),
        ([view("prod"), view("ci", default=True)], "ci"),
        ([{**view("other"), "platform": "other.example.com"}, view("prod")], "prod"),
    ],
)
def test_a_plain_config_yaml_finds_the_profile_of_its_endpoint(
    monkeypatch: pytest.MonkeyPatch, views: list[dict[str, Any]], profile: str
) -> None:
    monkeypatch.setattr(ours, "default_client", lambda: Broker(*views))
    config = FlytePlatformConfig(endpoint="dns:///Flyte.example.com:443", auth_mode="platform_auth")
    assert ours._connection(config).profile == profile


def test_of_several_profiles_for_an_endpoint_one_must_be_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ours, "default_client", lambda: Broker(view("prod"), view("ci")))
    config = FlytePlatformConfig(endpoint="flyte.example.com:443", auth_mode="platform_auth")
    with pytest.raises(ConfigError, match="prod, ci") as raised:
        ours._connection(config)
    assert "platform-auth, token" in raised.value.fix


def test_an_endpoint_without_a_profile_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[PlatformConfig] = []
    monkeypatch.setattr(ours, "default_client", Broker)
    monkeypatch.setattr(ours, "connect", asked.append)
    ours._connection(
        FlytePlatformConfig(
            endpoint="flyte.example.com", scopes=["all"], ca_cert_file_path="/ca.pem"
        )
    )
    assert asked == [
        PlatformConfig("flyte.example.com", scopes=("all",), ca_cert_file_path="/ca.pem")
    ]


def test_make_client_makes_one(connection: Connection) -> None:
    assert projects(make_client("flytekit", connection))


def test_an_endpoint_with_a_scheme_is_one_that_grpc_takes() -> None:
    connection = Connection(SimpleNamespace(), "prod")  # type: ignore[arg-type] # nobody asks it
    connection._config = PlatformConfig("https://flyte.example.com")
    assert ours.flyte_config(connection).endpoint == "dns:///flyte.example.com"
