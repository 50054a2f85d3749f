from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from platform_auth.config import Profiles
from platform_auth.config.origin import Explanation, explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def explained(name: str, profiles: Profiles | None = None) -> dict[str, Explanation]:
    return {each.setting: each for each in explain((profiles or Profiles()).get(name))}


def test_a_file_of_ours(user_file: Callable[..., Path]) -> None:
    path = user_file(
        "profiles:\n  prod:\n    admin: {endpoint: flyte.example.com, scopes: [a, b]}\n"
        "    oauth: {issuer: 'https://id.example.com'}\n    client: grpc\n"
    )
    found = explained("prod")
    endpoint = found["admin.endpoint"]
    assert endpoint.value == "flyte.example.com"
    assert endpoint.origin.place == f"admin.endpoint in {path}, line 3, column 23"
    assert (found["admin.scopes"].value, found["client"].value) == ("a, b", "grpc")
    assert found["oauth.issuer"].origin.place.startswith(f"oauth.issuer in {path}, line 4")


def test_what_nobody_said_is_a_default(user_file: Callable[..., Path]) -> None:
    user_file("profiles: {prod: {admin: {endpoint: flyte.example.com}}}")
    found = explained("prod")
    assert found["admin.authType"].value == "standard"
    assert found["oauth.redirect"].value == "auto"
    assert {found[name].origin.place for name in ("admin.authType", "client")} == {"default"}
    assert "admin.clientId" not in found  # nothing is in effect, so there is nothing to explain


def test_the_environment_overrides_the_file(
    flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = flyte_file("admin:\n  endpoint: a.example.com\n  clientId: ci\n")
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "b.example.com")
    monkeypatch.setenv("FLYTE_CREDENTIALS_CLIENT_ID", "")
    found = explained("default")
    endpoint, client = found["admin.endpoint"], found["admin.clientId"]
    assert endpoint.value == "b.example.com"
    assert endpoint.origin.place == "FLYTE_PLATFORM_URL in the environment"
    assert endpoint.origin.overrode == (f"admin.endpoint in {path}, line 2, column 13",)
    assert client.value == "(nothing)"  # an empty variable hides what the file says
    assert len(client.origin.overrode) == 1


def test_a_secret_kept_elsewhere_decides_how_to_sign_in(
    flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    flyte_file("admin: {endpoint: a, authType: Pkce, clientSecretEnvVar: CI, clientId: ci}\n")
    monkeypatch.setenv("CI", "hunter2")
    mode = explained("default")["admin.authType"]
    assert mode.value == "ClientSecret"
    assert mode.origin.place.startswith("admin.clientSecretEnvVar in ")
    assert [each.partition(" in ")[0] for each in mode.origin.overrode] == ["admin.authType"]


@pytest.mark.parametrize(
    ("variable", "winner"),
    [("hunter2", "admin.clientSecretEnvVar"), ("", "admin.clientSecretLocation")],
)
def test_of_several_secrets_one_is_used(
    user_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, variable: str, winner: str
) -> None:
    user_file(
        "profiles: {ci: {admin: {endpoint: a, clientSecretEnvVar: CI, "
        "clientSecretLocation: secret.txt}}}"
    )
    monkeypatch.setenv("CI", variable)
    secrets = {n: each for n, each in explained("ci").items() if "ecret" in n}
    assert list(secrets) == [winner]
    others = {each.partition(" in ")[0] for each in secrets[winner].origin.overrode}
    known = {"admin.clientSecretEnvVar", "admin.clientSecretLocation"}
    assert others == known - {winner}


def test_no_secret_is_shown(user_file: Callable[..., Path]) -> None:
    user_file(
        "profiles: {ci: {admin: {endpoint: a, command: [get, --password, hunter2], "
        "httpProxyURL: 'http://me:hunter2@proxy'}, "
        "oauth: {client_secret: hunter2, private_key: hunter2}}}"
    )
    found = explained("ci")
    assert not any("hunter2" in each.value for each in found.values())
    assert found["oauth.client_secret"].value == "(not shown)"
    assert found["admin.httpProxyURL"].value == "http://proxy"
    assert found["admin.command"].value.startswith("('get'")


def test_other_profiles_of_the_same_name(
    user_file: Callable[..., Path], flyte_file: Callable[..., Path]
) -> None:
    shape = {"admin": {"endpoint": "flyte.example.com"}}
    own = user_file("profiles: {prod: {admin: {endpoint: own.example.com}}}")
    flyte = flyte_file("admin: {endpoint: theirs.example.com}", "config-prod.yaml")
    assert Profiles(admin={"prod": shape}).get("prod").hides == (str(own), str(flyte))
    assert Profiles().get("prod").hides == (str(flyte),)


def test_a_line_more_in_the_file_makes_no_other_profile(user_file: Callable[..., Path]) -> None:
    text = "profiles: {prod: {admin: {endpoint: flyte.example.com}}}"
    user_file(text)
    before = Profiles().get("prod")
    user_file(f"# a comment\n{text}")
    after = Profiles().get("prod")
    assert before.origins != after.origins
    assert before == after


def test_who_says_which_is_the_default(
    user_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = user_file("profiles: {prod: {admin: {endpoint: a}}}")
    assert Profiles().default_origin == "it is the only one"
    user_file("default: prod\nprofiles: {prod: {admin: {endpoint: a}}}")
    said = f"default in {path}, line 1, column 10"
    assert Profiles().default_origin == said
    monkeypatch.setenv("PLATFORM_AUTH_PROFILE", "ci")
    environment = "PLATFORM_AUTH_PROFILE in the environment"
    assert Profiles().default_origin == f"{environment}, which overrode {said}"
    assert Profiles(default="x").default_origin.startswith("c.PlatformAuth.default_profile, which")
