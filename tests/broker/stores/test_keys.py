"""The keys that sessions at rest are encrypted with."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.stores import os_keyring
from platform_auth.broker.stores.keys import VARIABLE, StoreKeys, key_id
from platform_auth.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.saved import Ring


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_the_administrators_first_key_encrypts_and_all_of_them_decrypt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, old = secrets.token_bytes(32), secrets.token_bytes(32)
    monkeypatch.setenv(VARIABLE, f" {text(new)} , {text(old)}\n")
    keys = StoreKeys(tmp_path)
    assert keys.newest() == (key_id(new), new)
    assert keys.find(key_id(old)) == old
    assert keys.find(b"another!") is None
    assert keys.source == "environment"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "value", ["short", "!!!", base64.b64encode(bytes(31)).decode(), "a,", f"{'A' * 43}=,nonsense"]
)
def test_a_malformed_key_is_an_error_that_does_not_show_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConfigError) as caught:
        StoreKeys(tmp_path).find(b"another!")
    assert value not in str(caught.value)
    assert caught.value.what.startswith(VARIABLE)
    assert "32 random bytes" in caught.value.why


def test_a_malformed_key_file_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"\xff nonsense")
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        StoreKeys(tmp_path, keyring=False).newest()
    assert str(path) in caught.value.what
    assert "nonsense" not in str(caught.value)
    assert path.read_bytes() == b"\xff nonsense"


def test_two_that_begin_at_once_have_the_same_key(tmp_path: Path) -> None:
    keys = [StoreKeys(tmp_path, keyring=False) for _ in range(2)]
    assert keys[0].newest() == keys[1].newest()


def test_the_keyrings_key_is_no_file(ring: Ring, tmp_path: Path) -> None:
    keys = StoreKeys(tmp_path)
    assert keys.newest() == StoreKeys(tmp_path).newest()
    assert keys.source == "keyring"
    assert not (tmp_path / "key").exists()
    assert len(ring.kept) == 1


def test_a_key_file_that_was_made_while_the_keyring_was_locked_stays_in_use(
    ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, of_the_keyring = StoreKeys(tmp_path).newest()
    monkeypatch.setattr(os_keyring, "LIMIT", 0.1)
    ring.unlocked.clear()
    made, _ = StoreKeys(tmp_path).newest()
    ring.unlocked.set()
    keys = StoreKeys(tmp_path)
    assert keys.newest()[0] == made
    assert keys.source == "file"
    # What the keyring's key encrypted before opens as well.
    assert keys.find(key_id(of_the_keyring)) == of_the_keyring


def test_a_stuck_keyring_is_asked_once(
    ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(_question: object) -> str:
        asked.append("asked")
        raise os_keyring.KeyringError("stuck")

    monkeypatch.setattr(os_keyring, "ask", ask)
    keys = StoreKeys(tmp_path)
    keys.newest()
    assert keys.find(b"another!") is None
    assert keys.find(b"a third!") is None
    assert asked == ["asked"]


def test_looking_for_a_key_makes_none(ring: Ring, tmp_path: Path) -> None:
    keys = StoreKeys(tmp_path)
    assert keys.find(b"another!") is None
    assert keys.source is None
    assert list(tmp_path.iterdir()) == []
    assert ring.kept == {}


def test_the_key_that_opened_something_says_where_it_is(ring: Ring, tmp_path: Path) -> None:
    identifier, _ = StoreKeys(tmp_path).newest()
    keys = StoreKeys(tmp_path)
    assert keys.find(identifier)
    assert keys.source == "keyring"
