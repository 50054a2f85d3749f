from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from platform_auth.broker.audit import AuditFile, AuditLog
from platform_auth.broker.event import Event, Kind
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def rows() -> set[str]:
    found: Iterable[str] = re.findall(r"^\| (`[^|]+`) \|", TEXT, re.MULTILINE)
    return {name for row in found for name in re.findall(r"`(\w+)`", row)}


def written(directory: Path) -> dict[str, object]:
    path = directory / "audit" / "audit.jsonl"
    log = AuditLog(AuditFile(path))
    log.happened(Event(Kind.SIGN_IN, token=Secret("at-CANARY")))
    log.close()
    line: dict[str, object] = json.loads(path.read_text())
    return line


def test_it_names_every_member_and_event_and_no_other(tmp_path: Path) -> None:
    [example] = blocks("json")
    assert list(json.loads(example)) == list(written(tmp_path))
    assert rows() == {*written(tmp_path / "again"), *map(str, Kind), "lost"}


def test_its_program_finds_the_lines_of_a_token(tmp_path: Path) -> None:
    line = written(tmp_path)
    [program] = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "audit"],
        input="at-CANARY\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == line["token"]
