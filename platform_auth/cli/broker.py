"""Finding the broker, with the standard library alone where there is one to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..broker.client import BrokerClient


def find_broker() -> BrokerClient:
    """Return the client of the Jupyter server's broker, or of this process's own without one."""
    from ..broker.client import BrokerClient, channel_of_environment

    channel = channel_of_environment()
    if channel is not None:
        return BrokerClient(channel)
    from ..broker.local import local_client
    from .logs import keep_quiet

    keep_quiet()
    return local_client()
