"""What the demo needs and the package alone does not bring."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from ...errors import MissingExtraError

_INSTALL: Final = 'pip install "platform-auth[demo]"'


def require(*modules: str) -> None:
    """Return if all modules can be imported.

    Raises
    ------
    MissingExtraError
        It says what to install.

    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        what = f"The demo needs {' and '.join(missing)}, and this Python has none."
        raise MissingExtraError(what, fix=f"Run: {_INSTALL}")
