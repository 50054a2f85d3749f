"""What the demo needs and the package alone does not bring."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from ...errors import PlatformAuthError

_INSTALL: Final = 'pip install "platform-auth[demo]"'


class MissingPackageError(PlatformAuthError):
    """A package that the demo needs is not installed."""

    code = "package_missing"


def require(*modules: str) -> None:
    """Return if all modules can be imported.

    Raises
    ------
    MissingPackageError
        It says what to install.

    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        what = f"The demo needs {' and '.join(missing)}, and this Python has none."
        raise MissingPackageError(what, fix=f"Run: {_INSTALL}")
