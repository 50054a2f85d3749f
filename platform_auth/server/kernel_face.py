"""How kernels and terminals of this server find its broker."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..broker.listener import Listener

if TYPE_CHECKING:
    from ..broker.broker import Broker

log = logging.getLogger("platform_auth")


class KernelFace:
    """Listens for programs of the same user, and puts the places where into the environment.

    Kernels and terminals inherit the server's environment; it holds paths, no secret.

    Parameters
    ----------
    broker
        What they reach.
    directory
        The Jupyter runtime directory.

    """

    def __init__(self, broker: Broker, directory: str) -> None:
        self._broker, self._directory = broker, Path(directory)
        self._listener: Listener | None = None
        self._before: dict[str, str | None] = {}

    def start(self) -> None:
        """Listen; where that is impossible, the browser's face still works."""
        try:
            self._listener = self._listen()
        except OSError as error:
            log.error("Kernels cannot reach the sign-ins of this server: %s", error)  # noqa: TRY400
            return
        for name, value in self._listener.environment.items():
            self._before[name] = os.environ.get(name)
            os.environ[name] = value

    def _listen(self) -> Listener:
        try:
            return _started(Listener(self._broker, self._directory))
        except OSError as error:  # a file system without Unix sockets, as some shared ones are
            log.info("No Unix socket in %s (%s), so loopback TCP it is", self._directory, error)
            return _started(Listener(self._broker, self._directory, tcp=True))

    def stop(self) -> None:
        """Listen no more, and leave the environment as it was."""
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
    except OSError:
        listener.stop()
        raise
    return listener
