"""The file of an audit log: private, only ever added to, and turned over in time."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.audit.file import AuditFile
from platform_auth.broker.stores.private_file import UnsafeFileError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "audit.jsonl"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_its_owner_alone_can_read_it_whatever_the_mask(path: Path) -> None:
    before = os.umask(0)
    try:
        AuditFile(path).append(b"one")
    finally:
        os.umask(before)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_lines_are_added_and_none_is_changed(path: Path) -> None:
    for line in (b"one", b"two"):
        AuditFile(path).append(line)
    AuditFile(path).append(b"three")
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_one_that_is_open_to_others_is_closed_to_them(path: Path) -> None:
    file = AuditFile(path)
    file.append(b"one")
    path.chmod(0o644)
    file.append(b"two")
    assert mode(path) == 0o600


def test_a_directory_that_is_open_to_others_is_not_used(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    with pytest.raises(UnsafeFileError):
        AuditFile(path).append(b"one")
    assert not path.exists()


@pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
def test_what_is_no_plain_file_is_not_written(path: Path, tmp_path: Path, kind: str) -> None:
    path.parent.mkdir(mode=0o700)
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    {
        "link": lambda: path.symlink_to(victim),
        "fifo": lambda: os.mkfifo(path),
        "directory": path.mkdir,
    }[kind]()
    with pytest.raises((UnsafeFileError, OSError)):
        AuditFile(path).append(b"one")
    assert victim.read_bytes() == b"kept"


class TestTurnover:
    def test_a_full_file_is_put_aside_and_the_oldest_goes(self, path: Path) -> None:
        file = AuditFile(path, max_bytes=20, files=2)
        for number in range(8):  # two lines fit
            file.append(f"line {number}".encode())
        held = [path.with_name(f"audit.jsonl{end}").read_text() for end in ("", ".1", ".2")]
        assert held == ["line 6\nline 7\n", "line 4\nline 5\n", "line 2\nline 3\n"]
        assert not path.with_name("audit.jsonl.3").exists()
        assert all(mode(each) == 0o600 for each in path.parent.iterdir())

    def test_where_none_is_kept_the_file_begins_anew(self, path: Path) -> None:
        file = AuditFile(path, max_bytes=20, files=0)
        for number in range(3):
            file.append(f"line {number}".encode())
        assert path.read_text() == "line 2\n"
        assert not path.with_name("audit.jsonl.1").exists()

    def test_a_line_that_is_too_long_is_written_all_the_same(self, path: Path) -> None:
        AuditFile(path, max_bytes=20).append(b"x" * 100)
        assert path.stat().st_size == 101

    def test_what_another_process_has_put_aside_meanwhile_stays_where_it_is(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, theirs = AuditFile(path, max_bytes=20), AuditFile(path, max_bytes=20)
        ours.append(b"a" * 15)
        turn_over = ours._turn_over

        def late(more: int) -> None:
            theirs.append(b"b" * 5)
            turn_over(more)

        monkeypatch.setattr(ours, "_turn_over", late)
        ours.append(b"c" * 5)
        assert path.read_bytes() == b"bbbbb\nccccc\n"
        assert path.with_name("audit.jsonl.1").read_bytes() == b"a" * 15 + b"\n"
        assert not path.with_name("audit.jsonl.2").exists()

    def test_many_processes_lose_and_mix_no_line(self, path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        writers = [context.Process(target=write_lines, args=(path, who)) for who in range(4)]
        for each in writers:
            each.start()
        for each in writers:
            each.join(60)
        found = [
            tuple(json.loads(line))
            for file in path.parent.glob("audit.jsonl*")
            for line in file.read_text().splitlines()
        ]
        assert sorted(found) == [(who, number) for who in range(4) for number in range(50)]
        assert path.with_name("audit.jsonl.1").exists()


def write_lines(path: Path, who: int) -> None:
    file = AuditFile(path, max_bytes=200, files=100)
    for number in range(50):
        file.append(json.dumps([who, number]).encode())


def test_after_a_line_that_was_cut_off_the_next_one_is_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, write = AuditFile(path), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:3]))
        with pytest.raises(OSError, match="part of the line"):
            file.append(b"a disk that is full")
    file.append(b"whole")
    assert path.read_bytes().splitlines()[-1] == b"whole"
