from __future__ import annotations

import copy
import os
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from platform_auth.config import Policy, Profiles
from platform_auth.config import profile_edit as module
from platform_auth.config.profile_edit import ProfileEditor
from platform_auth.config.profile_mask import KEPT
from platform_auth.errors import (
    ConfigError,
    PlatformAuthError,
    PolicyError,
    ProfileChangedError,
    ProfileNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEV = {"admin": {"endpoint": "dev.example.com"}}
NEW = {"admin": {"endpoint": "new.example.com", "authType": "DeviceFlow"}, "client": "http"}
FILE = "# Mine.\ndefault: dev\nprofiles:\n  dev:  # daily\n    admin: {endpoint: dev.example.com}\n"
SECRETS = """\
profiles:
  ci:
    admin:
      endpoint: dev.example.com
      httpProxyURL: http://ada:hunter2@proxy.example.com:3128
      command: [token, --password, hunter2]
      clientId: ci
    oauth: {issuer: 'https://id.example.com', client_secret: hunter2}
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_profile_makes_a_file_for_its_owner_alone(home: Path) -> None:
    profiles = Profiles()
    saved = ProfileEditor(profiles).save("new", NEW)
    path = home / ".jupyter" / "platform-auth" / "profiles.yaml"

    assert profiles.all()["new"].config.flow == "device"
    assert saved.entry == NEW
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert sorted(each.name for each in path.parent.iterdir()) == [
        ".profiles.yaml.lock",
        "profiles.yaml",
    ]


def test_a_change_leaves_all_else_and_the_mode(user_file: Callable[..., Path]) -> None:
    path = user_file(FILE)
    path.chmod(0o640)
    editor = ProfileEditor(Profiles())
    shown = editor.show("dev")
    assert shown.entry == DEV

    changed = {"admin": {"endpoint": "other.example.com"}}
    after = editor.save("dev", changed, shown.revision)
    assert path.read_text() == FILE.replace("dev.example.com", "other.example.com")
    assert mode(path) == 0o640
    assert after.revision == editor.show("dev").revision != shown.revision


def test_a_link_stays_one(user_file: Callable[..., Path], tmp_path: Path) -> None:
    path = user_file("")
    path.unlink()
    real = tmp_path / "dotfiles.yaml"
    real.write_text(FILE)
    path.symlink_to(real)
    ProfileEditor(Profiles()).save("new", NEW)
    assert path.is_symlink()
    assert "new.example.com" in real.read_text()


def test_who_was_not_there_for_the_last_change_is_told(user_file: Callable[..., Path]) -> None:
    path = user_file(FILE)
    editor = ProfileEditor(Profiles())
    opened = editor.show("dev")
    path.write_text(FILE + "  other: {admin: {endpoint: x}}\n")
    editor.save("dev", DEV, opened.revision)  # that was another profile

    path.write_text(FILE.replace("dev.example.com", "newer.example.com"))
    with pytest.raises(ProfileChangedError, match="since you opened it"):
        editor.save("dev", NEW, opened.revision)
    assert "newer.example.com" in path.read_text()


def test_a_new_profile_takes_no_other_ones_place(
    user_file: Callable[..., Path], flyte_file: Callable[..., Path]
) -> None:
    user_file(FILE)
    flyte_file("admin: {endpoint: flyte.example.com}\n", "config-test.yaml")
    editor = ProfileEditor(Profiles(admin={"prod": DEV}))
    for name, whose in (
        ("prod", "the administrator's"),
        ("test", "of Flyte's own files"),
        ("dev", "one of yours"),
    ):
        with pytest.raises(ProfileChangedError, match=f"already, {whose}"):
            editor.save(name, NEW)


@pytest.mark.parametrize(("name", "whose"), [("prod", "administrator's"), ("test", "Flyte's own")])
def test_what_others_say_is_locked(
    user_file: Callable[..., Path], flyte_file: Callable[..., Path], name: str, whose: str
) -> None:
    path = user_file(FILE + "  prod: {admin: {endpoint: mine}}\n")
    before = path.read_text()
    flyte_file("admin: {endpoint: flyte.example.com}\n", "config-test.yaml")
    editor = ProfileEditor(Profiles(admin={"prod": DEV}))
    for attempt in (
        lambda: editor.show(name),
        lambda: editor.save(name, NEW, "x"),
        lambda: editor.remove(name),
    ):
        with pytest.raises(PolicyError, match=f"{whose}.*you cannot change it"):
            attempt()
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "no admin.endpoint"),
        ({"admin": {"endpoint": "x y"}}, "holds a blank"),
        ({"admin": {"endpoint": "x", "endpoit": "y"}}, "admin.endpoit is not a setting"),
        ({"admin": {"endpoint": "x", "authType": "Magic"}}, "not an authentication mode"),
        ({"admin": {"endpoint": "http://x.example.com"}}, "plain http"),
        ({"admin": []}, "no admin.endpoint"),
        ({"admin": "x"}, "not a mapping"),
        ({"admin": {"endpoint": "x", "scopes": [1]}}, "a number among strings"),
        ({"admin": {"endpoint": "x", "caCertFilePath": "/no/such.pem"}}, "such.pem"),
        ({**DEV, "oauth": {"client_secret": KEPT}}, "there is none"),
        ({**DEV, "oauth": {"client_secret": ["a"]}}, "a list, not a string"),
    ],
)
def test_what_is_wrong_is_said_and_not_written(
    user_file: Callable[..., Path], entry: dict[str, Any], words: str
) -> None:
    path = user_file(FILE)
    editor = ProfileEditor(Profiles())
    with pytest.raises(ConfigError, match=words):
        editor.save("new", entry)
    with pytest.raises(ConfigError, match=words):
        editor.save("dev", entry, editor.show("dev").revision)
    assert path.read_text() == FILE
    for name in ("", "a/b", "..", " x", "x" * 65, "a\nb"):
        with pytest.raises(ConfigError, match="cannot be the name"):
            editor.save(name, NEW)


@pytest.mark.parametrize(
    ("policy", "entry", "rule"),
    [
        (Policy(allow_user_profiles=False), NEW, "allow_user_profiles"),
        (Policy(allowed_endpoints=("*.other.example",)), NEW, "allowed_endpoints"),
        (Policy(allow_insecure=False), {"admin": {"endpoint": "x", "insecure": True}}, "insecure"),
        (Policy(allow_commands=False), {"admin": {"endpoint": "x", "command": ["y"]}}, "commands"),
    ],
)
def test_the_policy_is_asked_first(
    user_file: Callable[..., Path], policy: Policy, entry: dict[str, Any], rule: str
) -> None:
    path = user_file(FILE)
    editor = ProfileEditor(Profiles(policy=policy))
    with pytest.raises(PolicyError) as caught:
        editor.save("new", entry)
    assert rule in str(caught.value)
    assert path.read_text() == FILE


def test_secrets_stay_where_they_are(user_file: Callable[..., Path]) -> None:
    path = user_file(SECRETS)
    profiles = Profiles()
    editor = ProfileEditor(profiles)
    shown = editor.show("ci")

    assert "hunter2" not in repr(shown) + str(shown.entry)
    assert shown.entry["oauth"] == {"issuer": "https://id.example.com", "client_secret": KEPT}
    assert shown.entry["admin"]["command"] == shown.entry["admin"]["httpProxyURL"] == KEPT

    shown.entry["admin"]["clientId"] = "other"
    editor.save("ci", shown.entry, shown.revision)
    assert path.read_text() == SECRETS.replace("clientId: ci", "clientId: other")

    shown = editor.show("ci")
    shown.entry["oauth"]["client_secret"] = "battery"
    assert "battery" not in str(editor.save("ci", shown.entry, shown.revision))
    secret = profiles.get("ci").config.client_secret()
    assert secret is not None
    assert secret.reveal() == "battery"


def test_a_file_with_a_secret_is_its_owners_alone(user_file: Callable[..., Path]) -> None:
    path = user_file(FILE)
    path.chmod(0o644)
    secret = {**NEW, "oauth": {"client_secret": "hunter2"}}
    assert ProfileEditor(Profiles()).save("new", secret).warnings == ()
    assert mode(path) == 0o600


def test_a_typo_hides_a_secret_too(user_file: Callable[..., Path]) -> None:
    user_file("profiles:\n  ci: {admin: {endpoint: x, clientSecret: hunter2}, password: hunter2}\n")
    entry = ProfileEditor(Profiles()).show("ci").entry
    assert entry == {"admin": {"endpoint": "x", "clientSecret": KEPT}, "password": KEPT}


@pytest.mark.parametrize(
    ("block", "change"),
    [
        ("admin", {"endpoint": "evil.example.com"}),
        ("admin", {"insecureSkipVerify": True}),
        ("oauth", {"issuer": "https://evil.example.com"}),
        ("oauth", {"token_endpoint": "https://evil.example.com/token"}),
    ],
)
def test_a_secret_is_not_sent_elsewhere_unasked(
    user_file: Callable[..., Path], block: str, change: dict[str, Any]
) -> None:
    path = user_file(SECRETS)
    editor = ProfileEditor(Profiles())
    shown = editor.show("ci")
    entry = copy.deepcopy(shown.entry)
    entry[block] |= change
    with pytest.raises(ConfigError, match="not sent to another place"):
        editor.save("ci", entry, shown.revision)
    assert path.read_text() == SECRETS
    entry["oauth"]["client_secret"] = "given anew"
    editor.save("ci", entry, shown.revision)


def test_a_broken_profile_can_be_mended(user_file: Callable[..., Path]) -> None:
    user_file("profiles:\n  dev: nonsense\n  ci: {admin: {endpoit: x}}\n")
    profiles = Profiles()
    editor = ProfileEditor(profiles)
    for name, entry in (("dev", {}), ("ci", {"admin": {"endpoit": KEPT}})):
        shown = editor.show(name)
        assert shown.entry == entry
        editor.save(name, DEV, shown.revision)
    assert profiles.problems == []
    assert list(profiles.all()) == ["dev", "ci"]


def test_a_broken_file_is_left_alone(user_file: Callable[..., Path]) -> None:
    path = user_file("profiles: [\n")
    editor = ProfileEditor(Profiles(admin={"prod": DEV}))
    for attempt in (
        lambda: editor.show("dev"),
        lambda: editor.save("dev", DEV),
        lambda: editor.remove("dev"),
        lambda: editor.make_default("prod"),
    ):
        with pytest.raises(ConfigError, match=r"line \d+, column"):
            attempt()
    assert path.read_text() == "profiles: [\n"


def test_a_removed_profile_is_gone_and_no_default_any_more(user_file: Callable[..., Path]) -> None:
    path = user_file(FILE)
    profiles = Profiles()
    editor = ProfileEditor(profiles)
    editor.save("new", NEW)
    editor.remove("dev")
    assert (profiles.names(), profiles.default) == (["new"], "new")
    assert path.read_text().startswith("# Mine.\nprofiles:\n  new:\n")
    editor.remove("new")
    assert path.read_text() == "# Mine.\n"
    with pytest.raises(ProfileNotFoundError, match="no profile 'new' of yours"):
        editor.remove("new")


def test_the_default_is_chosen_among_all(
    user_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = user_file(FILE)
    profiles = Profiles(admin={"prod": DEV})
    editor = ProfileEditor(profiles)
    editor.make_default("prod")
    assert profiles.default == "prod"
    assert path.read_text() == FILE.replace("default: dev", "default: prod")
    with pytest.raises(ProfileNotFoundError):
        editor.make_default("nobody")

    monkeypatch.setenv("PLATFORM_AUTH_PROFILE", "dev")
    with pytest.raises(PolicyError, match="PLATFORM_AUTH_PROFILE"):
        editor.make_default("dev")
    monkeypatch.delenv("PLATFORM_AUTH_PROFILE")
    with pytest.raises(PolicyError, match=r"c\.PlatformAuth\.default_profile"):
        ProfileEditor(Profiles(admin={"prod": DEV}, default="prod")).make_default("dev")
    assert "default: prod" in path.read_text()


def test_changes_at_once_are_all_kept(user_file: Callable[..., Path]) -> None:
    user_file(FILE)
    failed: list[PlatformAuthError] = []

    def add(number: int) -> None:
        try:
            ProfileEditor(Profiles()).save(f"p{number}", NEW)
        except PlatformAuthError as error:
            failed.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert set(Profiles().names()) == {"dev", *(f"p{number}" for number in range(8))}


def test_who_waits_too_long_is_told(
    user_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = user_file(FILE)
    monkeypatch.setattr(module, "LOCK_SECONDS", 0)
    with (
        FileLock(path.with_name(".profiles.yaml.lock")),
        pytest.raises(ConfigError, match="cannot be changed now") as caught,
    ):
        ProfileEditor(Profiles()).save("new", NEW)
    assert caught.value.why == "Somebody else is changing it."


def test_what_cannot_be_written_is_said(
    user_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = user_file(FILE)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        ProfileEditor(Profiles()).save("new", NEW)
    assert "No space left" in caught.value.why
    assert path.read_text() == FILE
    assert [each.name for each in path.parent.glob("*.tmp")] == []


def test_a_file_does_not_grow_without_end(user_file: Callable[..., Path]) -> None:
    path = user_file(FILE + "#" * (64 * 1024 - len(FILE) - 1) + "\n")
    with pytest.raises(ConfigError, match="longer than 64 KiB"):
        ProfileEditor(Profiles()).save("new", NEW)
    assert "new.example.com" not in path.read_text()


def test_without_a_file_nothing_is_ones_own() -> None:
    with pytest.raises(PolicyError, match="no profiles of your own here"):
        ProfileEditor(Profiles(user_file=None)).save("new", NEW)
