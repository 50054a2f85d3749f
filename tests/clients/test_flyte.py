"""The real Flyte 2 SDK, against a platform of the real wire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import flyte
import flyte.remote
import pytest

from fakes.flyte_platform import FlytePlatform, flyte2_platform
from fakes.token_source import RenewingSource
from platform_auth.clients import make_client
from platform_auth.config import PlatformConfig
from platform_auth.connection import Connection
from platform_auth.errors import ConfigError, SignInRequiredError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FlytePlatform]:
    with flyte2_platform(tmp_path) as served:
        yield served


def connect(platform: FlytePlatform, source: RenewingSource) -> Connection:
    made = Connection(SimpleNamespace(), "prod")  # type: ignore[arg-type] # nobody asks it
    made._config = PlatformConfig(platform.endpoint, ca_cert_file_path=str(platform.ca))
    made.tokens = source  # type: ignore[assignment] # all a client knows
    return made


@pytest.fixture
def source() -> RenewingSource:
    return RenewingSource()


@pytest.fixture
def connection(platform: FlytePlatform, source: RenewingSource) -> Connection:
    return connect(platform, source)


def me() -> str:
    return str(flyte.remote.User.get().subject())


def test_the_sdk_is_signed_in(connection: Connection, platform: FlytePlatform) -> None:
    assert connection.flyte("flytesnacks", "development") is flyte
    assert me() == "ada"
    assert platform.tokens == ["Bearer token-1"]


def test_the_header_is_the_platforms_own_and_a_proxys_goes_beside_it(
    connection: Connection, platform: FlytePlatform, source: RenewingSource
) -> None:
    source = RenewingSource("flyte-authorization")
    source.current = replace(source.current, proxy_authorization=Secret("Bearer for-the-proxy"))
    platform.header = "proxy-authorization"
    connection.tokens = source  # type: ignore[assignment]
    connection.flyte()
    assert me() == "ada"
    platform.header = "flyte-authorization"
    assert me() == "ada"
    assert platform.tokens == ["Bearer for-the-proxy", "Bearer token-1"]


def test_a_refused_token_is_replaced_by_name(
    connection: Connection, platform: FlytePlatform, source: RenewingSource
) -> None:
    platform.accepted = {"token-2"}
    first = source.current.fingerprint
    connection.flyte()
    assert me() == "ada"
    assert platform.tokens == ["Bearer token-1", "Bearer token-2"]
    assert source.refused == [first]


def test_threads_with_the_same_dead_token_replace_it_once(
    connection: Connection, platform: FlytePlatform, source: RenewingSource
) -> None:
    connection.flyte()
    assert me() == "ada"
    platform.accepted = {"token-2"}
    first = source.current.fingerprint
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: me(), range(16))) == ["ada"] * 16
    assert set(source.refused) == {first}


def test_a_missing_sign_in_is_said_as_it_is(connection: Connection, source: RenewingSource) -> None:
    connection.flyte()
    source.fault = SignInRequiredError("Nobody is signed in.", fix="Sign in.")
    with pytest.raises(SignInRequiredError, match="Nobody is signed in"):
        me()


def test_platforms_one_after_the_other(platform: FlytePlatform, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with flyte2_platform(other) as second:
        second.header = "flyte-authorization"
        connect(platform, RenewingSource()).flyte()
        me()
        connect(second, RenewingSource("flyte-authorization")).flyte()
        me()
        connect(platform, RenewingSource()).flyte()
        me()
    assert platform.tokens == ["Bearer token-1"] * 2
    assert second.tokens == ["Bearer token-1"]


def test_without_tls_it_is_said_that_the_sdk_sends_no_token(connection: Connection) -> None:
    connection._config = PlatformConfig("localhost:1", insecure=True)
    with pytest.raises(ConfigError, match="sends no token to localhost:1"):
        connection.flyte()


def test_a_missing_ca_file_is_said_before_any_call(connection: Connection, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    connection._config = PlatformConfig("flyte.example.com", ca_cert_file_path=missing)
    with pytest.raises(ConfigError, match=r"none\.pem cannot be used"):
        connection.flyte()


def test_other_ways_to_sign_in_stay_the_sdks_own(
    connection: Connection, platform: FlytePlatform
) -> None:
    connection.flyte()
    flyte.init(
        endpoint=platform.endpoint,
        auth_type="ExternalCommand",
        command=["printf", "a-token-of-its-own"],
        ca_cert_file_path=str(platform.ca),
        disable_keyring=True,
    )
    assert me() == "ada"
    assert platform.tokens[-1] == "Bearer a-token-of-its-own"


def test_make_client_makes_one(connection: Connection) -> None:
    assert make_client("flyte", connection) is flyte
    assert me() == "ada"
