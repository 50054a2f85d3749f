from __future__ import annotations

import hashlib
import hmac
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.audit.key import AuditKey
from platform_auth.broker.stores.private_file import UnsafeFileError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = Secret("at-CANARY")


def test_a_fingerprint_is_the_keyed_hash_that_the_documentation_says(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "audit.key"
    found = AuditKey(path).fingerprint(TOKEN)
    key = bytes.fromhex(path.read_text())
    assert found == hmac.new(key, b"at-CANARY", hashlib.sha256).hexdigest()[:32]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_the_same_every_time_and_another_in_every_installation(tmp_path: Path) -> None:
    here = {AuditKey(tmp_path / "here" / "audit.key").fingerprint(TOKEN) for _ in range(3)}
    there = AuditKey(tmp_path / "there" / "audit.key").fingerprint(TOKEN)
    bare = hashlib.sha256(b"at-CANARY").hexdigest()
    assert len(here) == 1
    assert there not in here
    assert not any(bare.startswith(each) for each in here | {there})


def test_two_that_make_a_key_at_once_have_one(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "audit.key"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: AuditKey(path).fingerprint(TOKEN), range(16)))
    assert len(found) == 1


@pytest.mark.parametrize("content", ["", "no key", "00ff", "é" * 64])
def test_what_holds_no_key_is_not_used(tmp_path: Path, content: str) -> None:
    path = tmp_path / "audit.key"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(UnsafeFileError, match="not used") as caught:
        AuditKey(path).fingerprint(TOKEN)
    assert "CANARY" not in str(caught.value)
