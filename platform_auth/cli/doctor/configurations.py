"""The profiles' configurations, as the broker has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...connection import Connection
from ...errors import PlatformAuthError
from ..broker import find_broker

if TYPE_CHECKING:
    from ...config import PlatformConfig


def configurations() -> dict[str, PlatformConfig]:
    """Return the configuration of each profile that can be used, without its secret.

    What cannot be used, or asked for, is the business of the check of the files.
    """
    client = find_broker()
    try:
        views = client.profiles()["profiles"]
        names = [view["profile"] for view in views if view["platform"]]
        return {name: Connection(client, name).config for name in names}
    except PlatformAuthError:
        return {}
