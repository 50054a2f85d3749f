"""Faults of the store: damaged, foreign, full, in the way, killed, locked, out of date."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from keyring.backends import fail, null

from fakes.saved import REFRESH, Ring, make_record
from fakes.system_calls import BEGIN, END, Call, Disturbed, Program
from fakes.world import failure
from platform_auth.broker.record import record_to_dict
from platform_auth.broker.stores import locks, os_keyring, sealed
from platform_auth.broker.stores.at_rest import RETRY_SECONDS
from platform_auth.broker.stores.file import FileStore
from platform_auth.broker.stores.keyring import KeyringStore
from platform_auth.broker.stores.keys import VARIABLE
from platform_auth.broker.stores.private_file import UnsafeFileError
from platform_auth.broker.stores.session_files import UNFINISHED_SECONDS, StoreError
from platform_auth.broker.view import session_view
from platform_auth.errors import BrokerUnavailableError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.world import World
    from platform_auth.broker.record import Record
    from platform_auth.broker.stores import Store


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def store(directory: Path) -> FileStore:
    return FileStore(directory, keyring=False)


@pytest.fixture
def saving(new_world: Callable[..., World], directory: Path) -> World:
    """Return a world whose sign-ins are saved."""
    return new_world(store=lambda clock: FileStore(directory, clock=clock, keyring=False))


def run(work: Any) -> Any:
    return asyncio.run(work)


def saved(directory: Path, profile: str = "prod") -> Record | None:
    """Return what a process that starts now finds."""
    found: Record | None = run(FileStore(directory, keyring=False).load(profile))
    return found


def the_file(directory: Path) -> Path:
    [path] = directory.glob("*.session")
    return path


def aside(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.corrupt-*"))


# -- damaged ---------------------------------------------------------------------------------------


def damages(content: bytes) -> Iterator[bytes]:
    yield from (content[:length] for length in range(len(content)))
    for index in (*range(3), *range(11, len(content))):  # those between name the key
        yield content[:index] + bytes([content[index] ^ 0x80]) + content[index + 1 :]
    yield from (b"PA0" + content[3:], content + b"\0", bytes(len(content)), bytes(range(256)) * 9)


def test_whatever_is_damaged_is_put_aside_and_somebody_signs_in_again(
    store: FileStore, directory: Path
) -> None:
    run(store.save(make_record()))
    path = the_file(directory)
    whole = path.read_bytes()
    for damaged in damages(whole):
        path.write_bytes(damaged)
        path.chmod(0o600)
        assert run(store.load("prod")) is None, damaged
        assert not path.exists()
        assert aside(directory)[-1].read_bytes() == damaged
    # Not all of them for ever: the last three, as private as before.
    assert len(aside(directory)) == 3
    assert {stat.S_IMODE(each.stat().st_mode) for each in aside(directory)} == {0o600}
    run(store.save(make_record(generation=2)))
    assert saved(directory) is not None


def test_what_was_sealed_but_is_no_record_is_put_aside(store: FileStore, directory: Path) -> None:
    run(store.save(make_record()))
    for kept in ([], 7, {}, {"profile": "prod"}, {**record_to_dict(make_record()), "scopes": 5}):
        store._vault.write("prod", kept)  # type: ignore[arg-type]
        assert run(store.load("prod")) is None
        assert list(directory.glob("*.session")) == []


def test_a_newer_versions_record_is_neither_read_nor_replaced(
    store: FileStore, directory: Path
) -> None:
    run(store.save(make_record()))
    path = the_file(directory)
    newer = b"PA2" + path.read_bytes()[3:]
    path.write_bytes(newer)
    with pytest.raises(StoreError, match="newer platform-auth"):
        run(store.load("prod"))
    with pytest.raises(StoreError, match="newer platform-auth"):
        run(store.save(make_record(generation=2)))
    assert path.read_bytes() == newer


def test_damage_ends_no_session_that_lives_and_is_repaired_by_the_next_refresh(
    saving: World, directory: Path
) -> None:
    async def work() -> None:
        token = await saving.signed_in()
        the_file(directory).write_bytes(b"damaged")
        for _ in range(2):
            assert (await saving.broker.token("prod")).value == token.value
        await saving.refreshed(token)

    saving.run(work)
    assert saved(directory) is not None


# -- another key -----------------------------------------------------------------------------------


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def test_an_old_key_still_opens_and_the_newest_encrypts(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv(VARIABLE, old)
    run(FileStore(directory).save(make_record()))
    monkeypatch.setenv(VARIABLE, f"{new}, {old}")
    rotated = FileStore(directory)
    assert run(rotated.load("prod")) is not None
    run(rotated.save(make_record(generation=2)))
    monkeypatch.setenv(VARIABLE, new)
    assert run(FileStore(directory).load("prod")).generation == 2


def test_what_a_file_or_a_keyring_once_encrypted_opens_when_the_administrator_has_given_a_key(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    ring: Ring,
) -> None:
    run(FileStore(directory).save(make_record("of the keyring")))
    run(FileStore(directory, keyring=False).save(make_record("of the file")))
    monkeypatch.setenv(VARIABLE, new_key())
    for name in ("of the keyring", "of the file"):
        assert run(FileStore(directory).load(name)) is not None


@pytest.mark.parametrize("lost", ["the variable", "the key file"])
def test_without_its_key_a_record_stays_where_it_is_and_somebody_signs_in_again(
    store: FileStore,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    lost: str,
) -> None:
    key = new_key()
    if lost == "the variable":
        monkeypatch.setenv(VARIABLE, key)
    run(FileStore(directory, keyring=False).save(make_record()))
    before = the_file(directory).read_bytes()
    key_file = (directory / "key").rename(directory / "away") if lost == "the key file" else None
    monkeypatch.delenv(VARIABLE, raising=False)

    assert run(store.load("prod")) is None
    assert "a key that is not known here" in caplog.text
    assert the_file(directory).read_bytes() == before
    # A new sign-in goes to its place, but destroys nothing.
    run(store.save(make_record(generation=2)))
    assert saved(directory) is not None
    [kept] = aside(directory)
    assert kept.read_bytes() == before
    # With the key back, what was kept still opens.
    if key_file is None:
        monkeypatch.setenv(VARIABLE, key)
    else:
        key_file.rename(directory / "key")
    kept.replace(the_file(directory))
    found = saved(directory)
    assert found is not None
    assert found.generation == 1


# -- another's -------------------------------------------------------------------------------------


def test_swapped_records_do_not_open(store: FileStore, directory: Path) -> None:
    for name in ("prod", "dev"):
        run(store.save(make_record(name)))
    one, other = directory.glob("*.session")
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    for name in ("prod", "dev"):
        assert run(store.load(name)) is None
    assert {path.read_bytes() for path in aside(directory)} == {first, second}


def test_another_users_record_does_not_open(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even with the same key, as where an administrator gives all of them one."""
    with monkeypatch.context() as patch:
        patch.setattr(sealed, "_owner", lambda: "4711")
        run(store.save(make_record()))
    assert run(store.load("prod")) is None
    assert len(aside(directory)) == 1


# -- a disk that does not do what it is told -------------------------------------------------------

SAVE = f"""
import json, os
directory, kept, limit = sys.argv[1:]
from platform_auth.broker.stores.session_files import SessionFiles, StoreError
import filelock
if int(limit):
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
files = SessionFiles(directory, keyring=False)
files.prepare()
kept = json.loads(kept)
os.access({BEGIN!r}, 0)
try:
    files.write("prod", kept)
except StoreError as error:
    print("not saved:", error.why)
else:
    print("saved")
os.access({END!r}, 0)
"""
FILE_CALLS = {"openat", "newfstatat", "fstat", "read", "write", "lseek", "fsync", "close", "rename"}


@pytest.fixture(scope="module")
def saver(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Return a program that saves, imports little, and makes the same system calls each time."""
    parts = ("__init__.py", "errors.py", "secret.py", "broker/__init__.py", "broker/stores")
    return Program(SAVE, parts, tmp_path_factory.mktemp("program"))


def arguments(directory: Path, limit: int = 0) -> list[str]:
    return [str(directory), json.dumps(record_to_dict(make_record(generation=2))), str(limit)]


@pytest.fixture(scope="module")
def calls(saver: Program, tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """Return the system calls of a save that replaces a record."""
    parent = tmp_path_factory.mktemp("calls")
    run(FileStore(parent / "sessions", keyring=False).save(make_record()))
    return traced(saver, parent / "sessions", parent)


def traced(saver: Program, directory: Path, tmp_path: Path) -> list[Call]:
    """Return the system calls of a save into a place like this one."""

    def place() -> list[str]:
        shutil.rmtree(tmp_path / "traced", ignore_errors=True)
        shutil.copytree(directory, tmp_path / "traced")
        return arguments(tmp_path / "traced")

    return saver.calls(place, tmp_path / "trace")


def copies(directory: Path, count: int) -> list[Path]:
    run(FileStore(directory, keyring=False).save(make_record()))
    made = [directory.with_name(f"copy-{number}") for number in range(count)]
    for copy in made:
        shutil.copytree(directory, copy)
    return made


def is_sound(directory: Path, *, old: bool = True, new: bool = True) -> None:
    """See that there is one record or the other, and that the store works on."""
    found = saved(directory)
    assert found is not None
    assert found.generation in [1] * old + [2] * new
    assert found.tokens.refresh_token is not None
    assert found.tokens.refresh_token.reveal() == REFRESH
    run(FileStore(directory, keyring=False).save(make_record(generation=3)))
    assert saved(directory) is not None
    assert aside(directory) == []


def test_whichever_system_call_fails_the_old_record_stays_or_the_new_one_is_there(
    saver: Program, calls: list[Call], directory: Path
) -> None:
    """EIO: a network disk that went away, at every call that has to do with files."""
    tried = [call for call in calls if call.name in FILE_CALLS]
    assert {call.name for call in tried} >= {"openat", "write", "fsync", "rename", "close"}
    places = copies(directory, len(tried))

    def fail(call: Call, place: Path) -> str:
        return saver.failing_at(call, "EIO", arguments(place)).out.strip()

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(fail, tried, places))
    assert set(said) == {"saved", "not saved: Input/output error"}
    for place, call, outcome in zip(places, tried, said, strict=True):
        assert list(place.glob(".*.tmp")) == [], call
        renamed = call.name == "fsync" or outcome == "saved"
        is_sound(place, old=outcome != "saved", new=renamed or call.name in {"openat", "close"})


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("openat", "EROFS"),
        ("openat", "EACCES"),
        ("openat", "EMFILE"),
        ("openat", "ENFILE"),
        ("openat", "ENOSPC"),
        ("write", "ENOSPC"),
        ("write", "EDQUOT"),
        ("fsync", "ENOSPC"),
        ("fsync", "EDQUOT"),
        ("rename", "EACCES"),
        ("rename", "ENOSPC"),
    ],
)
def test_why_it_is_not_saved_is_said_and_the_old_record_stays(
    saver: Program, calls: list[Call], directory: Path, name: str, error: str
) -> None:
    [place] = copies(directory, 1)
    flags = "O_CREAT" if name == "openat" else ""
    call = next(call for call in calls if call.name == name and flags in call.shown)
    said = saver.failing_at(call, error, arguments(place)).out
    assert said == f"not saved: {os.strerror(getattr(errno, error))}\n"
    assert list(place.glob(".*.tmp")) == []
    is_sound(place, new=False)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], int]]]:
    """Return a directory on a small disk and what fills it; where nothing may be mounted, a limit.

    The limit (RLIMIT_FSIZE) ends a write halfway, too.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    size = ["-o", "size=64k"]
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", *size, "tmpfs", str(disk)], check=False, capture_output=True
    ).returncode

    def fill() -> int:
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
            while mounted:
                file.write(bytes(1024))
        return 0 if mounted else 100

    yield disk / "sessions", fill
    if mounted:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_the_old_record_and_nothing_else(
    saver: Program, full_disk: tuple[Path, Callable[[], int]]
) -> None:
    directory, fill = full_disk
    run(FileStore(directory, keyring=False).save(make_record()))
    assert saver.run(arguments(directory, fill())).out.startswith("not saved: ")
    assert list(directory.glob(".*.tmp")) == []
    (directory.parent / "filler").unlink()
    is_sound(directory, new=False)


def test_what_cannot_be_saved_serves_from_memory_loudly_and_is_saved_later(
    saving: World,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def work() -> None:
        token = await saving.signed_in()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            new = await saving.refreshed(token)
            assert new.value != token.value
            assert "No space left on device" in caplog.text
            assert "prod is not saved (No space left on device)" in saving.broker.store
            view = session_view(await saving.broker.session("prod"), saving.broker)
            assert view["notices"] == ["The sign-in is not saved: No space left on device."]
            saving.clock.advance(RETRY_SECONDS + 1)
            assert (await saving.broker.token("prod")).value == new.value
            assert "still not saved" in caplog.text
        # Once there is room, it is saved without anybody's doing, and without another refresh.
        saving.clock.advance(RETRY_SECONDS + 1)
        assert (await saving.broker.token("prod")).value == new.value
        assert "not saved" not in saving.broker.store
        assert saving.broker.notices(await saving.broker.session("prod")) == []
        found = await FileStore(directory, keyring=False).load("prod")
        assert found is not None
        assert found.tokens.access_token == new.value
        assert saving.asked() == 1

    saving.run(work)


def test_what_could_not_be_saved_is_dropped_once_another_process_has_been_there(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for left, done in (("nothing", "delete"), ("newer", "save")):
        store, other = (FileStore(directory / left, keyring=False) for _ in range(2))
        run(store.save(make_record()))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(StoreError):
                run(store.save(make_record(generation=2)))
        assert run(store.load("prod")).generation == 2
        run(other.delete("prod") if done == "delete" else other.save(make_record(generation=3)))
        found = run(store.load("prod"))
        assert (found and found.generation) == (None if done == "delete" else 3)
        assert "not saved" not in store.describe()


def test_a_sign_out_that_leaves_the_record_there_says_so(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store.save(make_record()))

    def refused(_path: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "unlink", refused)
    with pytest.raises(StoreError) as caught:
        run(store.delete("prod"))
    assert caught.value.why == "Read-only file system"
    assert str(the_file(directory)) in caught.value.fix


# -- in the way ------------------------------------------------------------------------------------


def leave_a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(os.path.relpath(path))  # its whole path is too long for a socket


TRICKS: dict[str, Callable[[Path, Path], object]] = {
    "symbolic link": lambda path, other: path.symlink_to(other),
    "dangling link": lambda path, other: path.symlink_to(other.with_name("nowhere")),
    "hard link": lambda path, other: path.hardlink_to(other),
    "FIFO": lambda path, _other: os.mkfifo(path, 0o600),
    "socket": lambda path, _other: leave_a_socket(path),
    "directory": lambda path, _other: path.mkdir(),
    "readable by others": lambda path, other: (shutil.copy(other, path), path.chmod(0o644)),
    "writable by a group": lambda path, other: (shutil.copy(other, path), path.chmod(0o620)),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_is_no_private_file_is_neither_read_nor_written(
    store: FileStore, directory: Path, tmp_path: Path, trick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(store.save(make_record()))
    path, other = the_file(directory), tmp_path / "other"
    path.rename(other)
    before = other.read_bytes()
    TRICKS[trick](path, other)
    for work in (store.load("prod"), store.save(make_record(generation=2))):
        with pytest.raises((UnsafeFileError, StoreError)) as caught:
            run(work)
        assert caught.value.fix
    assert other.read_bytes() == before
    assert not (tmp_path / "nowhere").exists()
    run(store.load("dev"))  # another profile has nothing to do with it


def test_a_file_of_somebody_elses_is_not_read(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store.save(make_record()))
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(UnsafeFileError, match="belongs to somebody else"):
        run(store.load("prod"))


async def used(store: Store) -> str:
    """Use a store in every way, and return how it describes itself then."""
    async with store.lock("prod"):
        assert await store.load("prod") is None
        await store.save(make_record())
    assert await store.load("prod") is not None
    assert store.stamp("prod") is not None
    await store.delete("prod")
    assert store.stamp("prod") is None
    assert store.key_source == "memory"
    return store.describe()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777, 0o707])
def test_a_directory_that_is_open_to_others_is_done_without_and_said(
    store: FileStore, directory: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    directory.mkdir()
    directory.chmod(mode)
    said = run(used(store))
    assert said.startswith("in memory, until this process ends: ")
    assert f"chmod 700 {directory}" in said
    assert "end with this process" in caplog.text
    assert "ends with this process" in (store.notice("prod") or "")
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("what", ["a link", "a file", "somebody else's", "below a file"])
def test_a_directory_that_is_none_of_ours_is_done_without(
    directory: Path, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if what == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        directory.symlink_to(tmp_path / "elsewhere")
    elif what == "somebody else's":
        directory.mkdir(mode=0o700)
        me = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    else:
        directory.write_bytes(b"")
    directory = directory / "sessions" if what == "below a file" else directory
    assert run(used(FileStore(directory, keyring=False))).startswith("in memory")
    assert list(tmp_path.rglob("*.session")) == []


# -- killed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [False, True])
def test_killed_at_any_system_call_of_a_save_the_old_record_is_there_or_the_new_one(
    saver: Program, directory: Path, tmp_path: Path, first: bool
) -> None:
    """``first``: there is not even a key yet, and nothing to lose; but what comes later works."""
    directory.mkdir(mode=0o700)
    if not first:
        run(FileStore(directory, keyring=False).save(make_record()))
    calls = traced(saver, directory, tmp_path)
    assert {call.name for call in calls} >= {"openat", "write", "fsync", "rename", "close"}
    places = [tmp_path / f"copy-{number}" for number in range(len(calls))]

    def killed(call: Call, place: Path) -> Disturbed:
        # A run now and then makes a call less than the others and ends by itself: once more then.
        for _ in range(5):
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(directory, place)
            end = saver.killed_at(call, arguments(place))
            if end.status:
                break
        return end

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(killed, calls, places))
    survived = [
        call for call, end in zip(calls, ends, strict=True) if end.status != -signal.SIGKILL
    ]
    assert survived == []
    assert {end.out for end in ends} <= {"", "saved\n"}
    found = [saved(place) for place in places]
    generations = [record.generation if record else 0 for record in found]
    assert generations == sorted(generations)  # from one call on it is the new one, for good
    assert set(generations) == {0 if first else 1, 2}
    for place in places:
        later = FileStore(place, keyring=False)
        run(later.save(make_record(generation=3)))
        assert run(later.load("prod")).generation == 3
        assert aside(place) == []


def test_what_a_killed_process_left_unfinished_is_swept_later(
    store: FileStore, directory: Path
) -> None:
    directory.mkdir(mode=0o700)
    old, new = directory / ".x.session.1.tmp", directory / ".x.session.2.tmp"
    for path in (old, new):
        path.touch(0o600)
    before = time.time() - UNFINISHED_SECONDS - 10
    os.utime(old, (before, before))
    run(store.load("prod"))
    assert not old.exists()
    assert new.exists()  # somebody may be at it


# -- locked ----------------------------------------------------------------------------------------

HOLD = """
import asyncio, pathlib, sys
from platform_auth.broker.stores.file import FileStore

async def hold():
    async with FileStore(pathlib.Path(sys.argv[1]), keyring=False).lock("prod"):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


@contextlib.contextmanager
def holding(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Have a process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


async def take(store: Store, profile: str = "prod") -> None:
    async with store.lock(profile):
        pass


def test_the_lock_of_a_process_that_was_killed_is_free(store: FileStore, directory: Path) -> None:
    with holding(directory) as holder:
        holder.kill()
        holder.wait()
        run(take(store))


def test_while_a_stopped_process_holds_the_lock_a_live_token_serves_and_then_it_is_named(
    saving: World, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.2)

    async def work() -> None:
        token = await saving.signed_in()
        with holding(directory) as holder:
            holder.send_signal(signal.SIGSTOP)
            saving.clock.advance(saving.provider.lifetime - 10)
            assert (await saving.broker.token("prod")).value == token.value
            saving.clock.advance(100)
            error = await failure(saving.broker.token("prod"))
            assert isinstance(error, BrokerUnavailableError)
            assert f"process {holder.pid} on this machine" in error.what
            assert error.retryable
            await take(FileStore(directory, keyring=False), "dev")  # nobody else waits
            holder.send_signal(signal.SIGCONT)
        saving.clock.advance(100)
        assert (await saving.broker.token("prod")).value != token.value
        assert saving.asked() == 1  # its refresh token was not used while it was not ours to use

    saving.run(work)


USE = """
import asyncio, pathlib, sys
from platform_auth.broker.stores.file import FileStore

async def use():
    store = FileStore(pathlib.Path(sys.argv[1]), keyring=False)
    async with store.lock("prod"):
        print(store.describe())

asyncio.run(use())
"""


@pytest.mark.parametrize("error", ["ENOLCK", "ENOSYS"])
def test_a_file_system_without_locks_is_done_without_and_said(directory: Path, error: str) -> None:
    """An NFS mount whose server has no lock manager, for one."""
    argv = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=flock:error={error}"]
    said = subprocess.run(
        [*argv, sys.executable, "-c", USE, str(directory)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.stdout.startswith("in memory, until this process ends: ")
    assert "cannot be used" in said.stdout
    assert "end with this process" in said.stderr
    assert list(directory.glob("*.session")) == []


# -- out of date -----------------------------------------------------------------------------------


def test_a_change_is_noticed_although_the_file_systems_clock_stands_still(
    new_world: Callable[..., World], directory: Path
) -> None:
    """The same size, the same second, even an older one, as after a restored backup."""
    world = new_world(store=lambda clock: FileStore(directory, clock=clock, keyring=False))
    stamps = set()
    store = FileStore(directory, keyring=False)

    async def work() -> None:
        token = await world.signed_in()
        before = the_file(directory).stat()
        found = await FileStore(directory, keyring=False).load("prod")
        for generation in range(2, 12):
            new = replace(
                found,
                generation=generation,
                tokens=replace(found.tokens, access_token=Secret(f"{generation:x}" * 8)),
            )
            await store.save(new)
            os.utime(the_file(directory), ns=(before.st_atime_ns, before.st_mtime_ns))
            stamps.add(store.stamp("prod"))
            assert (await world.broker.token("prod")).value == new.tokens.access_token
        assert token.value

    world.run(work)
    assert len(stamps) == 10


# -- the keyring -----------------------------------------------------------------------------------


def locked(ring: Ring) -> Ring:
    ring.unlocked.clear()
    return ring


def broken(ring: Ring) -> Ring:
    def refuse(*_: str) -> str:
        msg = "org.freedesktop.DBus.Error.ServiceUnknown"
        raise RuntimeError(msg)

    ring.get_password = refuse  # type: ignore[method-assign]
    return ring


class PlainText(Ring):
    """As the one of keyrings.alt is rated."""

    priority = 0.5  # type: ignore[assignment]


RINGS: dict[str, tuple[Callable[[Ring], Any], str]] = {
    "locked, or waiting for D-Bus": (locked, "did not answer within 0.1 seconds"),
    "broken": (broken, "it failed (RuntimeError)"),
    "fail": (lambda _: fail.Keyring(), "none that protects"),
    "null": (lambda _: null.Keyring(), "none that protects"),
    "plain text": (lambda _: PlainText(), "none that protects"),
    "not installed": (lambda _: None, "is not installed"),
}


@pytest.fixture(params=RINGS)
def bad_ring(
    request: pytest.FixtureRequest,
    ring: Ring,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Be on a machine whose keyring is of no use, and return why it is not."""
    make, why = RINGS[request.param]
    found = make(ring)
    monkeypatch.setattr("keyring.get_keyring", lambda: found)
    monkeypatch.setattr(os_keyring, "LIMIT", 0.1)
    if found is None:
        monkeypatch.setattr(os_keyring, "find_spec", lambda _name: None)
    return why


def test_without_a_keyring_the_key_is_a_file_and_that_is_said(
    bad_ring: str, directory: Path
) -> None:
    store = FileStore(directory)
    run(store.save(make_record()))
    assert store.key_source == "file"
    assert "the key is a file beside them" in store.describe()
    assert stat.S_IMODE((directory / "key").stat().st_mode) == 0o600
    assert run(FileStore(directory).load("prod")) is not None


def test_without_a_keyring_the_store_in_it_is_memory_and_that_is_said(
    bad_ring: str, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = run(used(KeyringStore(directory)))
    assert said.startswith("in memory, until this process ends: ")
    assert bad_ring in said
    assert bad_ring in caplog.text


# -- many ------------------------------------------------------------------------------------------

FORK = """
import asyncio, os, pathlib, signal, sys
from platform_auth.broker.stores.file import FileStore

async def fork_under_the_lock():
    async with FileStore(pathlib.Path(sys.argv[1]), keyring=False).lock("prod"):
        child = os.fork()
        if child:
            print(child, flush=True)
        signal.pause()

asyncio.run(fork_under_the_lock())
"""


def test_a_forked_child_does_not_keep_the_lock_of_a_refresh_that_ran(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.2)
    argv = [sys.executable, "-c", FORK, str(directory)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            with pytest.raises(BrokerUnavailableError, match=f"process {parent.pid} "):
                run(take(store))
            parent.kill()
            parent.wait()
            os.kill(child, 0)  # it lives on
            run(take(store))
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_thousand_kernels_cost_the_provider_one_request(saving: World) -> None:
    async def work() -> None:
        token = await saving.signed_in()
        saving.clock.advance(saving.provider.lifetime)
        new = await asyncio.gather(*(saving.broker.token("prod") for _ in range(1000)))
        assert {each.value for each in new} - {token.value} == {new[0].value}
        assert saving.asked() == 1

    saving.run(work)
