from __future__ import annotations

import contextlib
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock, Timeout

from platform_auth.broker import place as module
from platform_auth.broker.place import Place
from platform_auth.broker.stores.private_file import UnsafeFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("short")

OWNER = """
import sys
from pathlib import Path
from platform_auth.broker.place import Place

place = Place(Path(sys.argv[1]))
place.take()
(place.path / "server.token").write_text("key")
place.socket.touch()
print(place.path, flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def owner(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run another process that has a place."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def taken(parent: Path, identity: str = "") -> Place:
    place = Place(parent, identity)
    place.take()
    return place


def names(parent: Path) -> list[str]:
    return sorted(each.name for each in parent.iterdir())


def test_it_is_its_owners_alone(short: Path) -> None:
    place = taken(short / "made")
    assert stat.S_IMODE((short / "made").stat().st_mode) == 0o700
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o700
    assert place.socket.parent == place.path
    place.leave()
    assert names(short / "made") == []


def test_the_same_again_is_the_same_place_but_empty(tmp_path: Path) -> None:
    one = taken(tmp_path, "jupyter")
    (one.path / "kernel.token").write_text("key")
    path = one.path
    one._lock.release()  # type: ignore[union-attr]  # as when it is killed
    other = taken(tmp_path, "jupyter")
    assert other.path == path
    assert names(path) == ["lock"]


def test_two_of_the_same_do_not_share_one(tmp_path: Path) -> None:
    one, other = taken(tmp_path, "jupyter"), taken(tmp_path, "jupyter")
    assert one.path != other.path
    other.leave()
    assert one.path.exists()


def test_another_has_another(tmp_path: Path) -> None:
    assert taken(tmp_path, "a").path != taken(tmp_path, "b").path
    assert taken(tmp_path).path != taken(tmp_path).path


class TestSweeping:
    @pytest.mark.parametrize("long", ["", "x" * 120])
    def test_what_a_killed_process_left_goes(self, short: Path, long: str) -> None:
        parent = short / "run" / long
        with owner(parent) as (process, left):
            apart = module._short(left)
            assert (left / "server.token").exists()
            assert apart.exists() == bool(long)
            process.send_signal(signal.SIGKILL)
            process.wait(20)
            assert left.exists()
            place = taken(parent)
            assert names(parent) == [place.path.name]
            assert not apart.exists()

    def test_what_a_live_process_has_stays(self, tmp_path: Path) -> None:
        with owner(tmp_path) as (_process, theirs):
            taken(tmp_path)
            assert (theirs / "server.token").exists()

    def test_what_another_machine_has_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They may share a home, on a file system whose locks do not reach beyond a machine."""
        with monkeypatch.context() as patch:
            patch.setattr(socket, "gethostname", lambda: "another")
            theirs = taken(tmp_path)
        theirs._lock.release()  # type: ignore[union-attr]
        taken(tmp_path)
        assert theirs.path.exists()

    def test_what_nobody_can_tell_about_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise OSError(37, "No locks available")

        with monkeypatch.context() as patch:
            patch.setattr(FileLock, "acquire", refuse)
            theirs = taken(tmp_path)
            (theirs.path / "lock").touch()
            taken(tmp_path)
        assert theirs.path.exists()
        (theirs.path / "lock").unlink()
        taken(tmp_path)
        assert theirs.path.exists()

    def test_links_and_files_of_the_same_name_stay(self, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "lock").touch()
        parent = tmp_path / "run"
        parent.mkdir()
        prefix = f"platform-auth-{module._host()}-"
        (parent / f"{prefix}link").symlink_to(elsewhere)
        (parent / f"{prefix}file").touch()
        taken(parent)
        assert (elsewhere / "lock").exists()
        assert (parent / f"{prefix}file").exists()


class TestAnothersSweep:
    """It can come between the making of a place and its lock."""

    @pytest.mark.parametrize("lost", [Timeout("lock"), FileNotFoundError(2, "No such file")])
    def test_another_place_is_taken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: Exception
    ) -> None:
        acquire, first = FileLock.acquire, [lost]

        def swept(lock: FileLock, **how: Any) -> Any:
            if first:
                raise first.pop()
            return acquire(lock, **how)

        monkeypatch.setattr(FileLock, "acquire", swept)
        place = taken(tmp_path)
        assert place.path.parent == tmp_path
        assert place._lock is not None
        place.leave()
        assert tmp_path.exists()

    def test_no_place_at_all_is_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def swept(lock: FileLock, **_how: Any) -> None:
            raise Timeout(lock.lock_file)

        monkeypatch.setattr(FileLock, "acquire", swept)
        place = Place(tmp_path, "jupyter")
        with pytest.raises(OSError, match="lock"):
            place.take()
        place.leave()
        assert tmp_path.exists()


class TestUnsafe:
    def test_a_directory_that_others_can_write_to(self, tmp_path: Path) -> None:
        path = tmp_path / f"platform-auth-{module._host()}-{module._digest('jupyter')[:8]}"
        path.mkdir()
        path.chmod(0o777)
        with pytest.raises(UnsafeFileError):
            taken(tmp_path, "jupyter")

    def test_a_short_directory_that_is_somebody_elses(self, tmp_path: Path) -> None:
        place = taken(tmp_path / ("x" * 120))
        module._short(place.path).symlink_to(tmp_path)
        with pytest.raises(UnsafeFileError):
            _ = place.socket
        place.leave()
        assert tmp_path.exists()
