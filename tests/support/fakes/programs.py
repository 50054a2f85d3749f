"""Small programs, and a way to see that they and all they started are gone."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_script(directory: Path, text: str, name: str = "get-token", mode: int = 0o755) -> str:
    """Write a shell script and return its path."""
    path = directory / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return str(path)


class Pulse:
    """A pipe that tells whether any process that got hold of it still lives."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait_for(self, wanted: bytes, within: float = 10) -> None:
        """Wait for what is written into it; for nothing (b""): until all writers are gone."""
        deadline = time.monotonic() + within
        while (seen := self._read()) != wanted:
            assert time.monotonic() < deadline, f"waited for {wanted!r}, saw {seen!r}"
            time.sleep(0.005)

    def _read(self) -> bytes | None:
        try:
            return os.read(self._end, 100)
        except BlockingIOError:
            return None

    def close(self) -> None:
        """Give it back."""
        os.close(self._end)
