"""A real Jupyter server: token authentication, XSRF checks on, an escape in its address."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import httpx2

from ...errors import ServerFailedError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .place import Place

BASE_URL: Final = "/a%40b/"
"""An escape in the path brings most mistakes with URLs to light."""

_START_UP: Final = 60.0
_PATIENCE: Final = 15.0
_INTERVAL: Final = 0.05
_LOG_LINES: Final = 20


def settings(token: str) -> dict[str, Any]:
    """Return the server's settings; ``token`` is what logs in to it."""
    found: dict[str, Any] = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.base_url": BASE_URL,
        "ServerApp.open_browser": False,
        "ServerApp.terminals_enabled": False,
        "IdentityProvider.token": token,
    }
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        found["ServerApp.allow_root"] = True  # as in a container
    return found


class Server:
    """A Jupyter server as a process of its own, for as long as the ``with`` block lasts.

    Parameters
    ----------
    place
        Its files.
    token
        What logs in to it.

    """

    def __init__(self, place: Place, token: str) -> None:
        self._place, self._token = place, token
        self.origin = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "jupyter_server", str(self._place.work)]
        with self._place.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                cwd=self._place.work,
                env=self._place.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"{self.origin}{BASE_URL}"

    @property
    def headers(self) -> dict[str, str]:
        """What logs a program in."""
        return {"Authorization": f"token {self._token}"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON that it answers at a path under its base URL.

        Raises
        ------
        ServerFailedError
            It answers with an error.

        """
        url = f"{self.url}{path}"
        answer = httpx2.request(
            method, url, json=body, headers=self.headers, timeout=_PATIENCE, trust_env=False
        )
        if answer.is_error:
            what = f"The Jupyter server answers {answer.status_code} at {path}."
            raise ServerFailedError(what, why=self._end_of_log())
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def _wait(self) -> None:
        deadline, pause = time.monotonic() + _START_UP, threading.Event()
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                what = "The Jupyter server did not start."
                raise ServerFailedError(what, why=self._end_of_log())
            pause.wait(_INTERVAL)
        self.ask("GET", "platform-auth/api/v1/profiles")  # is the extension there?

    def _answers(self) -> bool:
        # It takes another port where the usual one is in use, and writes down which.
        path = self._place.runtime / f"jpserver-{self._process.pid}.json"
        try:
            self.origin = f"http://127.0.0.1:{json.loads(path.read_text(encoding='utf-8'))['port']}"
            self.ask("GET", "api/status")
        except (OSError, ValueError, KeyError, httpx2.TransportError):
            return False
        return True

    def _end_of_log(self) -> str:
        lines = self._place.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return " | ".join(lines[-_LOG_LINES:])

    def _stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
