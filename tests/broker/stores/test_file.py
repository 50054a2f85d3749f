"""Sessions at rest: private, bound to their place, and never lost to a fault."""

from __future__ import annotations

import asyncio
import base64
import multiprocessing
import os
import stat
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keyring
import pytest
from keyring.backend import KeyringBackend

from platform_auth.broker.record import Record
from platform_auth.broker.stores import file as file_module
from platform_auth.broker.stores import keys as keys_module
from platform_auth.broker.stores.file import FileStore, StoreError
from platform_auth.broker.stores.keys import VARIABLE
from platform_auth.broker.stores.private_file import UnsafeFileError
from platform_auth.errors import BrokerUnavailableError, ConfigError
from platform_auth.oauth.identity import Identity
from platform_auth.oauth.tokens import TokenSet
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

REFRESH = "the-refresh-token-that-nobody-may-see"


def make_record(profile: str = "prod", generation: int = 1, issued_at: float = 0) -> Record:
    tokens = TokenSet(
        access_token=Secret("access"),
        expires_in=300,
        refresh_token=Secret(REFRESH),
        id_token=Secret("id"),
        scopes=("openid", "api"),
        identity=Identity("https://id.example", "ada", "Ada", "ada@example.com", None),
    )
    now = issued_at or time.time()
    return Record(profile, "realm", "pkce", tokens, now, time.monotonic() + 300, generation)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def store(directory: Path) -> FileStore:
    return FileStore(directory, keyring=False)


def run(work: Any) -> Any:
    return asyncio.run(work)


def the_file(directory: Path) -> Path:
    [path] = directory.glob("*.session")
    return path


def test_a_record_comes_back_whole(store: FileStore, directory: Path) -> None:
    record = make_record()
    run(store.save(record))
    found = run(FileStore(directory, keyring=False).load("prod"))
    assert replace(found, deadline=0) == replace(record, deadline=0)
    assert found.deadline == pytest.approx(record.deadline, abs=2)


def test_nothing_is_there_at_first(store: FileStore, directory: Path) -> None:
    assert run(store.load("prod")) is None
    assert store.stamp("prod") is None
    assert not list(directory.glob("*.session"))


def test_it_is_private_and_unreadable(store: FileStore, directory: Path) -> None:
    run(store.save(make_record()))
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for path in directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert REFRESH.encode() not in path.read_bytes()
        assert b"ada@example.com" not in path.read_bytes()


def test_deleted_is_gone(store: FileStore) -> None:
    run(store.save(make_record()))
    run(store.delete("prod"))
    run(store.delete("prod"))
    assert run(store.load("prod")) is None


def test_the_stamp_tells_of_another_processs_change(store: FileStore, directory: Path) -> None:
    run(store.save(make_record()))
    before = store.stamp("prod")
    assert store.stamp("prod") == before
    run(FileStore(directory, keyring=False).save(make_record(generation=2)))
    assert store.stamp("prod") != before


def test_every_flipped_byte_is_noticed(store: FileStore, directory: Path) -> None:
    run(store.save(make_record()))
    path = the_file(directory)
    content = path.read_bytes()
    for index in range(3, len(content)):
        path.write_bytes(content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :])
        path.chmod(0o600)
        assert run(store.load("prod")) is None, index
        assert not path.exists()


def test_damage_is_put_aside_not_deleted(store: FileStore, directory: Path) -> None:
    for content in (b"", b"PA", b"rubbish", b"PA1" + bytes(10), b"PA1" + bytes(100)):
        run(store.save(make_record()))
        the_file(directory).write_bytes(content)
        assert run(store.load("prod")) is None
    aside = sorted(directory.glob("*.corrupt-*"))
    assert len(aside) == 3
    assert aside[-1].read_bytes() == b"PA1" + bytes(100)
    assert stat.S_IMODE(aside[-1].stat().st_mode) == 0o600


def test_a_newer_versions_record_is_left_alone(store: FileStore, directory: Path) -> None:
    run(store.save(make_record()))
    path = the_file(directory)
    path.write_bytes(b"PA2" + path.read_bytes()[3:])
    with pytest.raises(StoreError, match="newer"):
        run(store.load("prod"))
    assert path.exists()


def test_a_record_does_not_open_under_another_name(store: FileStore, directory: Path) -> None:
    run(store.save(make_record("prod")))
    prod = the_file(directory).read_bytes()
    run(store.save(make_record("dev")))
    for path in directory.glob("*.session"):
        path.write_bytes(prod)
    assert run(store.load("dev")) is None
    assert run(store.load("prod")) is not None


def test_a_record_does_not_open_for_another_owner(store: FileStore, directory: Path) -> None:
    run(store.save(make_record()))
    other = FileStore(directory, keyring=False)
    other._owner = "4711"
    assert run(other.load("prod")) is None


def test_rotated_keys(store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    monkeypatch.setenv(VARIABLE, old)
    run(store.save(make_record()))
    monkeypatch.setenv(VARIABLE, f"{new}, {old}")
    rotated = FileStore(directory)
    assert run(rotated.load("prod")) is not None
    run(rotated.save(make_record(generation=2)))
    monkeypatch.setenv(VARIABLE, new)
    assert run(FileStore(directory).load("prod")).generation == 2
    monkeypatch.setenv(VARIABLE, old)
    assert run(FileStore(directory).load("prod")) is None


@pytest.mark.parametrize("value", ["short", "!!!", base64.b64encode(bytes(31)).decode(), "a,"])
def test_a_malformed_key_is_an_error_that_does_not_show_it(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConfigError) as caught:
        run(store.save(make_record()))
    assert value not in str(caught.value)
    assert "32 random bytes" in str(caught.value)


def test_where_the_key_is_can_be_told(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store.save(make_record()))
    assert "a file beside them" in store.describe()
    monkeypatch.setenv(VARIABLE, base64.b64encode(bytes(32)).decode())
    other = FileStore(directory)
    run(other.save(make_record()))
    assert VARIABLE in other.describe()


async def used(store: FileStore) -> str:
    """Use a store in every way, and return how it describes itself then."""
    async with store.lock("prod"):
        assert await store.load("prod") is None
        await store.save(make_record())
    assert await store.load("prod") is not None
    assert store.stamp("prod") is not None
    await store.delete("prod")
    assert store.stamp("prod") is None
    return store.describe()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707])
def test_an_open_directory_is_not_used(
    directory: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    directory.mkdir()
    directory.chmod(mode)
    said = run(used(FileStore(directory, keyring=False)))
    assert said.startswith("in memory")
    assert f"chmod 700 {directory}" in said
    assert "end with this process" in caplog.text
    assert list(directory.iterdir()) == []


def test_a_link_for_a_directory_is_not_used(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    directory.symlink_to(tmp_path / "elsewhere")
    assert run(used(FileStore(directory, keyring=False))).startswith("in memory")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = run(used(FileStore(tmp_path / "file" / "sessions", keyring=False)))
    assert said.startswith("in memory")
    assert "cannot be used" in said


@pytest.mark.parametrize("trick", ["link", "hard link", "fifo", "directory", "open"])
def test_tricks_with_a_record_are_refused(
    store: FileStore, directory: Path, tmp_path: Path, trick: str
) -> None:
    run(store.save(make_record()))
    path = the_file(directory)
    other = tmp_path / "other"
    path.rename(other)
    {
        "link": lambda: path.symlink_to(other),
        "hard link": lambda: path.hardlink_to(other),
        "fifo": lambda: os.mkfifo(path, 0o600),
        "directory": path.mkdir,
        "open": lambda: (path.write_bytes(other.read_bytes()), path.chmod(0o644)),
    }[trick]()
    with pytest.raises(UnsafeFileError):
        run(store.load("prod"))


def test_a_full_disk_leaves_the_old_record(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store.save(make_record()))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        run(store.save(make_record(generation=2)))
    monkeypatch.undo()
    assert run(store.load("prod")).generation == 1
    assert not list(directory.glob("*.tmp"))


def test_a_clock_that_was_set_back_prolongs_nothing(store: FileStore) -> None:
    run(store.save(make_record(issued_at=time.time() + 3600)))
    assert run(store.load("prod")).deadline - time.monotonic() <= 300


def hold(directory: Path, held: Any, release: Any) -> None:
    async def work() -> None:
        async with FileStore(directory, keyring=False).lock("prod"):
            held.set()
            await asyncio.to_thread(release.wait)

    asyncio.run(work())


def test_one_process_at_a_time(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    process = context.Process(target=hold, args=(directory, held, release))
    process.start()
    held.wait(30)

    async def take() -> None:
        async with store.lock("prod"):
            pass

    async def take_another() -> None:
        async with store.lock("dev"):
            pass

    monkeypatch.setattr(file_module, "LOCK_SECONDS", 0.2)
    run(take_another())
    with pytest.raises(BrokerUnavailableError):
        run(take())
    # A process that dies takes its lock along.
    process.kill()
    process.join()
    run(take())


def test_a_file_system_without_locks_is_not_used(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def none(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", none)
    assert run(used(FileStore(directory, keyring=False))).startswith("in memory")
    assert not list(directory.glob("*.session"))


class Ring(KeyringBackend):
    """A keyring in memory; `stuck` is one that waits for somebody who is not there."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, *, stuck: bool = False) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.stuck = threading.Event()
        if not stuck:
            self.stuck.set()

    def get_password(self, service: str, username: str) -> str | None:
        self.stuck.wait()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    found = Ring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: found)
    monkeypatch.setattr(keyring, "get_password", found.get_password)
    monkeypatch.setattr(keyring, "set_password", found.set_password)
    return found


def test_the_keyring_keeps_the_key(ring: Ring, directory: Path) -> None:
    store = FileStore(directory)
    run(store.save(make_record()))
    assert "keyring" in store.describe()
    assert not (directory / "key").exists()
    assert run(FileStore(directory).load("prod")) is not None
    ring.kept.clear()
    assert run(FileStore(directory).load("prod")) is None


def test_a_stuck_keyring_holds_nobody_up(
    ring: Ring, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "KEYRING_SECONDS", 0.1)
    ring.stuck.clear()
    store = FileStore(directory)
    run(store.save(make_record()))
    ring.stuck.set()
    assert "a file beside them" in store.describe()
    # The file it made stays in use, also when the keyring answers again.
    assert run(FileStore(directory).load("prod")) is not None
