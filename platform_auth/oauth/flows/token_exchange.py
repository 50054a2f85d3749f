"""Token exchange: one token for another (RFC 8693), for a workload that somebody vouches for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..workload import identity_token
from .vouched import Vouched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...config import PlatformConfig


class TokenExchange(Vouched):
    """The flow `token_exchange`: the file's token is the subject (§2.1)."""

    name = "token_exchange"
    grant_type = "urn:ietf:params:oauth:grant-type:token-exchange"

    def shown(self, config: PlatformConfig) -> Mapping[str, Any]:
        """Return the subject, and the types of what is shown and what is wanted."""
        return {
            "subject_token": identity_token(config),
            "subject_token_type": config.oauth.subject_token_type,
            "requested_token_type": config.oauth.requested_token_type,
        }


FLOW = TokenExchange()
