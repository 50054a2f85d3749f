"""Whether there is a person in front of the notebook."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from ..errors import ConfigError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

VARIABLE: Final = "PLATFORM_AUTH_INTERACTIVE"
"""``always``, ``never`` or ``auto``."""

_ALWAYS: Final = frozenset({"always", "1", "true", "yes", "on"})
_NEVER: Final = frozenset({"never", "0", "false", "no", "off"})


def is_person_there(shell: InteractiveShell) -> bool:
    """Tell whether somebody can be asked to sign in.

    ``PLATFORM_AUTH_INTERACTIVE`` says so; by default (``auto``) it is whether the front end would
    take input: nbconvert, papermill and schedules (all by nbclient) would not.

    Parameters
    ----------
    shell
        Where the notebook runs.

    Raises
    ------
    ConfigError
        The variable has another value.

    """
    wish = os.environ.get(VARIABLE, "").strip().lower() or "auto"
    if wish in _ALWAYS | _NEVER:
        return wish in _ALWAYS
    if wish != "auto":
        what = f"{VARIABLE} is {wish!r}."
        raise ConfigError(what, fix="Use always, never or auto.")
    return takes_input(shell)


def takes_input(shell: InteractiveShell) -> bool:
    """Tell whether the front end would answer a question on standard input."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return sys.stdin is not None and sys.stdin.isatty()
    # Private, but the only place where ipykernel 6 and 7 keep what the request allows.
    return bool(getattr(kernel, "_allow_stdin", True))
