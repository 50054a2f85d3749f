"""A process that something happens to at a given system call: it is killed, or the call fails."""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cryptography

import platform_auth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BEGIN, END = "the window begins", "the window ends"
"""What a program looks for in the file system (``os.access``) around what is to be disturbed."""

_MEMORY = frozenset({"brk", "mmap", "munmap", "mremap", "madvise", "mprotect"})
"""Calls of the allocator: how many it makes is up to where the system has put the process."""

_CALL = re.compile(r"^\d+ +(\w+)\(")


@dataclass(frozen=True)
class Call:
    """The nth system call of its kind in a process."""

    name: str
    nth: int
    shown: str = field(compare=False)


@dataclass(frozen=True)
class Disturbed:
    """What came of a process."""

    status: int
    out: str


class Program:
    """A Python program that makes the same system calls every time it runs.

    Parameters
    ----------
    source
        Its text, which may import `parts` and what a store needs, and nothing else.
    parts
        The modules and packages of ours that it needs, as paths.
    directory
        Where they are copied to, so that nobody changes or compiles them meanwhile.

    """

    def __init__(self, source: str, parts: Sequence[str], directory: Path) -> None:
        ours = Path(platform_auth.__file__).parent
        for part in parts:
            copy = directory / "platform_auth" / part
            copy.parent.mkdir(parents=True, exist_ok=True)
            if (ours / part).is_dir():
                shutil.copytree(ours / part, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ours / part, copy)
        compileall.compile_dir(directory, quiet=1)
        paths = [str(directory), str(Path(cryptography.__file__).parents[1])]
        self._source = f"import sys\nsys.path[:0] = {paths!r}\n{source}"

    def run(self, arguments: Sequence[str]) -> Disturbed:
        """Run it undisturbed."""
        return self._run([], arguments)

    def calls(self, arguments: Callable[[], Sequence[str]], trace: Path) -> list[Call]:
        """Return its system calls between the two marks, as two runs in a row make them.

        Those that only ask for memory are left out: nobody else sees them.

        Parameters
        ----------
        arguments
            Prepares the place of a run, and returns what it is given.
        trace
            Where to keep what was called.

        """
        found = self._traced(arguments(), trace)
        while (again := self._traced(arguments(), trace)) != found:
            found = again
        return found

    def _traced(self, arguments: Sequence[str], trace: Path) -> list[Call]:
        self._run(["strace", "-f", "-o", str(trace)], arguments, check=True)
        count, inside, found = Counter[str](), False, list[Call]()
        for line in trace.read_text(errors="replace").splitlines():
            if BEGIN in line:
                inside = True
            if not (match := _CALL.match(line)):
                continue
            count[match[1]] += 1
            if END in line:
                return found
            if inside and BEGIN not in line and match[1] not in _MEMORY:
                found.append(Call(match[1], count[match[1]], line))
        raise AssertionError(trace.read_text(errors="replace")[-2000:])

    def killed_at(self, call: Call, arguments: Sequence[str]) -> Disturbed:
        """Run it up to a system call, which is never made."""
        return self._disturbed(call, "signal=KILL", arguments)

    def failing_at(self, call: Call, error: str, arguments: Sequence[str]) -> Disturbed:
        """Run it with one system call that fails."""
        return self._disturbed(call, f"error={error}", arguments)

    def _disturbed(self, call: Call, how: str, arguments: Sequence[str]) -> Disturbed:
        return self._run(_strace(call.name, f"{call.name}:{how}:when={call.nth}"), arguments)

    def _run(
        self, before: list[str], arguments: Sequence[str], *, check: bool = False
    ) -> Disturbed:
        # -S: what is installed may do something at start, and not the same everywhere.
        argv = [*before, sys.executable, "-P", "-s", "-S", "-B", "-c", self._source, *arguments]
        env = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}  # sets and dicts grow alike
        done = subprocess.run(
            argv, env=env, check=False, capture_output=True, text=True, timeout=60
        )
        assert not (check and done.returncode), done.stderr
        return Disturbed(done.returncode, done.stdout)


def _strace(name: str, injected: str) -> list[str]:
    quietly = ["strace", "-f", "-qq", "-o", "/dev/null"]
    return [*quietly, "-e", f"trace={name}", "-e", f"inject={injected}"]
