from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from flytekit.configuration import Config as FlyteConfig

from fakes.certificates import authority
from platform_auth.config import Profiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Outcome

OLD = """\
# written by hand
admin:
  endpoint: dns:///old.example.com
  authType: Pkce
  clientId: "mine"
  # why this many
  rpcRetries: 5

# where the data is
storage:
  type: minio
"""


@pytest.fixture(autouse=True)
def ca(profiles_file: Callable[..., Path], tmp_path: Path) -> Path:
    """Have a profile, and return its file of certificates."""
    file = tmp_path / "ca.pem"
    file.write_bytes(authority().pem)
    profiles_file(
        {
            "profiles": {
                "prod": {
                    "admin": {
                        "endpoint": "dns:///flyte.example.com:8443",
                        "caCertFilePath": str(file),
                        "clientId": "secret-free",
                    },
                    "oauth": {"issuer": "https://id.example.com"},
                }
            }
        }
    )
    return file


def usual() -> Path:
    return Path.home() / ".flyte" / "config.yaml"


def written(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def test_a_new_file_is_what_flytekit_wants(run: Callable[..., Outcome], ca: Path) -> None:
    outcome = run("setup", "flyte", "prod")
    assert outcome.status == 0, outcome.err
    admin = written(usual())["admin"]
    assert admin["endpoint"] == "dns:///flyte.example.com:8443"
    assert admin["authType"] == "ExternalCommand"
    assert Path(admin["command"][0]).is_absolute()
    assert admin["command"][1:] == ["token", "prod"]
    assert stat.S_IMODE(usual().stat().st_mode) == 0o600
    platform = FlyteConfig.auto(str(usual())).platform
    assert platform.command == admin["command"]
    assert platform.ca_cert_file_path == str(ca)


def test_what_has_nothing_to_do_with_signing_in_stays(run: Callable[..., Outcome]) -> None:
    usual().parent.mkdir()
    usual().write_text(OLD, encoding="utf-8")
    usual().chmod(0o640)
    outcome = run("setup", "flyte", "prod")
    text = usual().read_text(encoding="utf-8")
    assert "# written by hand\n" in text
    assert "\n# where the data is\nstorage:\n  type: minio\n" in text
    admin = written(usual())["admin"]
    assert admin["rpcRetries"] == 5
    assert "clientId" not in admin
    assert stat.S_IMODE(usual().stat().st_mode) == 0o640
    # the change is shown, and what the file was is kept
    assert "-  authType: Pkce" in outcome.out
    assert "+  authType: ExternalCommand" in outcome.out
    (backup,) = usual().parent.glob("config.yaml.*.backup")
    assert backup.read_text(encoding="utf-8") == OLD
    assert str(backup) in outcome.out


def test_a_profile_behind_a_proxy_gets_its_token_from_us_too(
    run: Callable[..., Outcome], profiles_file: Callable[..., Path]
) -> None:
    admin = {"endpoint": "flyte.example.com", "proxyCommand": ["make-a-token"]}
    oauth = {"issuer": "https://id.example.com"}
    profiles_file({"profiles": {"behind": {"admin": admin, "oauth": oauth}}})
    assert run("setup", "flyte", "behind").status == 0
    block = written(usual())["admin"]
    assert block["proxyCommand"] == [*block["command"], "--output", "proxy"]


def test_a_second_time_there_is_nothing_to_do(run: Callable[..., Outcome]) -> None:
    run("setup", "flyte", "prod")
    before = usual().stat()
    assert "already" in run("setup", "flyte", "prod").out
    assert usual().stat() == before


def test_a_dry_run_writes_nothing(run: Callable[..., Outcome]) -> None:
    outcome = run("setup", "flyte", "prod", "--dry-run")
    assert "+  authType: ExternalCommand" in outcome.out
    assert not usual().parent.exists()


def test_the_file_that_flytes_tools_are_told_to_read(
    run: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYTECTL_CONFIG", str(tmp_path / "named.yaml"))
    run("setup", "flyte", "prod")
    assert written(tmp_path / "named.yaml")["admin"]["command"][-1] == "prod"
    run("setup", "flyte", "prod", "--file", str(tmp_path / "other.yaml"))
    assert written(tmp_path / "other.yaml")["admin"]["command"][-1] == "prod"


def test_such_a_file_is_no_profile_of_its_own(run: Callable[..., Outcome]) -> None:
    run("setup", "flyte", "prod")
    run("setup", "flyte", "prod", "--file", str(usual().with_name("config-again.yaml")))
    profiles = Profiles()
    assert list(profiles.names()) == ["prod"]
    assert profiles.default == "prod"


def test_a_file_cannot_get_its_tokens_from_itself(run: Callable[..., Outcome]) -> None:
    usual().parent.mkdir()
    usual().write_text(OLD, encoding="utf-8")
    outcome = run("setup", "flyte", "default")
    assert outcome.status == 1
    assert "cannot get its tokens from itself" in outcome.err
    assert usual().read_text(encoding="utf-8") == OLD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{admin: {endpoint: x}}\n", "cannot be replaced alone"),
        ("admin: [\n", "is not YAML"),
        ("- a list\n", "is no Flyte configuration"),
    ],
)
def test_a_file_that_cannot_be_changed_stays(
    run: Callable[..., Outcome], text: str, said: str
) -> None:
    usual().parent.mkdir()
    usual().write_text(text, encoding="utf-8")
    outcome = run("setup", "flyte", "prod")
    assert outcome.status == 1
    assert said in outcome.err
    assert usual().read_text(encoding="utf-8") == text
    assert [each.name for each in usual().parent.iterdir()] == ["config.yaml"]


def test_a_directory_that_cannot_be_written_is_said(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual().parent.mkdir()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    outcome = run("setup", "flyte", "prod")
    assert outcome.status == 1
    assert "No space left on device" in outcome.err
    assert list(usual().parent.iterdir()) == []


def test_a_header_of_the_platforms_own_is_told(
    run: Callable[..., Outcome], profiles_file: Callable[..., Path]
) -> None:
    assert "flyte-authorization" not in run("setup", "flyte", "prod").out
    oauth = {
        "issuer": "https://id.example.com",
        "authorization_metadata_key": "flyte-authorization",
    }
    admin = {"endpoint": "flyte.example.com", "clientId": "flytectl"}
    profiles_file({"profiles": {"own": {"admin": admin, "oauth": oauth}}})
    assert "takes tokens in flyte-authorization" in run("setup", "flyte", "own").out
