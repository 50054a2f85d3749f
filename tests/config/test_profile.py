from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_auth.config import AuthType, OAuthSettings, PlatformConfig, Profile, ProfileSource
from platform_auth.errors import ConfigError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


EXAMPLE = {
    "admin": {
        "endpoint": "dns:///flyte.example.com",
        "authType": "Pkce",
        "scopes": ["openid", "offline_access"],
    },
    "console": {"endpoint": "https://flyte.example.com/console"},
    "oauth": {"issuer": "https://id.example.com", "redirect": "auto"},
    "client": "flytekit",
}
PROFILES = settings(max_examples=80)


def read(mapping: Any, source: ProfileSource = ProfileSource.USER, **more: Any) -> Profile:
    return Profile.from_mapping("prod", mapping, source=source, **more)


def refused(mapping: Any, **more: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(mapping, **more)
    return caught.value


def test_the_documented_shape() -> None:
    profile = read(EXAMPLE)
    assert profile.config == PlatformConfig(
        "flyte.example.com",
        auth_mode=AuthType.PKCE,
        scopes=["openid", "offline_access"],
        console_endpoint="https://flyte.example.com/console",
        oauth=OAuthSettings(issuer="https://id.example.com"),
    )
    assert (profile.client, profile.source, profile.warnings) == (
        "flytekit",
        ProfileSource.USER,
        (),
    )
    assert not profile.locked
    assert read(EXAMPLE, ProfileSource.ADMIN).locked


def test_every_oauth_setting_is_a_key() -> None:
    oauth = {
        "issuer": "https://id.example.com/",
        "redirect": "paste",
        "redirect_uri": "http://localhost:53593/callback",
        "authorization_endpoint": "https://id.example.com/a",
        "token_endpoint": "https://id.example.com/t",
        "device_authorization_endpoint": "https://id.example.com/d",
        "revocation_endpoint": "https://id.example.com/r",
        "end_session_endpoint": "https://id.example.com/e",
        "userinfo_endpoint": "https://id.example.com/u",
        "jwks_uri": "https://id.example.com/j",
        "post_logout_redirect_uri": "https://jupyter.example.com/bye",
        "token_endpoint_auth_method": "client_secret_post",
        "authorization_metadata_key": "flyte-authorization",
        "resource": ["https://api.example.com/a,b"],
        "id_token_algorithms": ["ES384"],
        "private_key": "-----BEGIN PRIVATE KEY-----",
        "private_key_file": "/keys/client.pem",
        "private_key_id": "2025",
        "client_assertion_audience": "token_endpoint",
        "flow": "token_exchange",
        "identity_token_file": "/run/secrets/token",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    profile = read({"admin": {"endpoint": "host"}, "oauth": oauth})
    expected = oauth | {
        "resource": ("https://api.example.com/a,b",),
        "id_token_algorithms": ("ES384",),
        "private_key": Secret("-----BEGIN PRIVATE KEY-----"),
    }
    assert vars(profile.config.oauth) == expected
    one = read(
        {"admin": {"endpoint": "host"}, "oauth": {"resource": "https://api.example.com/a,b"}}
    )
    assert one.config.oauth.resource == ("https://api.example.com/a,b",)


@pytest.mark.parametrize(
    ("mapping", "what", "fix"),
    [
        ({"admn": {}}, "admn is not", "'admin'"),
        ({"admin": {"clientID": "x"}}, "admin.clientID", "'clientId'"),
        ({"admin": {"client_id": "x"}}, "admin.client_id", "'clientId'"),
        ({"admin": {"scope": []}}, "admin.scope ", "'scopes'"),
        ({"console": {"endpont": "x"}}, "console.endpont", "'endpoint'"),
        ({"oauth": {"isuer": "x"}}, "oauth.isuer", "'issuer'"),
        ({"oauth": {"clientSecret": "x"}}, "oauth.clientSecret", "'client_secret'"),
        ({"oauth": {"zzz": "x"}}, "oauth.zzz", "Known: issuer, redirect"),
        ({True: {}}, "True is not", "Known: admin"),
    ],
)
def test_an_unknown_key_is_an_error_with_the_one_meant(mapping: Any, what: str, fix: str) -> None:
    error = refused(mapping)
    assert what in error.what
    assert fix in error.fix
    assert "the profile 'prod'" in error.why


@pytest.mark.parametrize(
    ("mapping", "what"),
    [
        ({}, "has no admin.endpoint"),
        ({"admin": None}, "has no admin.endpoint"),
        ({"admin": "flyte.example.com"}, "admin is a str, not a mapping"),
        (
            {"admin": {"endpoint": "h", "rpcRetries": "3"}},
            "admin.rpcRetries is a str, not a number",
        ),
        ({"admin": {"endpoint": "h", "rpcRetries": True}}, "admin.rpcRetries is a boolean"),
        ({"admin": {"endpoint": "h", "rpcRetries": -1}}, "rpc_retries is not"),
        ({"admin": {"endpoint": "h"}, "oauth": {"issuer": "http://id.example.com"}}, "plain http"),
        ({"admin": {"endpoint": "h"}, "oauth": {"redirect": "popup"}}, "redirect is 'popup'"),
        ({"admin": {"endpoint": "h"}, "client": 3}, "client is a number, not a string"),
        ({"admin": {"endpoint": "h"}, "oauth": []}, "oauth is a list"),
        ({"admin": {"endpoint": "h", "caCertFilePath": "ca.pem"}}, "is the relative path"),
    ],
)
def test_a_wrong_value_is_an_error(mapping: Any, what: str) -> None:
    assert what in refused(mapping).what


def test_a_wrong_secret_is_not_shown() -> None:
    assert "1234" not in str(
        refused({"admin": {"endpoint": "h"}, "oauth": {"client_secret": 1234}})
    )


@pytest.mark.parametrize(
    "name", ["", " x", "x ", "a/b", "a\\b", "..", ".", "a\nb", "x" * 65, 3, None]
)
def test_what_cannot_be_a_name_is_refused(name: Any) -> None:
    with pytest.raises(ConfigError):
        Profile.from_mapping(name, EXAMPLE, source=ProfileSource.USER)


@pytest.mark.parametrize(
    "name", ["prod", "a b", "flyte.example.com:443-0a1b2c3d", "größe", "x" * 64]
)
def test_names_may_hold_what_a_url_can_escape(name: str) -> None:
    assert Profile.from_mapping(name, EXAMPLE, source=ProfileSource.USER).name == name


def test_a_pasted_flytectl_key_is_a_warning() -> None:
    profile = read({"admin": {"endpoint": "host", "maxRetries": 4}})
    (warning,) = profile.warnings
    assert "admin.maxRetries in the profile 'prod' has no effect here" in warning


def test_here_a_named_mode_wins_even_when_the_secret_is_kept_elsewhere(home: Path) -> None:
    """A confidential web client needs both; flytekit would force client credentials."""
    admin = {"endpoint": "host", "clientSecretLocation": str(home / "secret"), "authType": "Pkce"}
    assert read({"admin": admin}).config.flow == "pkce"
    del admin["authType"]
    assert read({"admin": admin}).config.flow == "client_credentials"


def test_a_secret_kept_elsewhere_is_read_when_it_is_used(home: Path) -> None:
    admin = {"endpoint": "host", "clientSecretLocation": "~/secret"}
    config = read({"admin": admin}).config
    assert config.client_credentials_secret is None
    with pytest.raises(ConfigError, match="clientSecretLocation names"):
        config.client_secret()
    (home / "secret").write_text("s\n")
    assert config.client_secret() == Secret("s")


def test_paths_start_at_the_file_of_the_profile(home: Path) -> None:
    admin = {"endpoint": "host", "clientSecretLocation": "secret", "caCertFilePath": "~/ca.pem"}
    config = read({"admin": admin}, path=str(home / "x" / "profiles.yaml")).config
    assert config.client_secret_file == str(home / "x" / "secret")
    assert config.ca_cert_file_path == str(home / "ca.pem")


def test_a_variable_that_is_not_set_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = {"admin": {"endpoint": "host", "clientSecretEnvVar": "CI_SECRET"}}
    (warning,) = read(mapping).warnings
    assert "names CI_SECRET, which is not set" in warning
    monkeypatch.setenv("CI_SECRET", "s")
    assert read(mapping).warnings == ()


@pytest.mark.parametrize("key", ["clientSecretLocation", "clientSecretEnvVar"])
def test_a_profile_from_code_names_no_file_or_variable_of_the_receivers(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_SECRET", "hunter2")
    mapping = {"admin": {"endpoint": "evil.example.com", key: "/HUB_SECRET"[key.endswith("Var") :]}}
    assert f"admin.{key} is not read" in refused(mapping, source=ProfileSource.SESSION).what
    with_secret = mapping | {"oauth": {"client_secret": "mine"}}
    config = read(with_secret, ProfileSource.SESSION).config
    assert config.client_secret() == Secret("mine")
    assert config.client_secret_file is config.client_secret_env_var is None


def test_a_profile_from_code_travels_with_its_secret_but_not_where_it_was(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "secret").write_text("s\n")
    config = PlatformConfig("host", client_secret_file=home / "secret", client_secret_env_var="X")
    mapping = Profile("prod", config, ProfileSource.SESSION).to_mapping()
    assert mapping["oauth"] == {"client_secret": "s"}
    assert not {"clientSecretLocation", "clientSecretEnvVar"} & mapping["admin"].keys()
    assert read(mapping, ProfileSource.SESSION).config.client_secret() == Secret("s")


def test_without_secrets_neither_secret_nor_place_is_told(home: Path) -> None:
    (home / "hunter2").write_text("hunter2")
    config = PlatformConfig(
        "host", client_secret_file=home / "hunter2", client_credentials_secret="hunter2"
    )
    for source in ProfileSource:
        mapping = Profile("prod", config, source).to_mapping(secrets=False)
        assert "hunter2" not in json.dumps(mapping)
        assert read(mapping, ProfileSource.SESSION).config.auth_mode is AuthType.CLIENTSECRET


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12
)
HOSTS = st.sampled_from(["host", "host:443", "https://host/x", "127.0.0.1:8080", "[::1]:9"])
URLS = st.none() | WORDS.map(
    lambda word: f"https://id.example.com/{word.replace('#', '')}".replace("\\", "")
)
LISTS = st.lists(WORDS, max_size=3)
OAUTH = st.builds(
    OAuthSettings,
    issuer=st.none() | st.just("https://id.example.com/"),
    redirect=st.sampled_from(["auto", "server", "loopback", "paste"]),
    redirect_uri=URLS,
    token_endpoint=URLS,
    jwks_uri=URLS,
    post_logout_redirect_uri=URLS,
    token_endpoint_auth_method=st.none() | st.sampled_from(["none", "client_secret_basic"]),
    authorization_metadata_key=st.none() | st.just("flyte-authorization"),
    resource=st.lists(st.just("https://api.example.com/a,b"), max_size=2),
    id_token_algorithms=st.lists(st.sampled_from(["ES384", "PS512"]), max_size=2),
    private_key=st.none() | WORDS,
    private_key_id=st.none() | WORDS,
    client_assertion_audience=st.sampled_from(["issuer", "token_endpoint"]),
)
CONFIGS = st.builds(
    PlatformConfig,
    endpoint=HOSTS,
    insecure=st.booleans(),
    insecure_skip_verify=st.booleans(),
    ca_cert_file_path=st.none() | WORDS.map(lambda word: f"/ca/{word}"),
    console_endpoint=st.none() | WORDS,
    command=st.none() | LISTS,
    proxy_command=st.none() | LISTS,
    client_id=st.none() | WORDS,
    client_credentials_secret=st.none() | WORDS,
    scopes=LISTS,
    auth_mode=st.none() | st.sampled_from(AuthType),
    audience=st.none() | WORDS,
    rpc_retries=st.integers(0, 9),
    http_proxy_url=st.none() | st.just("http://ada:pw@proxy:3128"),
    oauth=OAUTH,
)


@PROFILES
@given(config=CONFIGS, source=st.sampled_from(ProfileSource), client=st.none() | WORDS)
def test_a_profile_survives_the_way_over_the_socket(
    config: PlatformConfig, source: ProfileSource, client: str | None
) -> None:
    profile = Profile("prod", config, source, client=client)
    mapping = json.loads(json.dumps(profile.to_mapping()))
    assert Profile.from_mapping("prod", mapping, source=source) == profile


def test_references_survive_where_they_mean_something(home: Path) -> None:
    (home / "secret").write_text("s")
    admin = {
        "endpoint": "host",
        "clientSecretLocation": str(home / "secret"),
        "clientSecretEnvVar": "X",
    }
    profile = read({"admin": admin})
    again = read(profile.to_mapping())
    assert again.config.client_secret_file == str(home / "secret")
    assert again.config.client_secret_env_var == "X"
    assert again.config.client_secret() == Secret("s")


KEYS = st.sampled_from(
    [
        *("admin", "console", "oauth", "client", "endpoint", "insecure", "scopes", "command"),
        *("authType", "issuer", "redirect", "resource", "client_secret", "rpcRetries"),
        *("clientSecretLocation", "maxRetries"),
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | HOSTS
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@PROFILES
@given(mapping=st.dictionaries(KEYS, JSON, max_size=4) | JSON)
def test_any_mapping_is_a_profile_or_a_config_error(mapping: Any) -> None:
    try:
        said = read(mapping).name
    except ConfigError as error:
        said = error.what
    assert said


KEYED = {"admin": {"endpoint": "host"}, "oauth": {"private_key_file": "client.pem"}}


def test_a_key_file_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "client.pem").write_text("first\n")
    oauth = read(KEYED, path=str(tmp_path / "profiles.yaml")).config.oauth
    assert oauth.signing_key() == Secret("first")
    (tmp_path / "client.pem").write_text("second\n")
    assert oauth.signing_key() == Secret("second")


def test_a_key_from_code_travels_itself_and_only_where_secrets_do(tmp_path: Path) -> None:
    (tmp_path / "client.pem").write_text("the-key")
    oauth = OAuthSettings(private_key_file=tmp_path / "client.pem")  # type: ignore[arg-type]
    profile = Profile("prod", PlatformConfig("host", oauth=oauth), ProfileSource.SESSION)
    assert profile.to_mapping()["oauth"] == {"private_key": "the-key"}
    assert "oauth" not in profile.to_mapping(secrets=False)
    theirs = Profile.from_mapping("prod", profile.to_mapping(), source=ProfileSource.SESSION)
    assert theirs.config.oauth.signing_key() == Secret("the-key")


def test_a_key_file_of_the_receivers_is_not_read_for_code() -> None:
    oauth = {"private_key_file": "/etc/client.pem"}
    error = refused({"admin": {"endpoint": "h"}, "oauth": oauth}, source=ProfileSource.SESSION)
    assert "private_key_file" in error.what
    assert "oauth.private_key" in error.fix


def test_a_users_key_file_stays_a_file() -> None:
    profile = read({"admin": {"endpoint": "h"}, "oauth": {"private_key_file": "/no/client.pem"}})
    assert profile.to_mapping()["oauth"] == {"private_key_file": "/no/client.pem"}
    assert "oauth" not in profile.to_mapping(secrets=False)
    assert "client.pem" not in json.dumps(profile.to_mapping(secrets=False))
