"""What runs a profile's flows in a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..oauth.driver import Driver
from ..oauth.grpc_calls import GrpcCalls
from ..oauth.hub_user import HubUser
from .late_transport import LateTransport

if TYPE_CHECKING:
    from ..config import PlatformConfig
    from .clock import Clock


def new_driver(config: PlatformConfig, clock: Clock, person: str | None = None) -> Driver:
    """Return the driver of a profile: its transport, its commands, and its proxy's token.

    Parameters
    ----------
    config
        The profile's.
    clock
        The broker's.
    person
        Whose it is, for a service of a JupyterHub that has the brokers of many.

    """
    from ..oauth.process import run_command  # late: most processes run none

    proxy = None
    if config.proxy_command:
        from ..oauth.proxy import ProxyAuthorization

        proxy = ProxyAuthorization(config, run_command, now=clock.time, monotonic=clock.monotonic)
    return Driver(
        LateTransport(config),
        now=clock.time,
        monotonic=clock.monotonic,
        run=run_command,
        call=GrpcCalls(config),
        proxy=proxy,
        hub=HubUser(person),
    )
