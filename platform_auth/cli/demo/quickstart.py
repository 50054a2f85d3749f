"""The notebook that the demo runs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ...errors import ConfigError

NAME: Final = "quickstart.ipynb"

_PACKAGE: Final = Path(__file__).parents[2]
_PLACES: Final = (
    _PACKAGE / "sandbox" / NAME,  # in an installed package
    _PACKAGE.parent / "notebooks" / NAME,  # in a clone
)


def quickstart() -> Path:
    """Return where it is.

    Raises
    ------
    ConfigError
        The installation is incomplete.

    """
    found = next((path for path in _PLACES if path.is_file()), None)
    if found is None:
        what = f"This installation of platform-auth lacks {NAME}."
        raise ConfigError(what, fix="Run: pip install --force-reinstall platform-auth")
    return found
