"""Which versions are installed."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from ..._version import __version__
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMED: Final = ("jupyter-server", "jupyterlab", "notebook", "ipykernel", "authlib", "httpx2")


def check() -> Iterator[Finding]:
    """Say what there is: the first thing that a report of a fault must hold."""
    yield Finding(Level.OK, f"platform-auth {__version__} on Python {platform.python_version()}")
    found = ((name, _version(name)) for name in _NAMED)
    yield Finding(Level.OK, ", ".join(f"{name} {number or '(none)'}" for name, number in found))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
