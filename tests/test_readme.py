"""What README.md says is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import yaml

from platform_auth.cli.parser import COMMANDS
from platform_auth.config import OAuthSettings, Policy, Profiles
from platform_auth.config.entries import ADMIN_KEYS
from platform_auth.oauth import flows
from platform_auth.server.app import PlatformAuth
from platform_auth.server.audit_settings import AuditSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?!\w)", README)]


def test_its_profiles_can_be_used_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_SECRET", "hunter2")
    text = next(block for block in blocks("yaml") if "profiles:" in block)
    path = tmp_path / "profiles.yaml"
    path.write_text(text)
    profiles = Profiles(user_file=path, flyte=False)
    assert profiles.problems == []
    assert profiles.default == "prod"
    named = {each.config.flow for each in profiles.all().values()}
    assert named | {"jwt_bearer"} == set(flows._BUILT_IN)  # which a comment names
    assert "# or jwt_bearer" in text
    assert [warning for each in profiles.all().values() for warning in each.warnings] == []


def test_its_administrators_configuration_works() -> None:
    settings = SimpleNamespace(PlatformAuth=SimpleNamespace())
    text = next(block for block in blocks("python") if "c.PlatformAuth" in block)
    exec(text, {"c": settings})  # noqa: S102 - our own text
    found = vars(settings.PlatformAuth)
    assert set(found) <= set(PlatformAuth.class_trait_names(config=True))
    policy = Policy(allowed_endpoints=tuple(found["allowed_endpoints"]))
    profiles = Profiles(admin=found["profiles"], policy=policy, user_file=None, flyte=False)
    assert profiles.problems == []
    assert profiles.get("prod").locked


def test_every_yaml_block_is_yaml() -> None:
    assert all(isinstance(yaml.safe_load(block), dict) for block in blocks("yaml"))


def test_every_setting_is_named() -> None:
    assert missing(ADMIN_KEYS) == []
    assert missing(field.name for field in fields(OAuthSettings)) == []
    own = [*PlatformAuth.class_own_traits(config=True), *AuditSettings.class_own_traits()]
    assert missing(own) == []


def test_every_variable_is_named() -> None:
    sources = (ROOT / "platform_auth").rglob("*.py")
    variable = re.compile(r'"(PLATFORM_AUTH_[A-Z_]+)"')
    used = {name for path in sources for name in variable.findall(path.read_text("utf-8"))}
    assert len(used) > 5
    assert missing(sorted(used)) == []


def test_every_command_is_named() -> None:
    assert missing(COMMANDS) == []


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?://)([^)#]+)\)", README))
def test_its_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
