"""What runs the flows of all persons: one transport for each profile, whoever uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..broker.drivers import new_driver

if TYPE_CHECKING:
    from ..broker.clock import Clock
    from ..config import PlatformConfig
    from ..oauth.driver import Driver

_OF_THE_HUB = "hub"


class Drivers:
    """Makes drivers; thousands of persons share their connections and what is kept of documents.

    Parameters
    ----------
    clock
        The service's.

    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shared: dict[PlatformConfig, Driver] = {}

    def of(self, person: str, config: PlatformConfig) -> Driver:
        """Return the driver of a profile for a person."""
        if config.flow == _OF_THE_HUB or config.proxy_command:  # these ask in a person's name
            return new_driver(config, self._clock, person)
        if config not in self._shared:
            self._shared[config] = new_driver(config, self._clock)
        return self._shared[config]
