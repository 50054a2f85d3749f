"""Faults of configuration: of files, of variables, and of what changes while a server runs."""

from __future__ import annotations

import os
import time
import tracemalloc
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_auth.config import Policy, Profile, Profiles, ProfileSource
from platform_auth.config.flyte_files import read
from platform_auth.errors import ConfigError, ProfileNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEBI = 1024 * 1024


class Files(NamedTuple):
    """The user's profiles, and Flyte's file."""

    own: Path
    flyte: Path


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    own = tmp_path / ".jupyter" / "platform-auth" / "profiles.yaml"
    flyte = tmp_path / ".flyte" / "config.yaml"
    for each in (own, flyte):
        each.parent.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Files(own, flyte)


def write(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)


def one(admin: str = "endpoint: a.example.com", *, more: str = "") -> str:
    return f"profiles:\n  prod:\n    admin: {{{admin}}}\n{more}"


def problem(profiles: Profiles | None = None) -> ConfigError:
    [error] = (profiles or Profiles()).problems
    return error


# -- what YAML is refused ------------------------------------------------------------------------

LAUGHS = "a: &a [x, x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "line", "column", "what"),
    [
        ("profiles:\n\tprod: 1\n", 2, 1, "\\t"),
        ("default: a\nprofiles: {}\ndefault: b\n", 3, 1, "a second time"),
        (one(more="    oauth: {issuer: a, issuer: b}\n"), 4, 24, "a second time"),
        (one(more="    oath: {}\n"), 4, 5, ""),
        (one("endpoint: a, clientID: b"), 3, 26, ""),
        ("profiles: &p {}\n", 1, 11, "anchors"),
        ("profiles: *p\n", 1, 11, "aliases"),
        (LAUGHS, 1, 4, "anchors"),
        ("profiles: " + "[" * 2000, 1, 30, "nested more than 20"),
        ("a: 1\n---\nb: 2\n", 2, 1, "another document"),
        ("- a\n- b\n", 1, 1, "not a mapping"),
        ("just text", 1, 1, "not a mapping"),
        ("default: '\x00'\n", 1, 11, "does not allow"),
        ("default: ü\n".encode("latin-1"), 1, 10, "not UTF-8"),
        ("default: a\n".encode("utf-16"), 1, 1, "not UTF-8"),
        ("profiles: [" + "1," * 5000 + "]", 1, 8006, "more than 4000 values"),
        (one("endpoint: a, rpcRetries: " + "1" * 200), 3, 38, "not a valid int"),
    ],
    ids=lambda value: None,
)
def test_a_file_that_is_wrong_says_where(
    files: Files, content: str | bytes, line: int, column: int, what: str
) -> None:
    write(files.own, content)
    error = problem()
    assert f"{files.own}, line {line}, column {column}" in f"{error.what} {error.why}"
    assert what in error.what
    assert error.fix
    with pytest.raises(ConfigError):
        Profiles().get("prod")


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (one("endpoint: a, clientID: b"), "Did you mean 'clientId'?"),
        (one("endpoint: a, insecureSkipverify: b"), "Did you mean 'insecureSkipVerify'?"),
        (one(more="    oath: {}\n"), "Did you mean 'oauth'?"),
        ("profile: {}\n", "Did you mean 'profiles'?"),
    ],
)
def test_a_word_that_is_not_known_is_told_with_the_one_meant(
    files: Files, content: str, meant: str
) -> None:
    write(files.own, content)
    assert meant in problem().fix


def test_ten_megabytes_are_not_read(files: Files) -> None:
    write(files.own, b"# " * 5 * MEBI)
    assert "longer than 64 KiB" in problem().what


@pytest.mark.parametrize("content", ["", "\n", "# nothing yet\n", "---\n", "\ufeff", "null\n"])
def test_an_empty_file_means_no_profiles(files: Files, content: str) -> None:
    write(files.own, content)
    assert Profiles().problems == []
    assert Profiles().names() == []


def test_a_byte_order_mark_harms_nothing(files: Files) -> None:
    write(files.own, b"\xef\xbb\xbf" + one().encode())
    assert Profiles().names() == ["prod"]


# -- words that YAML takes for something else ----------------------------------------------------


@pytest.mark.parametrize("word", ["0123", "no", "1:30", "2026-01-02", "1.5", "0x1F", "off"])
def test_a_word_that_yaml_takes_for_something_else_is_to_be_quoted(files: Files, word: str) -> None:
    """Not guessed at: the other tools that read such a file would guess differently."""
    write(files.own, one(f"endpoint: a.example.com, clientId: {word}"))
    with pytest.raises(ConfigError, match=r"admin\.clientId is a ") as caught:
        Profiles().get("prod")
    assert caught.value.fix == "Quote it: '…'."
    assert "line 3, column 48" in caught.value.why
    write(files.own, one(f"endpoint: a.example.com, clientId: '{word}'"))
    assert Profiles().get("prod").config.client_id == word


@pytest.mark.parametrize("word", ["1e5", "0o17", "Yes-man", "1_a"])
def test_a_word_that_yaml_leaves_alone_is_itself(files: Files, word: str) -> None:
    write(files.own, one(f"endpoint: a.example.com, clientId: {word}"))
    assert Profiles().get("prod").config.client_id == word


# -- secrets that others can read ----------------------------------------------------------------

SECRET = "    oauth: {client_secret: hunter-CANARY}\n"
KEY = "    oauth: {private_key: hunter-CANARY}\n"


@pytest.mark.parametrize(
    ("content", "instead"),
    [
        (one(more=SECRET), "admin.clientSecretLocation"),
        (one(more=KEY), "oauth.private_key_file"),
        (one("endpoint: a, httpProxyURL: 'http://me:hunter-CANARY@proxy:3128'"), "HTTPS_PROXY"),
    ],
)
def test_a_secret_in_a_file_others_can_read_is_warned_of_with_the_way_out(
    files: Files, content: str, instead: str
) -> None:
    write(files.own, content, 0o644)
    [warning] = Profiles().get("prod").warnings
    assert f"chmod 600 '{files.own}'" in warning
    assert instead in warning
    assert "hunter-CANARY" not in warning
    files.own.chmod(0o600)
    assert Profiles().get("prod").warnings == ()


@pytest.mark.parametrize(
    ("content", "instead"),
    [(one(more=SECRET), "admin.clientSecretLocation"), (one(more=KEY), "oauth.private_key_file")],
)
@pytest.mark.parametrize("linked", [False, True])
def test_a_secret_in_a_git_work_tree_is_warned_of_with_the_way_out(
    files: Files, tmp_path: Path, content: str, instead: str, linked: bool
) -> None:
    tree = files.own.parents[1]
    if linked:  # as those have it who keep their settings in a repository
        tree = tmp_path / "dotfiles"
        tree.mkdir()
        files.own.symlink_to(tree / "profiles.yaml")
    write(files.own, content)
    assert Profiles().get("prod").warnings == ()
    (tree / ".git").mkdir()
    [warning] = Profiles().get("prod").warnings
    assert f"git work tree {tree}:" in warning
    assert instead in warning
    assert "hunter-CANARY" not in warning


def test_a_submodule_is_a_work_tree_too_and_what_holds_no_secret_may_be_in_one(
    files: Files,
) -> None:
    (files.own.parent / ".git").write_text("gitdir: ../.git/modules/settings\n")
    write(files.own, one(more=SECRET))
    assert "git work tree" in Profiles().get("prod").warnings[0]
    write(files.own, one())
    assert Profiles().get("prod").warnings == ()


def test_a_file_without_a_secret_may_be_read_by_all(files: Files) -> None:
    write(files.own, one("endpoint: a, httpProxyURL: 'http://proxy:3128'"), 0o644)
    assert Profiles().get("prod").warnings == ()


def test_a_proxys_password_leaves_its_process_only_with_the_secrets() -> None:
    admin = {"endpoint": "a", "httpProxyURL": "http://me:hunter-CANARY@proxy:3128"}
    profile = Profile.from_mapping("p", {"admin": admin}, source=ProfileSource.ADMIN)
    assert "hunter-CANARY" not in f"{profile.to_mapping(secrets=False)} {profile} {profile.config}"
    shown = profile.to_mapping(secrets=False)["admin"]["httpProxyURL"]
    assert shown == "http://proxy:3128"
    assert profile.to_mapping()["admin"]["httpProxyURL"] == admin["httpProxyURL"]


# -- variables -----------------------------------------------------------------------------------


def test_an_empty_variable_hides_the_file_and_one_that_is_not_set_does_not(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As flytekit has it: it is the way to take a value of the file back."""
    write(files.flyte, "admin: {endpoint: a.example.com, clientId: me, insecure: true}\n")
    assert Profiles().get("default").config.client_id == "me"
    monkeypatch.setenv("FLYTE_CREDENTIALS_CLIENT_ID", "")
    monkeypatch.setenv("FLYTE_PLATFORM_INSECURE", "")
    config = Profiles().get("default").config
    assert (config.client_id, config.insecure) == (None, False)


@pytest.mark.parametrize("word", ["maybe", "2", "ture", "-"])
def test_a_variable_that_is_no_boolean_is_named_with_what_it_may_be(
    files: Files, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    write(files.flyte, "admin: {endpoint: a.example.com}\n")
    monkeypatch.setenv("FLYTE_PLATFORM_INSECURE", word)
    with pytest.raises(ConfigError, match="FLYTE_PLATFORM_INSECURE") as caught:
        Profiles().get("default")
    assert repr(word) in caught.value.what
    assert "the environment" in caught.value.why
    assert "true or false" in caught.value.fix


@pytest.mark.parametrize(
    ("admin", "oauth", "named"),
    [
        ("clientSecretLocation: /s", "client_secret: hunter-CANARY", "admin.clientSecretLocation"),
        ("clientSecretEnvVar: S", "client_secret: hunter-CANARY", "admin.clientSecretEnvVar"),
        ("", "private_key: hunter-CANARY, private_key_file: /k", "oauth.private_key_file"),
    ],
)
def test_a_secret_with_two_origins_is_refused(
    files: Files, admin: str, oauth: str, named: str
) -> None:
    write(files.own, one(f"endpoint: a, {admin}", more=f"    oauth: {{{oauth}}}\n"))
    with pytest.raises(ConfigError) as caught:
        Profiles().get("prod")
    assert named in caught.value.what
    assert "line 4" in caught.value.why
    assert "Take one of them away" in caught.value.fix
    assert "hunter-CANARY" not in str(caught.value)


def test_a_variable_before_a_file_is_one_origin_after_the_other_as_documented(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(files.own.parent / "secret", "from the file")
    admin = "endpoint: a, clientSecretEnvVar: S, clientSecretLocation: secret"
    write(files.own, one(admin))
    config = Profiles().get("prod").config
    assert (secret := config.client_secret()) is not None
    assert secret.reveal() == "from the file"
    monkeypatch.setenv("S", "from the variable")
    assert (secret := config.client_secret()) is not None
    assert secret.reveal() == "from the variable"


# -- which profile -------------------------------------------------------------------------------


def test_a_profile_that_is_not_there_is_told_with_those_that_are(files: Files) -> None:
    write(files.own, one() + "  dev: {admin: {endpoint: b.example.com}}\n")
    with pytest.raises(ProfileNotFoundError) as caught:
        Profiles().get("prot")
    assert caught.value.fix == "Did you mean 'prod'? Use one of prod, dev."


def test_nothing_is_inherited_and_who_tries_is_told_what_there_is(files: Files) -> None:
    """A profile says all it means: nobody must put three files together to see what is reached."""
    write(files.own, one(more="    extends: dev\n"))
    with pytest.raises(ConfigError, match="extends is not a setting") as caught:
        Profiles().get("prod")
    assert "line 4, column 5" in caught.value.why
    assert "Known: admin, console, oauth, client." in caught.value.fix


def test_what_the_administrator_set_is_not_overridden(files: Files) -> None:
    write(files.own, one("endpoint: evil.example.com") + "default: prod\n")
    admin = {"prod": {"admin": {"endpoint": "a.example.com"}}}
    profile = Profiles(admin=admin).get("prod")
    assert profile.config.endpoint == "a.example.com"
    assert profile.locked
    assert "the administrator's wins" in profile.warnings[0]


@pytest.mark.parametrize("setting", ["insecureSkipVerify: true", "insecure: true"])
def test_what_the_administrator_forbids_is_refused_by_name(files: Files, setting: str) -> None:
    write(files.own, one(f"endpoint: a.example.com, {setting}"))
    error = problem(Profiles(policy=Policy(allow_insecure=False)))
    assert error.code == "policy_refused"
    assert "a.example.com" in error.what
    assert "allow_insecure" in f"{error.why}{error.fix}"


# -- changes while a server runs -----------------------------------------------------------------

BROKEN = [
    "profiles:\n  prod:\n    admin: {endpoint: ",  # half of it
    "profiles:\n  prod:\n    admin: {endpoint: a.example.com, insecure: maybe}\n",
    "profiles:\n  prod: {}\n",
    "profiles: [prod]\n",
    "default: 5\nprofiles: {prod: {admin: {endpoint: b.example.com}}}\n",
    "\t",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_an_edit_that_is_not_valid_changes_nothing_but_is_told(files: Files, broken: str) -> None:
    profiles = Profiles()
    write(files.own, one(more="default: prod\n"))
    good = profiles.get("prod")
    write(files.own, broken)
    for _ in range(2):  # not only the first time it is looked at
        kept = profiles.get("prod")
        assert kept.config == good.config
        assert profiles.default == "prod"
        error = problem(profiles)
        assert str(files.own) in f"{error.what} {error.why}"
        assert error.what in kept.warnings[-1]
        assert "last valid version" in kept.warnings[-1]
    write(files.own, one("endpoint: new.example.com"))
    assert profiles.get("prod").config.endpoint == "new.example.com"
    assert profiles.get("prod").warnings == ()
    assert profiles.problems == []


def test_a_profile_that_was_never_valid_is_not_there_to_fall_back_to(files: Files) -> None:
    profiles = Profiles()
    write(files.own, BROKEN[1])
    for _ in range(2):
        with pytest.raises(ConfigError, match="insecure"):
            profiles.get("prod")


def test_a_profile_that_was_taken_out_does_not_come_back(files: Files) -> None:
    profiles = Profiles()
    write(files.own, one())
    assert profiles.names() == ["prod"]
    write(files.own, "profiles: {}\n")
    assert profiles.names() == []
    write(files.own, BROKEN[1])
    with pytest.raises(ConfigError, match="insecure"):
        profiles.get("prod")
    files.own.unlink()
    assert profiles.names() == []


def test_a_file_that_is_emptied_before_it_is_written_again_loses_nothing(files: Files) -> None:
    profiles = Profiles()
    write(files.own, one())
    profiles.get("prod")
    write(files.own, "")
    assert profiles.get("prod").config.endpoint == "a.example.com"
    long_ago = time.time_ns() - 10**10
    os.utime(files.own, ns=(long_ago, long_ago))
    assert profiles.names() == []  # so it was meant


def test_a_broken_edit_of_flytes_file_changes_nothing_either(files: Files) -> None:
    profiles = Profiles()
    write(files.flyte, "admin: {endpoint: a.example.com}\n")
    profiles.get("default")
    write(files.flyte, "admin: {endpoint: b.example.com, insecure: maybe}\n")
    assert profiles.get("default").config.endpoint == "a.example.com"
    assert "admin.insecure" in problem(profiles).what


def test_the_policy_counts_for_the_last_valid_version_too(files: Files) -> None:
    profiles = Profiles(policy=Policy(allowed_endpoints=("b.example.com",)))
    write(files.own, one())
    assert profiles.names() == []
    write(files.own, BROKEN[0])
    assert profiles.names() == []


# -- any file at all -----------------------------------------------------------------------------


def takes_little(path: Path, load: Callable[[Path], object]) -> None:
    """Load a file, which is a success or an error of ours that names the file, and is done soon."""
    begun = time.process_time()
    loaded(path, load)
    assert time.process_time() - begun < 1
    takes_little_memory(path, load)


def takes_little_memory(path: Path, load: Callable[[Path], object], most: int = 64) -> None:
    tracemalloc.start()  # apart, because it takes most of the time itself
    try:
        loaded(path, load)
        assert tracemalloc.get_traced_memory()[1] < most * MEBI
    finally:
        tracemalloc.stop()


def loaded(path: Path, load: Callable[[Path], object]) -> None:
    named = True
    try:
        load(path)
    except ConfigError as error:
        named = str(path) in f"{error.what} {error.why}"
    assert named


def own(path: Path) -> None:
    for error in Profiles(user_file=path, flyte=False).problems:
        raise error


def flytes(path: Path) -> None:
    read(path, environment=False)


CHARACTERS = "ab01:-?*&!%[]{}<>|'\"#,.~=; \n\t"
ANYTHING = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(str.encode),
    st.text(alphabet=CHARACTERS, max_size=150).map(str.encode),
    # What is small, but many times over.
    st.tuples(st.text(alphabet=CHARACTERS, max_size=6), st.integers(1, 20_000)).map(
        lambda drawn: (drawn[0] * drawn[1]).encode()[: 256 * 1024]
    ),
    st.text(alphabet=CHARACTERS, max_size=60).map(
        lambda text: f"profiles: {{prod: {{admin: {{endpoint: a, clientId: {text}}}}}}}".encode()
    ),
    st.text(alphabet=CHARACTERS, max_size=60).map(
        lambda text: f"[platform]\nurl = {text}\n[credentials]\nclient_secret = {text}".encode()
    ),
)


@settings(max_examples=80)
@given(content=ANYTHING)
@pytest.mark.parametrize(
    ("name", "load"), [("own.yaml", own), ("flyte.yaml", flytes), ("flyte.ini", flytes)]
)
def test_any_bytes_are_a_configuration_or_an_error_of_ours_and_soon(
    content: bytes, name: str, load: Callable[[Path], object], tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    takes_little(path, load)


def often(text: str, kib: int = 256) -> str:
    return (text * (kib * 1024 // len(text)))[: kib * 1024 - 64]


LAUGHING_INI = "[platform]\nurl=%(a)s\n" + "".join(
    f"{name}={f'%({after})s' * 40}\n" for name, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.yaml", f"a: [{often('x,')}]"),
        ("f.yaml", f"a: [{often('x: y,')}]"),
        ("f.yaml", f"a: [{often('[],')}]"),
        ("f.yaml", f"a:\n{often('- x' + chr(10))}"),
        ("f.yaml", f"a: {often('1:2')}"),
        ("f.yaml", f"a: x{often(chr(10))}y"),
        ("f.yaml", f'a: "{often(chr(92) + "x41")}"'),
        ("f.yaml", often("? ")),
        ("f.yaml", often("x") + ": 1"),
        ("f.yaml", LAUGHS),
        ("f.ini", f"[platform]\na{often(' ')}b"),
        ("f.ini", f"[platform]\na=1\n{often(' x' + chr(10))}"),
        ("f.ini", "[platform]\n" + "".join(f"k{i}=\n" for i in range(30_000))),
        ("f.ini", "".join(f"[s{i}]\n" for i in range(30_000))),
        ("f.ini", LAUGHING_INI + "i=x\n"),
        ("f.ini", LAUGHING_INI + "i=\n"),
        ("f.ini", "[platform]\nurl=%(url)s\n"),
        ("f.ini", f"[platform]\nurl={often('%')}"),
    ],
    ids=lambda value: value[:24],
)
def test_no_file_takes_long_or_much(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    begun = time.process_time()
    loaded(path, flytes)
    assert time.process_time() - begun < 1
    path.write_text(content[:32_000] + content[-32_000:])
    takes_little_memory(path, flytes, most=16)  # a quarter of the file, and of what it may take
    if name.endswith("yaml"):
        loaded(path, own)
