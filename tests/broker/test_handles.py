from __future__ import annotations

import stat
import time
from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.handles import BURST, RATE, Handle, Handles

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def handles() -> Handles:
    return Handles()


def header(handle: Handle) -> str:
    return f"Bearer {handle.file.read_text()}"


def test_a_key_is_good_until_it_is_revoked(handles: Handles, tmp_path: Path) -> None:
    one, other = (handles.grant(f"kernel {n}", tmp_path / str(n)) for n in range(2))
    proof = header(one)
    assert handles.find(proof) is one
    handles.revoke(one)
    assert handles.find(proof) is None
    assert not one.file.exists()
    assert handles.find(header(other)) is other


def test_a_key_is_its_owners_alone(handles: Handles, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a link to somewhere, perhaps")
    handle = handles.grant("kernel", tmp_path / "key")
    assert stat.S_IMODE(handle.file.stat().st_mode) == 0o600
    assert len(handle.file.read_text()) >= 43
    assert handle.file.read_text() not in repr(handle) + repr(vars(handles))


@pytest.mark.parametrize(
    "proof", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic x", "\xe4\udc80"]
)
def test_what_is_no_key(handles: Handles, tmp_path: Path, proof: str) -> None:
    handles.grant("kernel", tmp_path / "key")
    assert handles.find(proof) is None


def test_a_key_without_its_scheme_is_none(handles: Handles, tmp_path: Path) -> None:
    handle = handles.grant("kernel", tmp_path / "key")
    assert handles.find(handle.file.read_text()) is None


def test_too_many_calls(tmp_path: Path) -> None:
    handle, now = Handle("kernel", tmp_path), time.monotonic()
    admitted = [handle.admits(now) for _ in range(int(BURST) + 50)]
    assert admitted.count(False) in {49, 50}
    assert handle.admits(now + 2 / RATE)
    assert [handle.admits(now + 3600) for _ in range(int(BURST) + 50)].count(True) == BURST
