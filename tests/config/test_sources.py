"""What one file and the environment say, through `PlatformConfig.auto`."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st

from platform_auth.config import AuthType, PlatformConfig
from platform_auth.config.sources import open_source
from platform_auth.errors import ConfigError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


YAML = """\
admin:
  endpoint: dns:///flyte.example.com
  insecure: {word}
"""
WORDS = {
    True: ["true", "1", "yes", "on", "y", "t", "True", "TRUE", "Y", " on "],
    False: ["false", "0", "no", "off", "n", "f", "False", "N", "F", "Off"],
}
EACH_WORD = [(word, meant) for meant, words in WORDS.items() for word in words]
WRONG = ["maybe", "truee", "2", "none", "enabled"]


def warnings_of(path: Path) -> list[str]:
    return list(open_source(path).warnings())


@pytest.mark.parametrize(("word", "meant"), EACH_WORD)
def test_booleans_in_the_environment(
    word: str, meant: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYTE_PLATFORM_INSECURE", word)
    assert PlatformConfig.auto().insecure is meant


@pytest.mark.parametrize(("word", "meant"), EACH_WORD)
@pytest.mark.parametrize("quote", ["", '"'])
def test_booleans_in_yaml(
    word: str, meant: bool, quote: str, flyte_file: Callable[..., Path]
) -> None:
    flyte_file(YAML.format(word=f"{quote}{word}{quote}"))
    assert PlatformConfig.auto().insecure is meant


@pytest.mark.parametrize(("word", "meant"), EACH_WORD)
def test_booleans_in_ini(word: str, meant: bool, flyte_file: Callable[..., Path]) -> None:
    flyte_file(f"[platform]\ninsecure = {word}\n", "config")
    assert PlatformConfig.auto().insecure is meant


@pytest.mark.parametrize("word", WRONG)
def test_other_words_are_refused_with_name_place_value_and_what_is_accepted(
    word: str, monkeypatch: pytest.MonkeyPatch, flyte_file: Callable[..., Path]
) -> None:
    path = flyte_file(YAML.format(word=word))
    with pytest.raises(ConfigError) as in_yaml:
        PlatformConfig.auto()
    ini = flyte_file(f"[platform]\ninsecure_skip_verify = {word}\n", "config")
    with pytest.raises(ConfigError) as in_ini:
        PlatformConfig.auto()
    monkeypatch.setenv("FLYTE_PLATFORM_INSECURE_SKIP_VERIFY", word)
    with pytest.raises(ConfigError) as in_environment:
        PlatformConfig.auto()
    for caught, name, place in (
        (in_yaml, "admin.insecure", f"{path}, line 3, column 13"),
        (in_ini, "[platform] insecure_skip_verify", str(ini)),
        (in_environment, "FLYTE_PLATFORM_INSECURE_SKIP_VERIFY", "the environment"),
    ):
        error = caught.value
        assert error.what.startswith(name)
        assert word in error.what
        assert place in error.why
        assert "true or false" in error.fix


def test_a_wrong_mode_is_refused_with_name_place_and_list(flyte_file: Callable[..., Path]) -> None:
    path = flyte_file("admin:\n  endpoint: host\n  authType: PKCE2\n")
    with pytest.raises(ConfigError) as caught:
        PlatformConfig.auto()
    assert "'PKCE2'" in caught.value.what
    assert f"admin.authType was found in {path}, line 3, column 13" in caught.value.why
    assert "DeviceFlow" in caught.value.fix


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("clientId: 123", "admin.clientId"),
        ("clientId: no", "admin.clientId"),
        ("clientId: 0123", "admin.clientId"),
        ("clientId: 1:30", "admin.clientId"),
        ("clientId: 2024-01-01", "admin.clientId"),
        ("clientId: [a]", "admin.clientId"),
        ("authType: 3", "admin.authType"),
        ("scopes: [openid, no]", "admin.scopes"),
        ("scopes: 3", "admin.scopes"),
        ("command: {a: b}", "admin.command"),
        ("endpoint: 3", "admin.endpoint"),
        ("clientSecretLocation: 3", "admin.clientSecretLocation"),
    ],
)
def test_types_are_checked_and_the_fix_is_told(
    line: str, name: str, flyte_file: Callable[..., Path]
) -> None:
    path = flyte_file(f"admin:\n  {line}\n")
    with pytest.raises(ConfigError) as caught:
        PlatformConfig.auto()
    assert name in caught.value.what
    assert f"{path}, line 2, column {line.index(':') + 5}" in caught.value.why
    assert "Quote it" in caught.value.fix or "[one, two]" in caught.value.fix


def test_blocks_must_be_mappings(flyte_file: Callable[..., Path]) -> None:
    path = flyte_file("admin: flyte.example.com\n")
    with pytest.raises(ConfigError, match="admin is a str, not a mapping") as caught:
        PlatformConfig.auto()
    assert f"{path}, line 1, column 8" in caught.value.why
    flyte_file("admin:\nconsole:\n")
    assert PlatformConfig.auto() == PlatformConfig()


def test_a_variable_hides_the_file_even_when_it_is_empty(
    flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    flyte_file("admin:\n  endpoint: host\n  insecure: true\n  clientId: app\n  scopes: [a]\n")
    for name in ("PLATFORM_INSECURE", "CREDENTIALS_CLIENT_ID", "CREDENTIALS_SCOPES"):
        monkeypatch.setenv(f"FLYTE_{name}", "")
    assert PlatformConfig.auto() == PlatformConfig("host")


def test_lists_in_words_are_split_at_commas(
    flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    flyte_file("admin:\n  scopes: a, b c\n  command: [x, 'y,z']\n")
    monkeypatch.setenv("FLYTE_CREDENTIALS_PROXY_COMMAND", "gcloud,print, token")
    config = PlatformConfig.auto()
    assert config.scopes == ("a", "b c")
    assert config.command == ("x", "y,z")
    assert config.proxy_command == ("gcloud", "print", " token")


def test_a_percent_sign_survives_in_ini(flyte_file: Callable[..., Path]) -> None:
    text = "[credentials]\nclient_secret = a%b%(c\nclient_id = 100%%\naudience = %(client_id)s!\n"
    flyte_file(text, "config")
    config = PlatformConfig.auto()
    assert config.client_secret() == Secret("a%b%(c")
    assert (config.client_id, config.audience) == ("100%", "100%!")


def test_a_direct_secret_selects_client_credentials(
    flyte_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    flyte_file("[credentials]\nclient_secret = s\n", "config")
    assert PlatformConfig.auto().auth_mode is AuthType.CLIENTSECRET
    monkeypatch.setenv("FLYTE_CREDENTIALS_AUTH_MODE", "Pkce")
    assert PlatformConfig.auto().auth_mode is AuthType.PKCE


def test_a_secret_kept_elsewhere_forces_client_credentials_as_in_flytekit(
    home: Path, flyte_file: Callable[..., Path]
) -> None:
    (home / "secret").write_text("s\n")
    flyte_file(f"admin:\n  authType: Pkce\n  clientSecretLocation: {home}/secret\n")
    assert PlatformConfig.auto().auth_mode is AuthType.CLIENTSECRET


@pytest.mark.parametrize("secret", ["s", " s ", "s\n", "\n s\r\n", "\ufeffs"])
def test_secrets_are_stripped_from_all_three_origins(
    secret: str, home: Path, monkeypatch: pytest.MonkeyPatch, flyte_file: Callable[..., Path]
) -> None:
    (home / "secret").write_text(secret, encoding="utf-8")
    flyte_file("admin:\n  clientSecretLocation: ~/secret\n")
    assert PlatformConfig.auto().client_credentials_secret == Secret("s")
    secret = secret.strip("\ufeff")
    flyte_file("admin:\n  clientSecretEnvVar: CI_SECRET\n")
    monkeypatch.setenv("CI_SECRET", secret)
    assert PlatformConfig.auto().client_credentials_secret == Secret("s")
    flyte_file("")
    monkeypatch.setenv("FLYTE_CREDENTIALS_CLIENT_SECRET", secret)
    assert PlatformConfig.auto().client_credentials_secret == Secret("s")


def test_the_variable_wins_over_the_file_and_the_file_over_the_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch, flyte_file: Callable[..., Path]
) -> None:
    (home / "secret").write_text("from file")
    flyte_file("admin:\n  clientSecretLocation: ~/secret\n  clientSecretEnvVar: CI_SECRET\n")
    monkeypatch.setenv("FLYTE_CREDENTIALS_CLIENT_SECRET", "direct")
    assert PlatformConfig.auto().client_credentials_secret == Secret("from file")
    monkeypatch.setenv("CI_SECRET", "from variable")
    config = PlatformConfig.auto()
    assert config.client_credentials_secret == config.client_secret() == Secret("from variable")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "is not a file"),
        (lambda path: path.write_text(" \n"), "is empty"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "is not UTF-8"),
        (lambda path: path.write_text("x" * 70_000), "longer than 64 KiB"),
    ],
    ids=["missing", "directory", "empty", "binary", "huge"],
)
def test_a_secret_file_that_cannot_be_used_is_named_with_its_key(
    make: Callable[[Path], object], problem: str, home: Path, flyte_file: Callable[..., Path]
) -> None:
    path = flyte_file("admin:\n  endpoint: host\n  clientSecretLocation: ~/secret\n")
    make(home / "secret")
    with pytest.raises(ConfigError) as caught:
        PlatformConfig.auto()
    assert f"admin.clientSecretLocation names {home / 'secret'}" in caught.value.what
    assert problem in str(caught.value)
    assert f"{path}, line 3, column 25" in caught.value.why


def test_paths_in_a_file_start_at_the_file_and_never_at_the_current_directory(
    home: Path, flyte_file: Callable[..., Path]
) -> None:
    flyte_file("admin:\n  clientSecretLocation: secret.txt\n  caCertFilePath: ca/root.pem\n")
    with pytest.raises(ConfigError, match=str(home / ".flyte" / "secret.txt")):
        PlatformConfig.auto()  # there is a secret.txt in the current directory
    (home / ".flyte" / "secret.txt").write_text("mine")
    config = PlatformConfig.auto()
    assert config.client_secret() == Secret("mine")
    assert config.ca_cert_file_path == str(home / ".flyte" / "ca" / "root.pem")


def test_a_relative_path_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTE_CREDENTIALS_CLIENT_SECRET_LOCATION", "secret.txt")
    with pytest.raises(ConfigError, match="CLIENT_SECRET_LOCATION is the relative path"):
        PlatformConfig.auto()


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("url = host\n", 1, "before the first"),
        ("[platform]\nurl = host\nnonsense\n", 3, "neither"),
        ("[platform]\nurl = a\nurl = b\n", 3, "a second time"),
        ("[platform]\n[x]\n[platform]\n", 3, "a second time"),
    ],
)
def test_a_broken_ini_file_names_line_and_column(
    text: str, line: int, problem: str, flyte_file: Callable[..., Path]
) -> None:
    path = flyte_file(text, "config")
    with pytest.raises(ConfigError, match=problem) as caught:
        PlatformConfig.auto()
    assert f"{path}, line {line}, column 1" in caught.value.what


@pytest.mark.parametrize("name", ["config", "config.yaml"])
def test_the_text_of_a_broken_file_is_not_shown(name: str, flyte_file: Callable[..., Path]) -> None:
    flyte_file("admin:\n  x: 'hunter2\n[a\n hunter2 }\n", name)
    with pytest.raises(ConfigError) as caught:
        PlatformConfig.auto()
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["config", "config.yaml"])
def test_a_file_that_is_not_utf8_is_refused(name: str, flyte_file: Callable[..., Path]) -> None:
    flyte_file("", name).write_bytes("[a]\nb: ü\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="UTF-8"):
        PlatformConfig.auto()


def test_an_internal_section_is_refused_as_in_flytekit(flyte_file: Callable[..., Path]) -> None:
    flyte_file("[internal]\nx = y\n", "config")
    with pytest.raises(ConfigError, match=r"\[internal\]"):
        PlatformConfig.auto()


SHARED = """\
admin:
  endpoint: dns:///flyte.example.com
  authType: Pkce
  insecure: false
  maxBackoffDelay: 8s
  perRetryTimeout: 15s
  maxRetries: 4
  maxMessageSizeBytes: 4194304
  tokenRefreshWindow: 0s
  useAuth: true
  useAudienceFromAdmin: true
  authorizationServerUrl: https://id.example.com
  tokenUrl: https://id.example.com/token
  authorizationHeader: flyte-authorization
  pkceConfig: {timeout: 2m, refreshTime: 5m}
  deviceFlowConfig: {refreshTime: 5m, timeout: 10m, pollInterval: 5s}
  defaultServiceConfig: '{}'
console:
  endpoint: https://flyte.example.com
logger: {show-source: true, level: 0}
storage: {connection: {endpoint: http://localhost:30002}}
task: {project: p, domain: d}
image: {builder: local}
files: {x: y}
"""


def test_what_other_tools_read_is_ignored_without_a_word(
    flyte_file: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = flyte_file(SHARED)
    with caplog.at_level(logging.WARNING):
        config = PlatformConfig.auto()
    assert config.host == "flyte.example.com"
    assert config.rpc_retries == 3
    assert caplog.records == []
    assert warnings_of(path) == []


def test_what_nobody_reads_is_a_warning(
    flyte_file: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = flyte_file(
        "admin:\n  endpoint: host\n  clientID: app\n  zzz: 1\n"
        "console: {url: x}\nadmn: {}\noauth: {}\nadmin2: {}\n"
    )
    with caplog.at_level(logging.WARNING):
        assert PlatformConfig.auto() == PlatformConfig("host")
    warnings = "\n".join(warnings_of(path))
    assert caplog.text.count("platform_auth.config") == len(warnings_of(path)) == 6
    assert "admin.clientID is not a setting that is known here." in warnings
    assert f"It was found in {path}, line 3, column 3." in warnings
    assert "Did you mean 'clientId'?" in warnings
    assert "admin.zzz" in warnings
    assert "console.url" in warnings
    assert "nothing reads admn:. Did you mean 'admin'?" in warnings
    assert "oauth: is read in platform-auth's profiles.yaml only" in warnings


def test_unknown_options_in_ini_are_warnings(flyte_file: Callable[..., Path]) -> None:
    path = flyte_file("[DEFAULT]\nx = y\n[platform]\nendpoint = host\n[sdk]\nz = 1\n", "config")
    (warning,) = warnings_of(path)
    assert "[platform].endpoint" in warning
    assert "console_endpoint" in warning


def test_a_key_given_twice_in_a_shared_file_is_a_warning(flyte_file: Callable[..., Path]) -> None:
    path = flyte_file("admin:\n  endpoint: one\n  endpoint: two\n")
    assert PlatformConfig.auto().endpoint == "two"
    (warning,) = warnings_of(path)
    assert "endpoint (line 3)" in warning


def test_anchors_and_merges_of_a_shared_file_work(flyte_file: Callable[..., Path]) -> None:
    flyte_file(
        "base: &base {clientId: app, insecure: true}\nadmin:\n  <<: *base\n  endpoint: host\n"
    )
    assert PlatformConfig.auto() == PlatformConfig("host", insecure=True, client_id="app")
    flyte_file("base: &base {clientId: 1}\nadmin:\n  <<: *base\n  endpoint: host\n")
    with pytest.raises(ConfigError, match=r"admin\.clientId is a number"):
        PlatformConfig.auto()


def test_a_literal_secret_in_a_file_others_can_read_is_a_warning(
    flyte_file: Callable[..., Path],
) -> None:
    path = flyte_file("[credentials]\nclient_secret = s\n", "config")
    path.chmod(0o640)
    (warning,) = warnings_of(path)
    assert f"chmod 600 '{path}'" in warning
    assert "client_secret_location" in warning
    path.chmod(0o600)
    assert warnings_of(path) == []


def test_a_command_in_one_string_is_a_warning(
    flyte_file: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    flyte_file("admin:\n  endpoint: host\n  command: gcloud auth print-access-token\n")
    with caplog.at_level(logging.WARNING):
        config = PlatformConfig.auto()
    assert config.command == ("gcloud auth print-access-token",)
    assert "Write a list: [program, argument]." in caplog.text


def test_plain_http_needs_insecure(flyte_file: Callable[..., Path]) -> None:
    path = flyte_file("admin:\n  endpoint: http://flyte.example.com\n")
    with pytest.raises(ConfigError, match="plain http") as caught:
        PlatformConfig.auto()
    assert f"{path}, line 2, column 13" in caught.value.why
    flyte_file("admin:\n  endpoint: http://flyte.example.com\n  insecure: true\n")
    assert PlatformConfig.auto().base_url == "http://flyte.example.com"


LINES = st.sampled_from(
    [
        *(
            "[platform]",
            "[credentials]",
            "[DEFAULT]",
            "[x",
            "admin:",
            "console: {}",
            "  endpoint: h",
        ),
        *("url = host", "url", "insecure = %(x)s", "insecure: maybe", "  insecure: [yes]", "  : 1"),
        *(
            "client_secret = a%",
            "scopes = a,b",
            "  scopes: [a, {b: c}]",
            "client_id: %(client_id)s",
        ),
        *("  command: !!set {a}", "\tx", "- a", "? a", "%YAML 1.1", "\x00", "  clientId: 1e999"),
    ]
)
