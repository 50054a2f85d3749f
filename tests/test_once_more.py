from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_AGAIN = Path(__file__).with_name("once_more.py")

PASSES_THE_SECOND_TIME = """
from pathlib import Path
def test_it():
    been_here = Path("been-here")
    if not been_here.exists():
        been_here.touch()
        raise AssertionError
"""
FAILS = "import pytest\n@pytest.mark.parametrize('n', range({}))\ndef test_it(n): assert False\n"


def _once_more(root: Path) -> int:
    (root / "pytest.ini").write_text("[pytest]\n")
    for command in ("-m", "pytest"), (str(_AGAIN),):
        ended = subprocess.run(
            [sys.executable, *command], cwd=root, capture_output=True, check=False
        )
    return ended.returncode


@pytest.mark.parametrize(
    ("place", "source", "code"),
    [
        ("tests/integration/test_a.py", PASSES_THE_SECOND_TIME, 0),
        ("tests/integration/test_a.py", FAILS.format(1), 1),
        ("tests/integration/test_a.py", FAILS.format(4), 1),
        ("tests/broker/test_a.py", PASSES_THE_SECOND_TIME, 1),
    ],
)
def test_only_a_failure_of_real_parts_that_does_not_come_back_is_forgiven(
    tmp_path: Path, place: str, source: str, code: int
) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text(source)
    assert _once_more(tmp_path) == code
