from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.audit import default_path

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = "from platform_auth.cli import main; raise SystemExit(main(['login', 'demo-service']))"


def log_in(**environment: str) -> None:
    """Sign in with the command line of a process that has no server to ask."""
    subprocess.run([sys.executable, "-c", LOGIN], env=os.environ | environment,
                   check=True, capture_output=True, timeout=60)  # fmt: skip


@pytest.mark.parametrize("named", [False, True])
def test_a_sign_in_of_the_command_line_is_on_record(
    demo: Path, tmp_path: Path, named: bool
) -> None:
    path = tmp_path / "elsewhere" / "audit.jsonl" if named else default_path()
    log_in(**({"PLATFORM_AUTH_AUDIT": str(path)} if named else {}))
    [line] = map(json.loads, path.read_text().splitlines())
    assert (line["event"], line["result"]) == ("sign_in", "ok")
    assert (line["profile"], line["who"]) == ("demo-service", None)


def test_not_where_it_is_switched_off(demo: Path) -> None:
    log_in(PLATFORM_AUTH_AUDIT="off")
    assert not default_path().exists()
