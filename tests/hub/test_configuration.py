from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from fakes.bench import PROFILES
from platform_auth.errors import ConfigError, UnsafeFileError
from platform_auth.hub import configure
from platform_auth.hub.settings import FILE, Settings

if TYPE_CHECKING:
    from pathlib import Path

ACCESS = "access:services!service=platform-auth"
SERVER = ["users:activity!user", "access:servers!server"]


@pytest.fixture
def c() -> Config:
    return Config()


@pytest.fixture
def to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    return {"profiles": PROFILES, "directory": tmp_path}


def role(c: Config, name: str) -> list[str]:
    (found,) = [each for each in c.JupyterHub.load_roles if each["name"] == name]
    scopes: list[str] = found["scopes"]
    return scopes


def address(c: Config, base_url: str = "/hub/") -> str:
    spawner = SimpleNamespace(hub=SimpleNamespace(base_url=base_url))
    given = c.Spawner.environment
    given = given.get_value({}) if isinstance(given, LazyConfigValue) else given
    found: str = given["PLATFORM_AUTH_HUB_SERVICE"](spawner)
    return found


class TestConfigure:
    def test_has_the_hub_start_the_service(self, c: Config, to: Any, tmp_path: Path) -> None:
        configure(c, **to)
        (service,) = c.JupyterHub.services

        assert service["name"] == "platform-auth"
        assert service["oauth_no_confirm"] is True
        assert service["command"][1:] == [
            "-m", "platform_auth.cli", "hub-service", "--settings", str(tmp_path / FILE),
        ]  # fmt: skip

    def test_lets_the_service_see_logins_only_where_a_profile_takes_its_token_from_there(
        self, c: Config, to: Any
    ) -> None:
        configure(c, **to)
        assert role(c, "platform-auth") == ["read:users"]
        other, hub = Config(), {"admin": {"endpoint": "x.example.com"}, "oauth": {"flow": "hub"}}
        configure(other, **{**to, "profiles": {**PROFILES, "here": hub}})
        assert role(other, "platform-auth") == ["read:users", "admin:auth_state"]

    def test_gives_no_secret_to_the_hubs_database(self, c: Config, to: Any) -> None:
        """The Hub writes down all that it is told of a service."""
        configure(c, **to, database_url="postgresql://me:password-CANARY@db/x")

        assert "CANARY" not in json.dumps(c.JupyterHub.services)

    def test_hands_settings_over_in_a_file_of_its_own(
        self, c: Config, to: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CI_SECRET", "secret-CANARY")
        profiles = {
            "ci": {"admin": {"endpoint": "x.example.com", "clientSecretEnvVar": "CI_SECRET"}}
        }
        configure(c, **{**to, "profiles": profiles}, sign_in_timeout=60)
        settings = Settings.load(tmp_path / FILE)

        assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
        assert settings.variables["CI_SECRET"] == "secret-CANARY"
        assert "CANARY" not in repr(settings)
        assert settings.sign_in_timeout == 60
        (tmp_path / FILE).chmod(0o644)
        with pytest.raises(UnsafeFileError):
            Settings.load(tmp_path / FILE)

    def test_leaves_a_service_that_others_start_to_them(self, c: Config, tmp_path: Path) -> None:
        configure(c, url="http://lb:8080/", api_token="t", directory=tmp_path)

        assert c.JupyterHub.services == [
            {
                "name": "platform-auth",
                "url": "http://lb:8080",
                "oauth_no_confirm": True,
                "api_token": "t",
            }
        ]
        assert address(c) == "http://lb:8080/services/platform-auth/"
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(ConfigError, match="settings in a file of its own"):
            configure(Config(), PROFILES, api_token="t")

    def test_keeps_the_services_and_roles_there_are(self, c: Config, to: Any) -> None:
        c.JupyterHub.services = [{"name": "cull"}]
        c.JupyterHub.load_roles = [
            {"name": "user", "scopes": ["self", "read:hub"], "groups": ["all"]},
            {"name": "server", "scopes": [*SERVER, "x"]},
        ]
        configure(c, **to)

        assert [each["name"] for each in c.JupyterHub.services] == ["cull", "platform-auth"]
        assert role(c, "user") == ["self", "read:hub", ACCESS]
        assert c.JupyterHub.load_roles[0]["groups"] == ["all"]
        assert role(c, "server") == [*SERVER, "x", ACCESS]

    def test_keeps_what_was_appended(self, c: Config, to: Any) -> None:
        c.JupyterHub.services.append({"name": "cull"})
        c.JupyterHub.load_roles.append({"name": "cull", "scopes": ["list:users"]})
        c.Spawner.environment.update({"A": "1"})
        configure(c, **to)

        assert [each["name"] for each in c.JupyterHub.services] == ["cull", "platform-auth"]
        assert role(c, "cull") == ["list:users"]
        assert c.Spawner.environment.get_value({})["A"] == "1"

    def test_keeps_the_hubs_own_defaults(self, c: Config, to: Any) -> None:
        configure(c, **to)

        assert {*role(c, "server")} == {*SERVER, ACCESS}
        assert c.JupyterHub.extra_user_scopes == {ACCESS}
        assert role(c, "platform-auth") == ["read:users"]

    def test_may_be_for_some_only(self, c: Config, to: Any) -> None:
        configure(c, **to, everybody=False)

        assert "extra_user_scopes" not in c.JupyterHub
        assert ACCESS in role(c, "server")  # which gets what its user has, and no more

    def test_adds_to_tokens_that_are_given_scopes_otherwise(self, c: Config, to: Any) -> None:
        c.Spawner.server_token_scopes = ["self"]
        c.KubeSpawner.server_token_scopes = lambda spawner: ["inherit"]
        configure(c, **to)

        assert c.Spawner.server_token_scopes == ["self", ACCESS]
        assert c.KubeSpawner.server_token_scopes(None) == ["inherit", ACCESS]

    def test_tells_all_kinds_of_servers_where_it_is(self, c: Config, to: Any) -> None:
        c.Spawner.environment = {"A": "1"}
        c.KubeSpawner.environment = {"B": "2"}  # would replace that of all spawners
        configure(c, **to, server_url="http://proxy-public")

        assert address(c, "/h%40b/hub/") == "http://proxy-public/h%40b/services/platform-auth/"
        assert c.Spawner.environment["A"] == "1"
        assert set(c.KubeSpawner.environment) == {
            "B",
            "PLATFORM_AUTH_HUB_SERVICE",
            "PLATFORM_AUTH_HUB_SERVICE_PAGES",
        }

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"profiles": {}}, "nothing to sign in to"),
            ({"profile": {}}, "Did you mean 'profiles'"),
            ({"allow_commands": True}, "no setting 'allow_commands'"),
            ({"allowed_endpoints": "x.example.com"}, "allowed_endpoints is not a list"),
            ({"public_url": "hub.example.com"}, "no address can begin with"),
            ({"sign_in_timeout": 0}, "number of seconds"),
        ],
    )
    def test_says_what_is_wrong(self, c: Config, to: Any, wrong: Any, said: str) -> None:
        with pytest.raises(ConfigError) as refused:
            configure(c, **{**to, **wrong})
        assert said in str(refused.value)
        assert "services" not in c.JupyterHub

    def test_is_called_once(self, c: Config, to: Any) -> None:
        configure(c, **to)
        with pytest.raises(ConfigError, match="has a service platform-auth already"):
            configure(c, **to)


class TestSettings:
    def test_users_have_no_profiles_of_their_own_unless_they_may(self) -> None:
        usual = Settings.of({"profiles": PROFILES}).policy
        open_one = Settings.of({"profiles": PROFILES, "allow_user_profiles": True}).policy

        assert (usual.allow_user_profiles, usual.allow_commands) == (False, False)
        assert (open_one.allow_user_profiles, open_one.allow_commands) == (True, False)

    def test_may_be_json_or_yaml(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text(json.dumps({"profiles": PROFILES}))
        (tmp_path / "a.yaml").write_text("profiles: {prod: {admin: {endpoint: x.example.com}}}")

        assert list(Settings.load(tmp_path / "a.json").profiles) == list(PROFILES)
        assert list(Settings.load(tmp_path / "a.yaml").profiles) == ["prod"]

    @pytest.mark.parametrize("text", ["{", "[1]", "", "\xff"])
    def test_that_are_none_say_so_without_quoting_them(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "a.json").write_text(text, encoding="latin-1")
        with pytest.raises(ConfigError, match=r"a\.json"):
            Settings.load(tmp_path / "a.json")
        with pytest.raises(ConfigError, match="cannot be read"):
            Settings.load(tmp_path / "b.json")
