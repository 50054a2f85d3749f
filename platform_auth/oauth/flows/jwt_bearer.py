"""JWT bearer grant: somebody's signed word on who a workload is, for a token (RFC 7523 §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..workload import identity_token
from .vouched import Vouched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...config import PlatformConfig


class JwtBearer(Vouched):
    """The flow `jwt_bearer`: the file's token is the assertion."""

    name = "jwt_bearer"
    grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    def shown(self, config: PlatformConfig) -> Mapping[str, Any]:
        """Return the assertion."""
        return {"assertion": identity_token(config)}


FLOW = JwtBearer()
