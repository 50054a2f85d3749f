"""What a platform says of a scope that a token lacks (RFC 6750 §3.1)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from ..oauth.responses import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("platform_auth")

_FORBIDDEN: Final = 403


def tell_missing_scope(host: str, status: int, headers: Mapping[str, str]) -> None:
    """Log which scope a call needs, and how to get it. No refresh could help.

    Parameters
    ----------
    host
        Who says so.
    status, headers
        Of its answer.

    """
    challenge = headers.get("www-authenticate", "")
    if status != _FORBIDDEN or "insufficient_scope" not in challenge:
        return
    named = re.search(r'\bscope="([^"]*)"', challenge)
    scope = plain(named[1], 200) if named else "more"
    log.warning(
        "%s wants the scope %s for this. Ask for it (%%platform_login --scopes %s), or have it"
        " granted to you.",
        host,
        *(scope, scope if named else "SCOPE"),
    )
