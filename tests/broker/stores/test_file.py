"""Sessions at rest: private, and telling where they are."""

from __future__ import annotations

import asyncio
import base64
import os
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest

from fakes.saved import REFRESH, Ring, make_record
from platform_auth.broker.stores import open_store
from platform_auth.broker.stores.directory import sessions_directory
from platform_auth.broker.stores.file import FileStore
from platform_auth.broker.stores.keys import VARIABLE
from platform_auth.broker.stores.session_files import IDLE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def store(directory: Path) -> FileStore:
    return FileStore(directory, keyring=False)


def run(work: Any) -> Any:
    return asyncio.run(work)


def test_it_is_private_and_unreadable(store: FileStore, directory: Path) -> None:
    before = os.umask(0)  # whatever the umask
    try:
        run(store.save(make_record()))
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert list(directory.glob("*.session"))
    for path in directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert REFRESH.encode() not in path.read_bytes()
        assert b"ada@example.com" not in path.read_bytes()
        assert "prod" not in path.name


def test_a_clock_that_was_set_back_prolongs_nothing(store: FileStore) -> None:
    run(store.save(make_record(issued_at=time.time() + 3600)))
    assert run(store.load("prod")).deadline - time.monotonic() <= 300


def test_a_session_that_nobody_has_renewed_for_very_long_is_forgotten(
    store: FileStore, directory: Path
) -> None:
    for name in ("prod", "dev"):
        run(store.save(make_record(name)))
    old, _ = sorted(directory.glob("*.session"))
    long_ago = time.time() - IDLE_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    run(FileStore(directory, keyring=False).load("prod"))
    assert not old.exists()
    assert len(list(directory.glob("*.session"))) == 1


def test_where_the_key_is_can_be_told(
    directory: Path, monkeypatch: pytest.MonkeyPatch, ring: Ring
) -> None:
    store = FileStore(directory)
    assert store.key_source is None
    assert "not been needed" in store.describe()
    run(store.save(make_record()))
    assert store.key_source == "keyring"
    assert "keyring" in store.describe()
    monkeypatch.setenv(VARIABLE, base64.b64encode(bytes(32)).decode())
    other = FileStore(directory)
    run(other.save(make_record()))
    assert other.key_source == "environment"
    assert VARIABLE in other.describe()


def test_it_is_the_usual_one_in_the_jupyter_data_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    run(open_store("file").save(make_record()))
    assert list((tmp_path / "data" / "platform-auth" / "sessions").glob("*.session"))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"JUPYTER_DATA_DIR": "/somewhere/else"},
        {"XDG_DATA_HOME": "/shared"},
        {"JUPYTER_PLATFORM_DIRS": "1", "XDG_DATA_HOME": "/shared"},
        {"HOME": "/a link to a home"},
    ],
)
def test_it_is_where_jupyter_says(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from jupyter_core.paths import jupyter_data_dir

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    if "HOME" in settings:
        (tmp_path / "home").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "home")
        monkeypatch.setenv("HOME", str(tmp_path / "link"))
    assert sessions_directory() == f"{jupyter_data_dir()}/platform-auth/sessions"
