"""How kernels and terminals of this server find its broker."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..broker.listener import Listener
from ..errors import BrokerError
from .kernel_handles import KernelHandles

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

    from ..broker.broker import Broker
    from ..broker.protocol import Answers

log = logging.getLogger("platform_auth")


class KernelFace:
    """Listens for programs of the same user, and puts the places where into the environment.

    Terminals inherit the server's environment; each kernel gets a handle of its own, which ends
    with it. An environment holds paths, no secret.

    Parameters
    ----------
    broker
        What they reach; see `Listener`.
    directory
        The Jupyter runtime directory.
    identity
        What of this server is the same after a restart: terminals that outlive it find it again.

    """

    def __init__(self, broker: Broker | Answers, directory: str, identity: str = "") -> None:
        self._broker, self._directory, self._identity = broker, Path(directory), identity
        self._listener: Listener | None = None
        self._kernels: KernelHandles | None = None
        self._before: dict[str, str | None] = {}

    def start(self) -> None:
        """Listen; where that is impossible, the browser's face still works."""
        try:
            self._listener = self._listen()
        except (OSError, BrokerError) as error:
            log.error("Kernels cannot reach the sign-ins of this server: %s", error)  # noqa: TRY400
            return
        for name, value in self._listener.environment.items():
            self._before[name] = os.environ.get(name)
            os.environ[name] = value

    def attach(
        self, manager: MappingKernelManager, profiles: Mapping[str, Collection[str]] | None = None
    ) -> None:
        """Give each kernel a handle of its own; see `KernelHandles`."""
        if self._listener is not None:
            self._kernels = KernelHandles(manager, self._listener, profiles)
            self._kernels.attach()

    def _listen(self) -> Listener:
        try:
            return _started(self._new_listener())
        except OSError as error:  # a file system without Unix sockets, as some shared ones are
            log.info("No Unix socket in %s (%s), so loopback TCP it is", self._directory, error)
            return _started(self._new_listener(tcp=True))

    def _new_listener(self, *, tcp: bool = False) -> Listener:
        return Listener(self._broker, self._directory, identity=self._identity, tcp=tcp)

    def stop(self) -> None:
        """Listen no more, and leave the environment as it was."""
        if self._kernels is not None:
            self._kernels.detach()
            self._kernels = None
        if self._listener is None:
            return
        self._listener.stop()
        self._listener = None
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _started(listener: Listener) -> Listener:
    try:
        listener.start()
    except (OSError, BrokerError):
        listener.stop()
        raise
    return listener
