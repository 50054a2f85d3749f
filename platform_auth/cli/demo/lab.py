"""The demo for a person: JupyterLab on a copy of the quickstart, until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import Any, Final

from ...sandbox import Sandbox
from ..exit_status import ExitStatus
from ..logs import keep_quiet
from ..terminal import has_browser, show
from .notebooks import NAME
from .place import Place
from .requirement import require

_PATIENCE: Final = 10.0


def open_lab() -> int:
    """Run JupyterLab in the foreground.

    Raises
    ------
    MissingPackageError
        It is not installed.

    """
    require("jupyterlab", "ipykernel")
    keep_quiet()
    with Sandbox() as sandbox, Place(sandbox.profiles(), _settings()) as place:
        show(
            f"identity provider  {sandbox.issuer}",
            f"platform           {sandbox.platform_url}",
            "",
            "Both are for demos only. JupyterLab opens on a copy of the quickstart: run its cells,",
            "and sign in as Ada, Grace or Alan. Beside it there is a notebook for each flow.",
            "Ctrl-C ends it; nothing of yours is touched.",
        )
        command = [sys.executable, "-m", "jupyterlab"]
        process = subprocess.Popen(command, cwd=place.work, env=place.environment())  # noqa: S603
        try:
            status = _wait(process)
        finally:
            _stop(process)
    show("", "The demo has ended, and nothing of it is left.")
    return ExitStatus.DONE if status == 0 else ExitStatus.FAILED


def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.open_browser": has_browser(),
        "ServerApp.answer_yes": True,  # Ctrl-C ends it without a question
        "Application.log_level": "WARN",
        "LabApp.default_url": f"/lab/tree/{NAME}",
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
    }
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        settings["ServerApp.allow_root"] = True  # as in a container
    return settings


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for its end; Ctrl-C reaches both of us, and it has its own way to end."""
    with contextlib.suppress(KeyboardInterrupt):
        return process.wait()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)
    return 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
