from __future__ import annotations

from typing import Any

import pytest

from platform_auth.config import AuthType, PlatformConfig, Policy, Profile, ProfileSource
from platform_auth.errors import ConfigError, PolicyError

USERS = [ProfileSource.USER, ProfileSource.FLYTE, ProfileSource.SESSION]


def profile(
    endpoint: str = "flyte.example.com",
    *,
    source: ProfileSource = ProfileSource.USER,
    **settings: Any,
) -> Profile:
    return Profile("prod", PlatformConfig(endpoint, **settings), source)


def allows(policy: Policy, given: Profile) -> bool:
    try:
        policy.check(given)
    except PolicyError:
        return False
    return True


@pytest.mark.parametrize(
    ("pattern", "allowed", "refused"),
    [
        (
            "flyte.example.com",
            [
                "flyte.example.com",
                "FLYTE.example.com.",
                "flyte.example.com:8443",
                "dns:///flyte.example.com",
            ],
            [
                "example.com",
                "x.flyte.example.com",
                "flyte.example.com.evil.com",
                "notflyte.example.com",
            ],
        ),
        (
            "flyte.example.com:443",
            ["flyte.example.com", "https://flyte.example.com"],
            ["flyte.example.com:8443"],
        ),
        ("https://flyte.example.com/", ["flyte.example.com"], ["flyte.example.com:8443"]),
        ("https://flyte.example.com:8443", ["flyte.example.com:8443"], ["flyte.example.com"]),
        (
            "*.example.com",
            ["a.example.com", "a.b.example.com:9"],
            ["example.com", "aexample.com", "a.example.org"],
        ),
        ("*.example.com:9", ["a.example.com:9"], ["a.example.com", "example.com:9"]),
        ("https://*.example.com", ["a.example.com"], ["a.example.com:9", "example.com"]),
        ("*", ["anything", "anything:9"], []),
        ("*:9", ["anything:9"], ["anything"]),
        ("[::1]:9", ["[::1]:9"], ["[::1]:8", "[::2]:9"]),
        (" Flyte.Example.com ", ["flyte.example.com"], ["x"]),
    ],
)
def test_allowed_endpoints(pattern: str, allowed: list[str], refused: list[str]) -> None:
    policy = Policy(allowed_endpoints=[pattern])
    assert [host for host in allowed if not allows(policy, profile(host))] == []
    assert [host for host in refused if allows(policy, profile(host))] == []


def test_a_scheme_in_the_list_binds() -> None:
    policy = Policy(allowed_endpoints=["https://127.0.0.1:8080"])
    assert not allows(policy, profile("http://127.0.0.1:8080"))
    assert allows(policy, profile("https://127.0.0.1:8080"))


def test_a_refusal_names_host_profile_policy_and_list() -> None:
    policy = Policy(allowed_endpoints=("a.example.com", "*.example.org"))
    with pytest.raises(PolicyError) as caught:
        policy.check(profile("evil.example.com:8443"))
    error = caught.value
    assert "evil.example.com:8443" in error.what
    assert "'prod'" in error.what
    assert "allowed_endpoints lists a.example.com, *.example.org" in error.why
    assert "c.PlatformAuth.allowed_endpoints" in error.fix


def test_an_empty_list_allows_nothing_and_none_everything() -> None:
    assert not allows(Policy(allowed_endpoints=[]), profile())
    assert allows(Policy(), profile())


def test_allowed_endpoints_bind_the_administrator_too() -> None:
    assert not allows(Policy(allowed_endpoints=["x"]), profile(source=ProfileSource.ADMIN))


@pytest.mark.parametrize(
    "wrong",
    [
        "example.com",
        [3],
        ["a b"],
        ["ex*mple.com"],
        ["*example.com"],
        ["a.*.com"],
        ["ftp://x"],
        [""],
        [":9"],
        ["https://"],
        ["a@b"],
    ],
)
def test_a_list_that_is_not_understood_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="allowed_endpoints"):
        Policy(allowed_endpoints=wrong)


def test_the_same_list_judges_the_issuer() -> None:
    policy = Policy(allowed_endpoints=["*.example.com"])
    policy.check_url("https://id.example.com/oauth2/authorize?client_id=x#y", "prod")
    for url in ("https://id.example.org/a.example.com", "https://example.org?a.example.com"):
        with pytest.raises(PolicyError, match="may not reach"):
            policy.check_url(url, "prod")
    for url in (
        "https://a.example.com@evil.org/",
        "https://evil.org\\.example.com",
        "file:///etc/passwd",
    ):
        with pytest.raises(ConfigError):
            policy.check_url(url, "prod")
    Policy().check_url("https://id.example.org", "prod")


@pytest.mark.parametrize("source", USERS)
def test_only_the_administrators_profiles(source: ProfileSource) -> None:
    policy = Policy(allow_user_profiles=False)
    assert not allows(policy, profile(source=source))
    assert allows(policy, profile(source=ProfileSource.ADMIN))


@pytest.mark.parametrize(
    ("endpoint", "settings", "allowed"),
    [
        ("flyte.example.com", {}, True),
        ("flyte.example.com", {"insecure": True}, False),
        ("http://flyte.example.com", {"insecure": True}, False),
        ("https://flyte.example.com", {"insecure": True}, False),
        ("flyte.example.com", {"insecure_skip_verify": True}, False),
        ("localhost:30080", {"insecure": True}, True),
        ("http://127.0.0.1:8080", {}, True),
        ("localhost:30080", {"insecure_skip_verify": True}, False),
    ],
)
def test_without_insecure(endpoint: str, settings: dict[str, Any], allowed: bool) -> None:
    policy = Policy(allow_insecure=False)
    assert allows(policy, profile(endpoint, **settings)) is allowed
    assert allows(policy, profile(endpoint, source=ProfileSource.ADMIN, **settings))


@pytest.mark.parametrize(
    "settings",
    [{"command": ["x"]}, {"proxy_command": ["x"]}, {"command": ["x"], "auth_mode": AuthType.PKCE}],
)
def test_without_commands(settings: dict[str, Any]) -> None:
    policy = Policy(allow_commands=False)
    assert not allows(policy, profile(**settings))
    assert allows(policy, profile(source=ProfileSource.ADMIN, **settings))
    assert allows(policy, profile())


@pytest.mark.parametrize("rule", ["allow_user_profiles", "allow_insecure", "allow_commands"])
def test_every_refusal_names_host_and_rule(rule: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(**{rule: False}).check(profile(insecure=True, command=["x"]))
    assert "flyte.example.com" in caught.value.what
    assert rule in caught.value.why
    assert f"c.PlatformAuth.{rule}" in caught.value.fix


@pytest.mark.parametrize("source", list(ProfileSource))
def test_flows_that_are_not_listed_are_refused_to_everybody(source: ProfileSource) -> None:
    policy = Policy(allowed_flows=("pkce",))

    assert allows(policy, profile(source=source, auth_mode=AuthType.PKCE))
    with pytest.raises(PolicyError, match="device") as refused:
        policy.check(profile(source=source, auth_mode=AuthType.DEVICEFLOW))
    assert "allowed_flows lists pkce" in str(refused.value)


@pytest.mark.parametrize("source", list(ProfileSource))
def test_scopes_above_the_ceiling_are_refused_to_everybody(source: ProfileSource) -> None:
    policy = Policy(allowed_scopes=("openid", "api"))

    assert allows(policy, profile(source=source, scopes=("api",)))
    with pytest.raises(PolicyError, match="admin") as refused:
        policy.check(profile(source=source, scopes=("api", "admin")))
    assert "allowed_scopes lists openid, api" in str(refused.value)


@pytest.mark.parametrize("rule", ["allowed_flows", "allowed_scopes"])
@pytest.mark.parametrize("given", ["pkce", [1]])
def test_what_is_no_list_of_names_is_refused(rule: str, given: Any) -> None:
    with pytest.raises(ConfigError, match=rule):
        Policy(**{rule: given})
