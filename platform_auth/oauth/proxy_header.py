"""How a proxy in front of the platform is spoken to, and how it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PROXY_HEADER: Final = "proxy-authorization"
"""RFC 9110 §11.7.2; Google's Identity-Aware Proxy reads it, too."""

_UNAUTHORIZED, _PROXY_UNAUTHORIZED = 401, 407
_GOOGLES: Final = "x-goog-iap-generated-response"


def is_from_proxy(status: int, headers: Mapping[str, str]) -> bool:
    """Tell whether an answer is the refusal of a proxy, not of the server behind it.

    Parameters
    ----------
    status
        The answer's.
    headers
        Names in lower case, or in any where the mapping does not mind.

    """
    return status == _PROXY_UNAUTHORIZED or (status == _UNAUTHORIZED and _GOOGLES in headers)
