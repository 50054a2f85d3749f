"""Where the user's profiles are."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ConfigError

FILE_VARIABLE = "PLATFORM_AUTH_CONFIG"


def user_file() -> Path:
    """Return the file of the user's profiles.

    It is what ``PLATFORM_AUTH_CONFIG`` names, else ``platform-auth/profiles.yaml`` in Jupyter's
    configuration directory.

    Raises
    ------
    ConfigError
        ``PLATFORM_AUTH_CONFIG`` is relative: nothing is read from the current directory.

    """
    named = os.environ.get(FILE_VARIABLE)
    if not named:
        return _jupyter_directory() / "platform-auth" / "profiles.yaml"
    path = Path(os.path.expanduser(named))  # noqa: PTH111 - the other one raises
    if not path.is_absolute():
        what = f"{FILE_VARIABLE} is the relative path {named!r}."
        raise ConfigError(what, fix="Give an absolute path, or one that begins with ~/.")
    return path


def _jupyter_directory() -> Path:
    named = os.environ.get("JUPYTER_CONFIG_DIR")
    if named:
        return Path(named).absolute()
    if os.environ.get("JUPYTER_PLATFORM_DIRS") or os.environ.get("JUPYTER_NO_CONFIG"):
        from jupyter_core.paths import jupyter_config_dir  # rare, and slow

        return Path(jupyter_config_dir())
    return Path(os.path.expanduser("~/.jupyter"))  # noqa: PTH111
