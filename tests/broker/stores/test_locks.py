"""How far locks reach; what they do is in the contract and among the faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform_auth.broker.stores.locks import reach_of_locks

HOME = Path("/home/ada/.local/share")
LOCAL = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw"
NFS = "40 22 0:50 / /home rw,relatime shared:5 - nfs4 nas:/home rw,vers=4.2,local_lock={}"


def reach(tmp_path: Path, *mounts: str, directory: Path = HOME) -> str:
    path = tmp_path / "mountinfo"
    path.write_text("\n".join(mounts) + "\n")
    return reach_of_locks(directory, path)


@pytest.mark.parametrize(
    "mount",
    [
        NFS.format("all"),
        NFS.format("flock"),
        "40 22 0:50 / /home rw - nfs nas:/home rw,vers=3,nolock",
        "40 22 0:50 / /home/ada rw - fuse.sshfs ada@host: rw,user_id=1000",
    ],
)
def test_locks_that_other_machines_do_not_see_are_said(tmp_path: Path, mount: str) -> None:
    assert "this machine only" in reach(tmp_path, LOCAL, mount)


@pytest.mark.parametrize(
    "mounts",
    [
        (LOCAL,),
        (LOCAL, NFS.format("none")),
        (LOCAL, NFS.format("posix")),
        (
            "40 22 0:50 / /home rw - nfs4 nas:/home rw,nolock",
            "41 40 8:2 / /home/ada rw - xfs /d rw",
        ),
        ("40 22 0:50 / /home/a rw - nfs4 nas:/home rw,nolock", LOCAL),
        ("rubbish",),
        ("",),
    ],
)
def test_locks_that_reach_everywhere_need_no_word(tmp_path: Path, mounts: tuple[str, ...]) -> None:
    assert reach(tmp_path, *mounts) == ""


def test_a_mount_point_with_a_blank(tmp_path: Path) -> None:
    mount = "40 22 0:50 / /my\\040home rw - nfs nas:/home rw,nolock"
    assert reach(tmp_path, LOCAL, mount, directory=Path("/my home/ada"))


def test_where_nobody_says_what_is_mounted_nothing_is_said(tmp_path: Path) -> None:
    assert reach_of_locks(HOME, tmp_path / "no such file") == ""
