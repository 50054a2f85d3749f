"""Ports on the loopback interface for servers that must come back at the same one."""

from __future__ import annotations

import random
import socket
from typing import Final

# Below what Linux gives to outgoing connections, so that none of them takes the port meanwhile.
_FIRST: Final = 20_000
_LAST: Final = 30_000

_dice = random.SystemRandom()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    while True:
        port = _dice.randrange(_FIRST, _LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
