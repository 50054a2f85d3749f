"""Runs what failed among the tests of real browsers and Hubs once more, alone on the machine.

Two such tests at a time share two cores with a dozen servers and browsers, and now and then one of
those does not answer in time. A failure that does not come back is told at the end, and is to be
looked into. One that comes back counts, and so does any other: whatever fails outside
``tests/integration``, and more failures than a few.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

_MOST: Final = 3
"""Failures that may be looked at again; more of them have one cause."""


def failed(root: Path) -> list[str]:
    """Return the tests that the last run in a directory left as failed."""
    return sorted(json.loads((root / ".pytest_cache/v/cache/lastfailed").read_bytes()))


def once_more(root: Path) -> int:
    """Run them, if they are such and so few; returns 0 when all of them pass now."""
    tests = failed(root)
    if not tests or len(tests) > _MOST or any("tests/integration/" not in test for test in tests):
        return 1
    print(f"\nOnce more, alone: {', '.join(tests)}", flush=True)  # noqa: T201 - a program
    code = subprocess.run([sys.executable, "-m", "pytest", *tests], cwd=root, check=False)
    if code.returncode == 0:
        print(f"Passed only when alone, look into it: {', '.join(tests)}")  # noqa: T201
    return code.returncode


if __name__ == "__main__":
    sys.exit(once_more(Path.cwd()))
