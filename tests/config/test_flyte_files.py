"""Which file is read, and that it is read again."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.config import PlatformConfig
from platform_auth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


def ini(host: str) -> str:
    return f"[platform]\nurl = {host}\n"


def yaml(host: str) -> str:
    return f"admin:\n  endpoint: {host}\n"


def test_without_any_file_all_is_default_and_the_current_directory_is_not_read() -> None:
    assert PlatformConfig.auto() == PlatformConfig()


def test_the_order_is_flytekits(
    home: Path, flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    flyte_file(yaml("home-yaml"))
    assert PlatformConfig.auto().endpoint == "home-yaml"
    flyte_file(ini("home-ini"), "config")
    assert PlatformConfig.auto().endpoint == "home-ini"
    monkeypatch.setenv("FLYTECTL_CONFIG", str(flyte_file(yaml("named"), "other.yml")))
    assert PlatformConfig.auto().endpoint == "named"
    override = flyte_file(ini("override"), "other")
    monkeypatch.setenv("_FLYTECTL_CONFIG_PYFLYTE_OVERRIDE", str(override))
    assert PlatformConfig.auto().endpoint == "override"
    assert PlatformConfig.auto(flyte_file(yaml("explicit"), "x.yaml")).endpoint == "explicit"
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "environment")
    assert PlatformConfig.auto(home / ".flyte" / "x.yaml").endpoint == "environment"


def test_a_named_file_that_is_missing_is_a_warning_as_in_flytekit(
    home: Path,
    flyte_file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    flyte_file(yaml("home-yaml"))
    monkeypatch.setenv("FLYTECTL_CONFIG", "~/missing.yaml")
    with caplog.at_level(logging.WARNING):
        assert PlatformConfig.auto().endpoint == "home-yaml"
    assert f"names {home / 'missing.yaml'}, which does not exist" in caplog.text
    assert f"{home / '.flyte' / 'config.yaml'} was read instead" in caplog.text


def test_a_relative_named_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTECTL_CONFIG", "config.yaml")  # it is there
    with pytest.raises(ConfigError, match=r"relative path 'config\.yaml'"):
        PlatformConfig.auto()


@pytest.mark.parametrize("name", ["missing.yaml", "missing"])
def test_an_explicit_file_must_exist(name: str, home: Path) -> None:
    with pytest.raises(ConfigError, match=str(home / name)):
        PlatformConfig.auto(home / name)


def test_nothing_is_kept_from_a_file_or_of_its_absence(flyte_file: Callable[..., Path]) -> None:
    assert PlatformConfig.auto().endpoint == "localhost:30080"
    path = flyte_file(yaml("one"))
    assert PlatformConfig.auto().endpoint == "one"
    flyte_file(yaml("two"))
    assert PlatformConfig.auto().endpoint == "two"
    path.unlink()
    assert PlatformConfig.auto().endpoint == "localhost:30080"


@pytest.mark.parametrize("name", ["config", "config.yaml"])
def test_an_empty_file_says_nothing(name: str, flyte_file: Callable[..., Path]) -> None:
    flyte_file("", name)
    assert PlatformConfig.auto() == PlatformConfig()
    flyte_file("\ufeff# only a comment\n", name)
    assert PlatformConfig.auto() == PlatformConfig()


def test_the_null_device_is_an_empty_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTECTL_CONFIG", os.devnull)
    assert PlatformConfig.auto() == PlatformConfig()


def test_a_pipe_is_refused_instead_of_waited_for(home: Path) -> None:
    os.mkfifo(home / "pipe.yaml")
    with pytest.raises(ConfigError, match="is not a file"):
        PlatformConfig.auto(home / "pipe.yaml")


def test_a_file_that_may_not_be_read_is_named(
    flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = flyte_file(yaml("host"))

    def refuse(*_: Any) -> None:  # permission bits would not stop root
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=f"{path} cannot be read: Permission denied"):
        PlatformConfig.auto()
