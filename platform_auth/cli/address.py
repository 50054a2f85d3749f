"""Where in the browser the Jupyter server is, as far as a terminal can know."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import urljoin, urlsplit

# The first is set by JupyterHub where its administrator has said how people reach it, the second
# by the Jupyter server for its terminals: how it is reached from its own machine.
_VARIABLES: Final = ("JUPYTERHUB_PUBLIC_URL", "JUPYTER_SERVER_URL")


def in_browser(path: str) -> str:
    """Return the address of a root-relative path of the Jupyter server; the path if unknown."""
    known = (os.environ.get(name, "") for name in _VARIABLES)
    base = next((url for url in known if url.startswith(("https://", "http://"))), None)
    return urljoin(base, path) if base and path.startswith("/") else path


def is_certain(url: str) -> bool:
    """Tell whether an address is one that works from any machine (or names none at all)."""
    host = urlsplit(url).hostname
    return host is not None and host not in {"localhost", "127.0.0.1", "::1"}
