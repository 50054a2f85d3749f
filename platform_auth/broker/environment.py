"""How programs that a Jupyter server has started find its broker."""

from __future__ import annotations

import os
from typing import Final

ADDRESS_VARIABLE: Final = "PLATFORM_AUTH_BROKER"
"""Names the broker: ``unix:///path`` or ``http://127.0.0.1:PORT``."""

TOKEN_FILE_VARIABLE: Final = "PLATFORM_AUTH_BROKER_TOKEN_FILE"  # noqa: S105 - a variable's name
"""Names the file with what lets a program ask it."""


def broker_of_environment() -> tuple[str, str] | None:
    """Return the broker's address and the file with its key, or None without a server."""
    address, token_file = os.environ.get(ADDRESS_VARIABLE), os.environ.get(TOKEN_FILE_VARIABLE)
    return (address, token_file) if address and token_file else None
