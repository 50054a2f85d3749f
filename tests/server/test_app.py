from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.errors import ConfigError, PolicyError
from platform_auth.server import admin_config
from platform_auth.server.app import PlatformAuth

if TYPE_CHECKING:
    from pathlib import Path

    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox

PROFILE = {"admin": {"endpoint": "flyte.example.com", "authType": "Pkce"}}


def test_every_setting_explains_itself() -> None:
    own = {
        name: trait
        for name, trait in PlatformAuth.class_own_traits(config=True).items()
        if "allow_none" in trait.metadata or trait.help
    }

    assert set(own) == {
        "profiles",
        "default_profile",
        "store",
        "redirect_base_url",
        "allow_user_profiles",
        "allowed_endpoints",
        "allow_insecure",
        "kernel_profiles",
        "allow_commands",
        "allowed_flows",
        "allowed_scopes",
        "sign_in_timeout",
        "refresh_margin",
    }
    for name, trait in own.items():
        assert "Default: " in trait.help, name
        assert not trait.allow_none or "None" in trait.help, name
    for name in ("sign_in_timeout", "refresh_margin"):
        assert "Seconds" in own[name].help


def test_jupyter_finds_it() -> None:
    from platform_auth import _jupyter_server_extension_points

    assert _jupyter_server_extension_points() == [{"module": "platform_auth", "app": PlatformAuth}]
    assert PlatformAuth().config_file_name == "jupyter_platform_auth_config"


class TestSettings:
    @pytest.fixture
    def settings(self) -> Any:
        return {
            "sign_in_timeout": 120,
            "refresh_margin": 30,
            "default_profile": "demo",
            "allowed_endpoints": ["127.0.0.1"],
            "allow_user_profiles": False,
        }

    async def test_reach_the_broker(self, browser: Any, broker: Broker) -> None:
        assert broker.profiles.default == "demo"
        assert broker.profiles.policy.allowed_endpoints == ("127.0.0.1",)
        assert not broker.profiles.policy.allow_user_profiles
        assert broker._refresher._margin == 30
        answer = await browser.get("platform-auth/login?profile=demo")
        assert "Max-Age=120" in answer.headers["set-cookie"]
        assert 100 < (await browser.session())["challenge"]["expires_at"] - _now(answer) <= 125

    async def test_limit_what_code_may_reach(self, broker: Broker) -> None:
        with pytest.raises(PolicyError):
            await broker.put("mine", {"admin": {"endpoint": "127.0.0.1:1"}})


def _now(answer: Any) -> Any:
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(answer.headers["date"]).timestamp()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"allowed_endpoints": 3}, "c.PlatformAuth.allowed_endpoints"),
        ({"allowed_endpoints": ["http://["]}, "allowed_endpoints"),
        ({"profiles": [{"oauth": {"client_secret": "tops3cret"}}]}, "c.PlatformAuth.profiles"),
        ({"store": "cloud"}, "Use one of: file, keyring, memory."),
        ({"redirect_base_url": "jupyter.example.com"}, "redirect_base_url"),
        ({"sign_in_timeout": 0}, "from 1 to 3600"),
        ({"refresh_margin": -1}, "c.PlatformAuth.refresh_margin"),
        ({"allow_insecure": "no"}, "c.PlatformAuth.allow_insecure"),
    ],
)
class TestWrongSettings:
    """They never stop the server, never widen what is allowed, and are told."""

    @pytest.fixture
    def settings(self, wrong: Any) -> Any:
        return wrong

    async def test_switch_everything_off_and_say_so(
        self, browser: Any, broker: Broker, says: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        body = (await browser.get("platform-auth/api/v1/profiles")).json()

        assert body["profiles"] == []
        (problem,) = body["problems"]
        assert problem["code"] == "config_invalid"
        assert says in f"{problem['what']} {problem['fix']}"
        assert "tops3cret" not in str(body)
        for name in ("demo", "mine"):
            with pytest.raises(ConfigError) as caught:
                await broker.session(name)
            assert caught.value.code == "config_invalid"
        with pytest.raises(ConfigError) as caught:
            await broker.put("mine", PROFILE)
        assert caught.value.code == "config_invalid"
        page = await browser.get("platform-auth/login?profile=demo")
        assert page.status_code == 400
        assert (await browser.get("api/status")).status_code == 200


class TestOneEndpoint:
    @pytest.fixture
    def settings(self) -> Any:
        return {"allowed_endpoints": "flyte.example.com"}

    async def test_needs_no_list(self, broker: Broker) -> None:
        assert broker.profiles.policy.allowed_endpoints == ("flyte.example.com",)


class TestBrokenProfile:
    @pytest.fixture
    def profiles(self, sandbox: Sandbox) -> Any:
        return {"demo": sandbox.profiles()["demo"], "broken": {"admin": {"endpoitn": "x"}}}

    async def test_hides_no_other(self, browser: Any) -> None:
        body = (await browser.get("platform-auth/api/v1/profiles")).json()
        views = {view["profile"]: view for view in body["profiles"]}

        assert views["demo"]["state"] == "signed_out"
        assert views["broken"]["state"] == "failed"
        assert "endpoitn" in views["broken"]["error"]["what"]


class TestUnverifiedCertificates:
    @pytest.fixture
    def profiles(self) -> Any:
        return {"unsafe": {"admin": {**PROFILE["admin"], "insecureSkipVerify": True}}}

    def test_are_warned_of_at_every_start(
        self, capsys: Any, jp_configurable_serverapp: Any
    ) -> None:
        jp_configurable_serverapp()

        assert "The profile unsafe skips the verification" in capsys.readouterr().err


async def test_the_log_holds_neither_code_nor_state(
    browser: Any,
    stranger: Any,
    sandbox: Sandbox,
    query: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    back = sandbox.sign_in_scripted(await browser.begin())
    sent_to_login = await stranger.get(back)
    await stranger.get(sent_to_login.headers["location"])
    await browser.get(back)
    await browser.get(back)
    await browser.get(back.replace("state=", "state=x"))
    said = "\n".join(
        record.getMessage()
        for record in caplog.records
        if not record.name.startswith(("httpx2", "httpcore2"))  # the test's own client
    )

    assert "platform-auth/callback?code=[secret]" in said
    assert query(back)["code"] not in said
    assert query(back)["state"] not in said


class TestAdminFiles:
    """What root says wins over what the user's own configuration says."""

    @pytest.fixture
    def profiles(self) -> Any:
        mine = {"admin": {"endpoint": "mine.example.com", "insecureSkipVerify": True}}
        return {"demo": {"admin": {"endpoint": "evil.test"}}, "mine": mine, "own": PROFILE}

    @pytest.fixture
    def settings(self) -> Any:
        return {"allowed_endpoints": ["*"], "default_profile": "own"}

    @pytest.fixture(autouse=True)
    def etc(self, monkeypatch: pytest.MonkeyPatch, jp_system_config_path: Path) -> None:
        text = f"""
c.PlatformAuth.profiles = {{"demo": {PROFILE!r}, "corp": {PROFILE!r}}}
c.PlatformAuth.allowed_endpoints = ["*.example.com"]
c.PlatformAuth.allow_insecure = False
"""
        path = jp_system_config_path / "jupyter_platform_auth_config.py"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(admin_config, "_is_protected", path.__eq__)

    async def test_win(self, broker: Broker) -> None:
        policy = broker.profiles.policy

        assert broker.profiles.get("demo").config.host == "flyte.example.com"
        assert (policy.allowed_endpoints, policy.allow_insecure) == (("*.example.com",), False)

    def test_lose_where_anybody_could_have_written_them(
        self, monkeypatch: pytest.MonkeyPatch, jp_configurable_serverapp: Any
    ) -> None:
        monkeypatch.setattr(admin_config, "_is_protected", lambda _path: False)
        app = jp_configurable_serverapp().web_app.settings["platform_auth"]

        assert app.broker.profiles.policy.allowed_endpoints == ("*",)

    async def test_leave_what_they_do_not_mention(self, broker: Broker) -> None:
        assert broker.profiles.default == "own"
        assert sorted(broker.profiles.names()) == ["corp", "demo", "own"]

    async def test_drop_what_their_policy_refuses(self, broker: Broker) -> None:
        with pytest.raises(ConfigError):
            broker.profiles.get("mine")


class TestBrokenAdminFile:
    @pytest.fixture(autouse=True)
    def etc(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        def fail() -> Any:
            raise ConfigError("The administrator's configuration /etc/x cannot be used.")

        monkeypatch.setattr(admin_config, "load_admin_config", fail)

    async def test_switches_everything_off(self, browser: Any) -> None:
        body = (await browser.get("platform-auth/api/v1/profiles")).json()

        assert body["profiles"] == []
        assert "/etc/x" in body["problems"][0]["what"]


async def test_the_users_own_profiles_are_there(browser: Any, jp_config_dir: Any) -> None:
    (jp_config_dir / "platform-auth").mkdir()
    text = "profiles: {mine: {admin: {endpoint: flyte.example.com}}}"
    (jp_config_dir / "platform-auth" / "profiles.yaml").write_text(text, encoding="utf-8")
    body = (await browser.get("platform-auth/api/v1/profiles")).json()
    sources = {view["profile"]: (view["source"], view["locked"]) for view in body["profiles"]}

    assert sources == {"demo": ("admin", True), "mine": ("user", False)}


def test_nothing_here_is_imported_by_a_kernel() -> None:
    import subprocess
    import sys

    code = "import platform_auth, sys; print([m for m in sys.modules if 'jupyter_server' in m])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert out.stdout.strip() == "[]"
    assert not re.search("error", out.stderr, re.IGNORECASE)
