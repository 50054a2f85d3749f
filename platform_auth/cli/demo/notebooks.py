"""The notebooks of the demo: the quickstart that it runs, and one for each flow beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ...errors import ConfigError

NAME: Final = "quickstart.ipynb"

_PACKAGE: Final = Path(__file__).parents[2]
_PLACES: Final = (
    _PACKAGE / "sandbox" / "notebooks",  # in an installed package
    _PACKAGE.parent / "notebooks",  # in a clone
)


def notebooks() -> list[Path]:
    """Return where they are, the quickstart first.

    Raises
    ------
    ConfigError
        The installation is incomplete.

    """
    home = next((place for place in _PLACES if (place / NAME).is_file()), None)
    if home is None:
        what = f"This installation of platform-auth lacks {NAME}."
        raise ConfigError(what, fix="Run: pip install --force-reinstall platform-auth")
    return sorted(home.glob("*.ipynb"), key=lambda path: (path.name != NAME, path.name))
