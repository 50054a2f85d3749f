"""What a sign-in is for."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import PlatformConfig


def realm_of(config: PlatformConfig) -> str:
    """Return a name for who issues a profile's tokens to whom, and for which platform.

    Tokens must never follow a profile's name to another platform or provider.
    """
    oauth = config.oauth
    parts = (
        *(config.base_url, config.flow, config.client_id, config.audience, config.command),
        *(oauth.issuer, oauth.token_endpoint, sorted(config.scopes), sorted(oauth.resource)),
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
