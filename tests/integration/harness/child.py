"""One child process: its log in a file, its whole process group gone when it is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GRACE: Final = 15.0
"""Seconds that a process has to end when it is asked to, before it is killed."""


class Child:
    """A running child process.

    Parameters
    ----------
    argv
        The command; no secret belongs here, anybody on the machine can read it.
    env
        Its whole environment.
    log
        Where its standard error goes (and its standard output, unless `talk`).
    cwd
        The directory it runs in.
    talk
        Keep its standard input and output as pipes, for a program that is spoken to.

    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path,
        talk: bool = False,
    ) -> None:
        self.log = log
        with log.open("ab") as sink:
            self.process = subprocess.Popen(
                argv,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talk else sink,
                stderr=sink,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self.process.poll() is None

    def log_text(self) -> str:
        """Return everything it has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Ask it to end, insist after `GRACE` seconds, and leave nothing of its group behind."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal(signal.SIGKILL)
            self.process.wait(GRACE)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._signal(signal.SIGKILL)
        self.process.wait(GRACE)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)
