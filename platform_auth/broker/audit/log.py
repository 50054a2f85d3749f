"""What goes into an audit log, and when: at once where nobody has to wait for it."""

from __future__ import annotations

import getpass
import json
import logging
import os
import queue
import socket
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...errors import PlatformAuthError
from ...oauth.redaction import redact
from .key import AuditKey

if TYPE_CHECKING:
    from pathlib import Path

    from ...secret import Secret
    from ..event import Event
    from ..session import Session

log = logging.getLogger("platform_auth")

VERSION: Final = 1
"""Of the lines' form."""

_WAITING: Final = 1000  # entries; a disk that hangs must not fill the memory
_GRACE: Final = 2.0  # seconds that the end of a broker waits for the disk
_LONGEST: Final = 500  # characters of a text

_Job = tuple[float, "Event"] | None


class Lines(Protocol):
    """Where lines go; what it does may block."""

    @property
    def path(self) -> Path:
        """What it is called."""

    def append(self, line: bytes) -> None:
        """Add a line."""


class Fingerprints(Protocol):
    """Names tokens without giving them away."""

    def fingerprint(self, token: Secret) -> str:
        """Return a token's."""


class AuditLog:
    """Writes down what happens in a broker; one of its observers.

    A thread of its own writes: neither the event loop nor whoever wants a token waits for a disk,
    and what cannot be written is counted and logged, and stops nobody.

    Parameters
    ----------
    file
        Where the lines go.
    key
        For the fingerprints; beside the file when omitted.

    """

    def __init__(self, file: Lines, key: Fingerprints | None = None) -> None:
        self._file = file
        self._key = key or AuditKey(file.path.with_name("audit.key"))
        self._jobs: queue.Queue[_Job] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._lost, self._failed = 0, False
        self._counting = threading.Lock()

    def happened(self, event: Event) -> None:
        """Put an event on record; returns at once."""
        if self._process != os.getpid():  # forked: the thread is not in this process
            self._process, self._thread = os.getpid(), None
            self._jobs = queue.Queue(_WAITING)
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._write_all, args=(self._jobs,), name="platform-auth-audit", daemon=True
            )
            self._thread.start()
        try:
            self._jobs.put_nowait((_now(), event))
        except queue.Full:
            self._lose(1)

    def session_changed(self, session: Session) -> None:
        """Do nothing."""

    def token_requested(self, result: str) -> None:
        """Do nothing: one line for each request would say nothing."""

    def close(self) -> None:
        """Write what is waiting, as far as the disk lets it in a moment."""
        thread, self._thread = self._thread, None
        if thread is None or self._process != os.getpid():
            return
        try:
            self._jobs.put(None, timeout=_GRACE)
        except queue.Full:
            return
        thread.join(_GRACE)

    def _write_all(self, jobs: queue.Queue[_Job]) -> None:
        while (job := jobs.get()) is not None:
            try:
                self._write_lost()
                self._file.append(_line(self._entry(*job)))
                self._failed = False
            except Exception as error:  # noqa: BLE001 - whatever a disk can do
                self._lose(1)
                self._say(error)

    def _write_lost(self) -> None:
        """Say how many entries are missing here."""
        with self._counting:
            lost, self._lost = self._lost, 0
        if not lost:
            return
        try:
            self._file.append(_line({**_head(_now(), "lost"), "count": lost}))
        except BaseException:
            self._lose(lost)
            raise

    def _lose(self, count: int) -> None:
        with self._counting:
            self._lost += count

    def _say(self, error: Exception) -> None:
        if not self._failed:  # once, not for each line
            said = error if isinstance(error, PlatformAuthError | OSError) else type(error).__name__
            log.error("the audit log %s is not written: %s", self._file.path, said)
        self._failed = True

    def _entry(self, at: float, event: Event) -> dict[str, Any]:
        return {
            **_head(at, event.kind.value, event.user),
            "profile": event.profile or None,
            "platform": event.platform or None,
            "who": event.who,
            "result": event.result,
            "reason": _text(event.reason) or None,
            "token": self._fingerprint(event.token),
            "caller": _text(event.caller) or None,
            "seconds": None if event.seconds is None else round(event.seconds, 3),
            "notices": [_text(each) for each in event.notices],
        }

    def _fingerprint(self, token: Secret | None) -> str | None:
        return None if token is None else self._key.fingerprint(token)


def _now() -> float:
    return time.time()


def _head(at: float, event: str, user: str = "") -> dict[str, Any]:
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {
        "version": VERSION,
        "time": moment.replace("+00:00", "Z"),
        "event": event,
        "host": socket.gethostname(),
        "user": user or os.environ.get("JUPYTERHUB_USER") or _system_user(),
        "pid": os.getpid(),
    }


def _system_user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return str(os.getuid()) if hasattr(os, "getuid") else None


def _text(text: str) -> str:
    return redact(text)[:_LONGEST]


def _line(entry: dict[str, Any]) -> bytes:
    # ASCII only: nothing in it can end a line or move the cursor of whoever reads it.
    return json.dumps(entry, ensure_ascii=True).encode()
