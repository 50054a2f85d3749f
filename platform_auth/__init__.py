"""Sign in from a notebook.

``%load_ext platform_auth``, ``%platform_login``, and a ready, always-fresh client of your platform
is there; the refresh token never leaves the server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ._version import __version__ as __version__
    from .config import AuthType as AuthType
    from .config import OAuthSettings as OAuthSettings
    from .config import PlatformConfig as PlatformConfig
    from .connection import Connection as Connection
    from .connection import connect as connect
    from .errors import PlatformAuthError as PlatformAuthError
    from .notebook.widget import LoginWidget as LoginWidget

# Looked up when first used: a kernel that only loads the extension must not wait for all of it.
_PUBLIC = {
    "AuthType": "config",
    "Connection": "connection",
    "LoginWidget": "notebook.widget",
    "OAuthSettings": "config",
    "PlatformAuthError": "errors",
    "PlatformConfig": "config",
    "__version__": "_version",
    "connect": "connection",
}

__all__ = [
    "AuthType",
    "Connection",
    "LoginWidget",
    "OAuthSettings",
    "PlatformAuthError",
    "PlatformConfig",
    "__version__",
    "connect",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - it may be any of them
    if name not in _PUBLIC:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "platform-auth"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server.app import PlatformAuth

    return [{"module": "platform_auth", "app": PlatformAuth}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics (``%load_ext platform_auth``)."""
    from .notebook.magics import PlatformMagics

    shell.register_magics(PlatformMagics)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics away again (``%unload_ext platform_auth``)."""
    from .notebook.magics import unload

    unload(shell)
