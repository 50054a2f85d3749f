from __future__ import annotations

import copy
import dataclasses
import os
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from flytekit.configuration import PlatformConfig as Theirs

from platform_auth.config import AuthType, OAuthSettings, PlatformConfig
from platform_auth.errors import ConfigError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


def test_the_fields_stand_in_flytekits_order() -> None:
    names = [field.name for field in dataclasses.fields(PlatformConfig)]
    theirs = [field.name for field in dataclasses.fields(Theirs)]
    assert names[: len(theirs)] == theirs
    assert names[len(theirs) :] == ["oauth", "client_secret_file", "client_secret_env_var"]


def test_the_defaults_are_flytekits() -> None:
    ours, theirs = PlatformConfig(), Theirs()
    for field in dataclasses.fields(Theirs):
        expected = getattr(theirs, field.name)
        got = getattr(ours, field.name)
        assert (
            list(got) if field.name == "scopes" else got
        ) == expected or got.name == expected.name


def test_for_endpoint_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTE_CREDENTIALS_CLIENT_ID", "from-the-environment")
    assert PlatformConfig.for_endpoint("host:443", insecure=True) == PlatformConfig(
        "host:443", True
    )
    assert PlatformConfig.for_endpoint("host:443").client_id is None


def test_it_is_frozen_hashable_and_comparable() -> None:
    made = [
        PlatformConfig("host", scopes=scopes, command=command, client_credentials_secret=secret)
        for scopes, command, secret in (
            (["a"], ["x", "y"], "s"),
            (("a",), ("x", "y"), Secret(" s\n")),
        )
    ]
    assert made[0] == made[1]
    assert len(set(made)) == 1
    assert made[0] != dataclasses.replace(made[0], client_credentials_secret="other")
    assert copy.deepcopy(made[0]) == made[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        made[0].endpoint = "other"


def test_no_repr_shows_a_secret() -> None:
    config = PlatformConfig(
        "host",
        client_credentials_secret="hunter2",
        command=["curl", "-H", "hunter3"],
        proxy_command=["x", "hunter4"],
        http_proxy_url="http://ada:hunter5@proxy:3128",
    )
    assert "hunter" not in f"{config!r} {config} {[config]} {dataclasses.astuple(config)[8]}"
    assert "proxy:3128" in repr(config)
    assert "curl" in repr(config)


def test_a_direct_secret_selects_client_credentials_unless_a_mode_is_named() -> None:
    assert PlatformConfig("host", client_credentials_secret="s").flow == "client_credentials"
    assert PlatformConfig("host", client_secret_env_var="X").flow == "client_credentials"
    assert PlatformConfig("host", client_secret_file="/x").flow == "client_credentials"
    assert PlatformConfig("host", client_credentials_secret="  ").auth_mode is AuthType.STANDARD
    explicit = PlatformConfig("host", client_credentials_secret="s", auth_mode=AuthType.STANDARD)
    assert explicit.flow == "pkce"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("endpoint", None),
        ("endpoint", 3),
        ("insecure", "false"),
        ("insecure", None),
        ("insecure_skip_verify", 1),
        ("ca_cert_file_path", 3),
        ("command", "gcloud auth print-access-token"),
        ("proxy_command", [1]),
        ("client_id", 123),
        ("client_credentials_secret", b"s"),
        ("scopes", "openid"),
        ("auth_mode", "nobody"),
        ("http_proxy_url", "proxy:3128"),
        ("http_proxy_url", "ftp://proxy:3128"),
        ("http_proxy_url", "http://"),
        ("http_proxy_url", 3128),
        ("rpc_retries", -1),
        ("rpc_retries", True),
        ("rpc_retries", "3"),
        ("oauth", {}),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError):
        PlatformConfig(**{name: value})


def test_a_refused_proxy_is_named_without_its_password() -> None:
    for url in ("ada:hunter2@proxy:3128", "ftp://ada:hunter2@proxy", "http://ada:hunter2@proxy:x"):
        with pytest.raises(ConfigError, match="proxy") as caught:
            PlatformConfig("host", http_proxy_url=url)
        assert "hunter2" not in str(caught.value)


def test_a_refused_secret_is_not_shown() -> None:
    number = 1234 * 10
    with pytest.raises(ConfigError) as caught:
        PlatformConfig("host", client_credentials_secret=number)
    assert "12340" not in "".join(traceback.format_exception(caught.value))


def test_nothing_said_is_none_or_empty() -> None:
    config = PlatformConfig("host", client_id=" ", command=[], scopes=None, audience="")
    assert (config.client_id, config.command, config.scopes, config.audience) == (
        None,
        None,
        (),
        None,
    )


def test_scopes_lose_the_blanks_around_them() -> None:
    assert PlatformConfig("host", scopes=["a", " b", ""]).scopes == ("a", "b")


def test_paths_are_absolute_from_the_start(home: Path, tmp_path: Path) -> None:
    config = PlatformConfig("host", ca_cert_file_path="~/ca.pem", client_secret_file="secret.txt")
    assert config.ca_cert_file_path == str(home / "ca.pem")
    assert config.client_secret_file == str(tmp_path / "notebooks" / "secret.txt")


def test_a_rotated_secret_is_read_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "secret"
    file.write_text("one\n")
    config = PlatformConfig("host", client_secret_file=file, client_secret_env_var="CI_SECRET")
    assert config.client_secret() == Secret("one")
    file.write_text("  two\r\n")
    assert config.client_secret() == Secret("two")
    monkeypatch.setenv("CI_SECRET", " three\n")
    assert config.client_secret() == Secret("three")


def test_a_secret_that_is_not_where_it_should_be(home: Path) -> None:
    config = PlatformConfig("host", client_secret_file=home / "missing")
    with pytest.raises(ConfigError, match=f"clientSecretLocation names {home / 'missing'}"):
        config.client_secret()
    with pytest.raises(ConfigError, match="CI_SECRET, but that variable is not set"):
        PlatformConfig("host", client_secret_env_var="CI_SECRET").client_secret()
    public = PlatformConfig("host", client_secret_env_var="CI_SECRET", auth_mode=AuthType.PKCE)
    assert public.client_secret() is None


def test_the_oauth_block_is_part_of_it() -> None:
    config = PlatformConfig("host", oauth=OAuthSettings(issuer="https://id.example.com"))
    assert config != PlatformConfig("host")
    assert "id.example.com" in repr(config)
    assert "OAuthSettings" not in repr(PlatformConfig("host"))


@pytest.mark.skipif(os.name == "nt", reason="POSIX paths")
def test_an_absolute_path_stays_as_written() -> None:
    assert PlatformConfig("h", ca_cert_file_path="/a/../b//c").ca_cert_file_path == "/a/../b//c"
