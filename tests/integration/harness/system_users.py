"""Users of the operating system, made for a test and gone after it."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.for_everybody import for_everybody
from harness.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCKED: Final = (1, 10)  # what useradd and userdel say while another one changes the same files


class SystemUser:
    """One of them, with a home of their own that nobody else may look into.

    Parameters
    ----------
    name
        The beginning of their name; what follows is random, so that tests can run side by side.
        What a URL must escape is welcome.
    homes
        The directory that gets their home.

    Attributes
    ----------
    name, uid, home
        What the system knows of them.

    """

    def __init__(self, name: str, homes: Path) -> None:
        if os.geteuid() != 0:
            msg = "tests with users of the operating system run as root: `sudo make test`"
            raise PermissionError(msg)
        self.name = f"{name}{secrets.token_hex(3)}"
        self.home = homes / self.name
        _retried("useradd", "--badname", "--create-home", "--home-dir", str(self.home), self.name)
        self.uid = pwd.getpwnam(self.name).pw_uid
        self.home.chmod(0o700)

    def processes(self) -> list[int]:
        """Return the processes that run as them."""
        return sorted(_processes_of(self.uid))

    def run(self, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a program as them, with an almost empty environment."""
        given = {"HOME": str(self.home), "PATH": os.environ["PATH"], **env}
        as_them = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        command = for_everybody([*as_them, *argv])
        return subprocess.run(
            command, env=given, cwd="/", capture_output=True, text=True, timeout=60, check=False
        )

    def remove(self) -> None:
        """End all that runs as them, and forget them."""
        wait_until(self._nothing_left, f"the end of what {self.name} runs")
        _retried("userdel", "--remove", self.name)

    def _nothing_left(self) -> bool:
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return not self.processes()


def _processes_of(uid: int) -> Iterator[int]:
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                # One that has ended, and whose parent has not asked yet, runs no more.
                state = (place / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
                if place.stat().st_uid == uid and state != "Z":
                    yield int(place.name)


def _retried(*argv: str) -> None:
    def done() -> bool:
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)
        if ended.returncode and ended.returncode not in _LOCKED:
            msg = f"{argv[0]} failed: {ended.stderr}"
            raise RuntimeError(msg)
        return not ended.returncode

    wait_until(done, argv[0])
