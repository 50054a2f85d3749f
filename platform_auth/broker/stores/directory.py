"""Where the files of a person's sessions are: in their Jupyter data directory."""
# ruff: noqa: PTH111, PTH118

from __future__ import annotations

import os
import sys


def sessions_directory() -> str:
    """Return the directory of saved sessions.

    What `jupyter_core.paths.jupyter_data_dir` says, without its import in the usual case: who only
    prints a token must not wait for it.
    """
    return os.path.join(_jupyter_data(), "platform-auth", "sessions")


def _jupyter_data() -> str:
    named = os.environ.get("JUPYTER_DATA_DIR")
    if named:
        return named
    if os.environ.get("JUPYTER_PLATFORM_DIRS") or sys.platform in {"win32", "darwin"}:
        from jupyter_core.paths import jupyter_data_dir

        return jupyter_data_dir()
    share = os.environ.get("XDG_DATA_HOME")
    home = os.path.realpath(os.path.expanduser("~"))
    return os.path.join(share or os.path.join(home, ".local", "share"), "jupyter")
