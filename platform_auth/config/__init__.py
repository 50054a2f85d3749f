"""What platforms there are, how to reach them, and what the administrator allows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .auth_type import AuthType as AuthType
    from .model import PlatformConfig as PlatformConfig
    from .oauth_settings import OAuthSettings as OAuthSettings
    from .policy import Policy as Policy
    from .profile import Profile as Profile
    from .profile import ProfileSource as ProfileSource
    from .profiles import Profiles as Profiles

# Looked up when first used: a kernel needs a profile, but not what finds and reads the files.
_PUBLIC = {
    "AuthType": "auth_type",
    "OAuthSettings": "oauth_settings",
    "PlatformConfig": "model",
    "Policy": "policy",
    "Profile": "profile",
    "ProfileSource": "profile",
    "Profiles": "profiles",
}

__all__ = [
    "AuthType",
    "OAuthSettings",
    "PlatformConfig",
    "Policy",
    "Profile",
    "ProfileSource",
    "Profiles",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found = getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
