"""What platforms there are, how to reach them, and what the administrator allows."""

from __future__ import annotations

from platform_auth.config.auth_type import AuthType
from platform_auth.config.model import PlatformConfig
from platform_auth.config.oauth_settings import OAuthSettings
from platform_auth.config.policy import Policy
from platform_auth.config.profile import Profile, ProfileSource
from platform_auth.config.profiles import Profiles

__all__ = [
    "AuthType",
    "OAuthSettings",
    "PlatformConfig",
    "Policy",
    "Profile",
    "ProfileSource",
    "Profiles",
]
