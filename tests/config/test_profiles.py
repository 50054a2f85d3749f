from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.config import Policy, Profiles, ProfileSource
from platform_auth.config import user_file as module
from platform_auth.errors import ConfigError, PolicyError, ProfileNotFoundError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable


ADMIN = {"prod": {"admin": {"endpoint": "admin.example.com"}}}
USER = """\
default: dev
profiles:
  prod: {admin: {endpoint: user.example.com}}
  dev: {admin: {endpoint: dev.example.com}}
"""
BROKEN = "profiles:\n  prod: {admin: {endpoint: user.example.com}\n  dev: x\n"


def flyte(host: str, **more: Any) -> str:
    return f"admin: {{endpoint: {host}{''.join(f', {k}: {v}' for k, v in more.items())}}}\n"


def endpoints(profiles: Profiles) -> dict[str, str]:
    return {name: profile.config.endpoint for name, profile in profiles.all().items()}


def age(path: Path) -> None:
    """Make a file look as if nobody had written it for a while."""
    old = time.time_ns() - 10**10
    os.utime(path, ns=(old, old))


def test_where_nothing_is_configured_there_is_nothing_not_even_in_the_current_directory() -> None:
    profiles = Profiles()
    assert (profiles.names(), profiles.default, profiles.problems) == ([], None, [])
    with pytest.raises(ProfileNotFoundError, match="There is no profile 'prod'"):
        profiles.get("prod")


def test_the_administrator_beats_the_user_and_the_user_beats_flyte(
    user_file: Callable[..., Path], flyte_file: Callable[..., Path]
) -> None:
    path = user_file(USER)
    named = flyte_file(flyte("flyte-dev"), "config-dev.yaml")
    flyte_file(flyte("flyte-test"), "config-test.yaml")
    usual = flyte_file(flyte("flyte-default"))
    profiles = Profiles(admin=ADMIN)
    assert endpoints(profiles) == {
        "prod": "admin.example.com",
        "dev": "dev.example.com",
        "default": "flyte-default",
        "test": "flyte-test",
    }
    assert [(p.source, p.path) for p in profiles.all().values()] == [
        (ProfileSource.ADMIN, None),
        (ProfileSource.USER, str(path)),
        (ProfileSource.FLYTE, str(usual)),
        (ProfileSource.FLYTE, str(named.with_name("config-test.yaml"))),
    ]
    assert profiles.names() == list(profiles.all())
    assert profiles.problems == []
    assert "the administrator's wins" in profiles.get("prod").warnings[0]
    assert endpoints(Profiles(flyte=False)) == {
        "prod": "user.example.com",
        "dev": "dev.example.com",
    }
    assert list(endpoints(Profiles(user_file=None))) == ["default", "dev", "test"]


def test_nobody_is_told_that_flytes_profile_gives_way(
    flyte_file: Callable[..., Path],
) -> None:
    flyte_file(flyte("host"))
    assert Profiles(admin={"default": ADMIN["prod"]}).get("default").warnings == ()


def test_a_profile_that_is_not_there_is_told_with_those_that_are(
    user_file: Callable[..., Path],
) -> None:
    user_file(USER)
    with pytest.raises(ProfileNotFoundError) as caught:
        Profiles().get("prdo")
    assert caught.value.fix == "Did you mean 'prod'? Use one of prod, dev."


def test_the_default(
    user_file: Callable[..., Path], flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Profiles(admin=ADMIN).default == "prod"  # the only one
    flyte_file(flyte("host"))
    assert Profiles(admin=ADMIN).default == "default"
    user_file(USER)
    assert Profiles(admin=ADMIN).default == "dev"
    monkeypatch.setenv("PLATFORM_AUTH_PROFILE", "elsewhere")
    assert Profiles(admin=ADMIN).default == "elsewhere"
    assert Profiles(admin=ADMIN, default="explicit").default == "explicit"
    monkeypatch.delenv("PLATFORM_AUTH_PROFILE")
    user_file(USER.replace("default: dev\n", ""))
    assert Profiles(admin=ADMIN, flyte=False).default is None


def test_the_users_file_is_where_it_is_said_to_be(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "profiles: {%s: {admin: {endpoint: host}}}\n"
    for where in ("home/.jupyter/platform-auth", "jupyter/platform-auth", "x"):
        (tmp_path / where).mkdir(parents=True)
    (home / ".jupyter/platform-auth/profiles.yaml").write_text(text % "usual")
    (tmp_path / "jupyter/platform-auth/profiles.yaml").write_text(text % "jupyter")
    (home / "own.yaml").write_text(text % "own")
    assert Profiles().names() == ["usual"]
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    assert Profiles().names() == ["jupyter"]
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", "~/own.yaml")
    assert Profiles().names() == ["own"]
    assert Profiles(user_file=home / ".jupyter/platform-auth/profiles.yaml").names() == ["usual"]


@pytest.mark.parametrize("variable", ["JUPYTER_CONFIG_DIR", "JUPYTER_PLATFORM_DIRS"])
def test_the_usual_directory_is_jupyters(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from jupyter_core.paths import jupyter_config_dir

    assert module.user_file() == Path(jupyter_config_dir()) / "platform-auth" / "profiles.yaml"
    monkeypatch.setenv(variable, str(tmp_path) if variable.endswith("DIR") else "1")
    assert module.user_file() == Path(jupyter_config_dir()) / "platform-auth" / "profiles.yaml"


@pytest.mark.parametrize(
    ("value", "problem"), [("profiles.yaml", "relative path"), ("~/missing.yaml", "No such file")]
)
def test_a_named_file_that_cannot_be_is_a_problem(
    value: Any, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", value)
    (found,) = Profiles().problems
    assert problem in found.what
    with pytest.raises(ConfigError, match=problem):
        Profiles().get("anything")


def test_a_broken_file_hides_no_profile_of_the_administrator(
    user_file: Callable[..., Path], flyte_file: Callable[..., Path]
) -> None:
    path = user_file(BROKEN)
    flyte_file(flyte("host"))
    profiles = Profiles(admin=ADMIN)
    assert endpoints(profiles) == {"prod": "admin.example.com"}
    assert profiles.get("prod").locked
    (problem,) = profiles.problems
    assert f"{path}, line 3, column 3: expected" in problem.what
    for name in ("dev", "default", "unheard-of"):
        with pytest.raises(ConfigError) as caught:
            profiles.get(name)
        assert caught.value.what == problem.what
        assert not isinstance(caught.value, ProfileNotFoundError)


def test_a_broken_profile_hides_no_other_and_is_still_named(user_file: Callable[..., Path]) -> None:
    path = user_file(USER + "  bad: {admin: {endpoint: host, insecure: maybe}}\n  worse: 3\n")
    profiles = Profiles(admin={**ADMIN, "odd": {"admin": {"endpoint": 3}}})
    assert profiles.names() == ["prod", "odd", "dev", "bad", "worse"]
    assert list(profiles.all()) == ["prod", "dev"]
    assert len(profiles.problems) == 3
    with pytest.raises(ConfigError, match=r"admin\.insecure is 'maybe'") as caught:
        profiles.get("bad")
    assert f"{path}, line 5, column 43" in caught.value.why
    with pytest.raises(ConfigError, match=r"profiles\.worse is a number"):
        profiles.get("worse")
    with pytest.raises(ConfigError, match=r"admin\.endpoint is a number") as caught:
        profiles.get("odd")
    assert "c.PlatformAuth.profiles['odd']" in caught.value.why


def test_the_administrators_broken_profile_is_not_replaced_by_the_users(
    user_file: Callable[..., Path],
) -> None:
    user_file(USER)
    with pytest.raises(ConfigError, match=r"no admin\.endpoint"):
        Profiles(admin={"prod": {}}).get("prod")


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("profile: {}\n", 1, 1, "profile is not"),
        ("profiles: []\n", 1, 11, "profiles is a list"),
        ("profiles: {}\ndefault: no\n", 2, 10, "default is a boolean"),
        ("profiles: {}\nextra:\n", 2, 1, "extra is not"),
    ],
)
def test_a_wrong_root_is_a_problem_of_the_file(
    text: str, line: int, column: int, what: str, user_file: Callable[..., Path]
) -> None:
    path = user_file(text)
    (problem,) = Profiles().problems
    assert problem.what.startswith(what)
    assert f"{path}, line {line}, column {column}" in problem.why


def test_names_that_yaml_turns_into_something_else_are_refused_by_name(
    user_file: Callable[..., Path],
) -> None:
    user_file("profiles:\n  no: {admin: {endpoint: host}}\n  1: {admin: {endpoint: host}}\n")
    assert [problem.fix for problem in Profiles().problems] == ["Quote it: '…'."] * 2


def test_an_unknown_key_in_a_profile_is_told_with_line_and_column(
    user_file: Callable[..., Path],
) -> None:
    path = user_file("profiles:\n  prod:\n    admin:\n      clientID: x\n")
    (problem,) = Profiles().problems
    assert problem.what == "admin.clientID is not a setting that is known here."
    assert f"{path}, line 4, column 7" in problem.why
    assert "'clientId'" in problem.fix


def test_files_are_read_again_when_they_change(
    user_file: Callable[..., Path], flyte_file: Callable[..., Path]
) -> None:
    profiles = Profiles()
    assert profiles.names() == []
    age(user_file(USER))
    assert profiles.names() == ["prod", "dev"]
    user_file(USER.replace("dev.example.com", "new.example.com"))
    assert profiles.get("dev").config.host == "new.example.com"
    user_file(BROKEN)
    assert len(profiles.problems) == 1
    path = user_file(USER)
    assert profiles.problems == []
    age(flyte_file(flyte("one"), "config-x.yaml"))
    assert profiles.get("x").config.host == "one"
    flyte_file(flyte("two"), "config-x.yaml")
    assert profiles.get("x").config.host == "two"
    path.unlink()
    assert profiles.names() == ["x"]


def test_a_change_under_the_same_time_stamp_and_size_shows(user_file: Callable[..., Path]) -> None:
    profiles = Profiles()
    now = time.time_ns()
    for host in ("one", "two", "six"):
        os.utime(user_file(f"profiles: {{x: {{admin: {{endpoint: {host}}}}}}}\n"), ns=(now, now))
        assert profiles.get("x").config.host == host


def test_files_that_did_not_change_are_not_read_again(
    user_file: Callable[..., Path], flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    age(user_file(USER))
    age(flyte_file(flyte("host")))
    profiles = Profiles(admin=ADMIN)
    before = profiles.all()

    def fail(*_: Any) -> None:
        pytest.fail("a file was read again")

    monkeypatch.setattr(Path, "open", fail)
    assert profiles.all() == before
    assert profiles.default == "dev"


def test_variables_of_flyte_lie_over_the_default_only_and_only_where_flyte_is_set_up(
    flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYTE_CREDENTIALS_CLIENT_ID", "app")
    assert Profiles().names() == []
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "environment")
    (profile,) = Profiles().all().values()
    assert (profile.name, profile.config.endpoint, profile.path) == ("default", "environment", None)
    flyte_file(flyte("file", authType="Pkce"))
    flyte_file(flyte("other"), "config-other.yaml")
    profiles = Profiles()
    assert profiles.get("default").config.endpoint == "environment"
    assert profiles.get("default").config.flow == "pkce"
    assert profiles.get("default").config.client_id == "app"
    assert profiles.get("other").config.endpoint == "other"
    assert profiles.get("other").config.client_id is None


def test_flytectl_config_names_the_default_file(
    flyte_file: Callable[..., Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flyte_file(flyte("usual"))
    other = home / "other.yaml"
    other.write_text(flyte("named"))
    monkeypatch.setenv("FLYTECTL_CONFIG", str(other))
    assert Profiles().get("default").config.endpoint == "named"
    monkeypatch.setenv("FLYTECTL_CONFIG", str(home / "missing.yaml"))
    profile = Profiles().get("default")
    assert profile.config.endpoint == "usual"
    assert "missing.yaml, which does not exist" in profile.warnings[0]


def test_a_broken_file_of_flytes_is_a_problem_of_its_profile_alone(
    flyte_file: Callable[..., Path], user_file: Callable[..., Path]
) -> None:
    user_file(USER)
    path = flyte_file("admin: [\n", "config-x.yaml")
    flyte_file("[platform\n", "config")
    flyte_file(flyte("host"), "config-y.yaml")
    profiles = Profiles()
    assert profiles.names() == ["prod", "dev", "default", "x", "y"]
    assert list(profiles.all()) == ["prod", "dev", "y"]
    with pytest.raises(ConfigError, match=f"{path}, line 2, column 1"):
        profiles.get("x")
    with pytest.raises(ConfigError, match="line 1, column 1"):
        profiles.get("default")


def test_warnings_of_flytes_files_reach_the_profile(flyte_file: Callable[..., Path]) -> None:
    flyte_file(flyte("host", clientID="x"))
    assert "Did you mean 'clientId'?" in Profiles().get("default").warnings[0]


def test_what_the_policy_refuses_is_neither_listed_nor_given(
    user_file: Callable[..., Path], flyte_file: Callable[..., Path]
) -> None:
    user_file(USER)
    flyte_file(flyte("flyte.example.org"))
    profiles = Profiles(admin=ADMIN, policy=Policy(allowed_endpoints=("*.example.com",)))
    assert profiles.names() == ["prod", "dev"]
    with pytest.raises(PolicyError, match=r"flyte\.example\.org"):
        profiles.get("default")
    assert [type(problem) for problem in profiles.problems] == [PolicyError]
    locked = Profiles(admin=ADMIN, policy=Policy(allow_user_profiles=False))
    assert locked.names() == ["prod"]
    with pytest.raises(PolicyError, match="not the administrator's"):
        locked.get("dev")


def test_an_error_that_is_raised_again_does_not_grow(user_file: Callable[..., Path]) -> None:
    age(user_file(BROKEN))
    profiles = Profiles()
    depths = []
    for _ in range(3):
        with pytest.raises(ConfigError) as caught:
            profiles.get("x")
        depths.append(len(caught.traceback))
    assert depths[0] == depths[2]


def test_a_rotated_secret_does_not_make_another_profile_of_it(
    home: Path, user_file: Callable[..., Path]
) -> None:
    (home / "secret").write_text("one")
    user_file("profiles: {x: {admin: {endpoint: host, clientSecretLocation: ~/secret}}}\n")
    before = Profiles().get("x")
    (home / "secret").write_text("two")
    assert Profiles().get("x") == before
    assert before.config.client_secret() == Secret("two")
