"""What a broker says of all its profiles, those included that cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.local import LocalChannel
from platform_auth.broker.redirects import Redirects
from platform_auth.config import Profiles
from platform_auth.connection import _default_profile
from platform_auth.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def client(tmp_path: Path, text: str) -> BrokerClient:
    path = tmp_path / "profiles.yaml"
    path.write_text(text)
    profiles = Profiles(user_file=path, flyte=False)
    return BrokerClient(LocalChannel(Broker(profiles, Redirects())))


def test_a_broken_profile_is_listed_once(tmp_path: Path) -> None:
    profiles = ("good: {admin: {endpoint: 'https://a.example'}}", "bad: {admin: {endpont: x}}")
    answer = client(tmp_path, "\n  ".join(("profiles:", *profiles))).profiles()
    states = {view["profile"]: view["state"] for view in answer["profiles"]}
    assert states == {"good": "signed_out", "bad": "failed"}
    [bad] = [view for view in answer["profiles"] if view["profile"] == "bad"]
    assert "endpont" in str(bad["error"])
    assert answer["problems"] == []


def test_a_broken_file_is_a_problem_and_the_reason_why_there_is_no_platform(tmp_path: Path) -> None:
    broker = client(tmp_path, "profiles: [")
    assert len(broker.profiles()["problems"]) == 1
    with pytest.raises(ConfigError, match=r"profiles\.yaml"):
        _default_profile(broker)


def test_no_profiles_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No platform is configured"):
        _default_profile(client(tmp_path, ""))
