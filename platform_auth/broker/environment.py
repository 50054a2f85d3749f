"""How programs that a Jupyter server has started find its broker."""

from __future__ import annotations

import os
from typing import Final

ADDRESS_VARIABLE: Final = "PLATFORM_AUTH_BROKER"
"""Names the broker: ``unix:///path`` or ``http://127.0.0.1:PORT``."""

TOKEN_FILE_VARIABLE: Final = "PLATFORM_AUTH_BROKER_TOKEN_FILE"  # noqa: S105 - a variable's name
"""Names the file with what lets a program ask it."""


SERVICE_VARIABLE: Final = "PLATFORM_AUTH_HUB_SERVICE"
"""Names the Hub's service, where that keeps the sign-ins; see `hub_address`."""

PAGES_VARIABLE: Final = "PLATFORM_AUTH_HUB_SERVICE_PAGES"
"""Names the service's address in a browser, where that has a domain of its own."""

HUB_TOKEN_VARIABLE: Final = "JUPYTERHUB_API_TOKEN"  # noqa: S105 - a variable's name
"""Holds the token of the Hub's that proves who asks; it is the Hub that names it so."""


def hub_service_of_environment() -> str | None:
    """Return the address of the Hub's service, or None where there is none to be asked."""
    address = os.environ.get(SERVICE_VARIABLE)
    return address if address and os.environ.get(HUB_TOKEN_VARIABLE) else None


def broker_of_environment() -> tuple[str, str] | None:
    """Return the broker's address and the file with its key, or None without a server."""
    address, token_file = os.environ.get(ADDRESS_VARIABLE), os.environ.get(TOKEN_FILE_VARIABLE)
    return (address, token_file) if address and token_file else None
