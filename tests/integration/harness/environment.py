"""The programs and the environment that the tests' child processes run with."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

# What a child may know of the developer's own environment. Everything else, above all the
# developer's profiles, tokens and Jupyter settings, stays out.
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "SYSTEMROOT")


def program(*names: str) -> str:
    """Return the first of `names` that is installed: beside this Python, else on the path.

    Raises
    ------
    FileNotFoundError
        When none is; says how to get it.

    """
    here = str(Path(sys.executable).parent)
    for name in names:
        found = shutil.which(name, path=here) or shutil.which(name)
        if found:
            return found
    msg = f"none of {', '.join(names)} is installed: run `make setup`"
    raise FileNotFoundError(msg)


def isolated(home: Path, **more: str) -> dict[str, str]:
    """Return an environment whose home, Jupyter and IPython directories all lie in `home`."""
    directories = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "jupyter" / "config",
        "JUPYTER_DATA_DIR": home / "jupyter" / "data",
        # A socket's path has room for some 100 bytes, and pytest's directories take half of them.
        "JUPYTER_RUNTIME_DIR": home / "run",
        "JUPYTERLAB_SETTINGS_DIR": home / "jupyter" / "lab" / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "jupyter" / "lab" / "workspaces",
        "IPYTHONDIR": home / "ipython",
        "XDG_CONFIG_HOME": home / "xdg",
        "XDG_CACHE_HOME": home / "xdg-cache",
    }
    for directory in directories.values():
        directory.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return kept | {name: str(path) for name, path in directories.items()} | more
