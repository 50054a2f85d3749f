"""A terminal in a user's server at a Hub."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

from harness.environment import program

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from harness.hub import Hub


def print_token(hub: Hub, person: str) -> CompletedProcess[str]:
    """Run ``platform-auth token prod`` in one of the person's servers."""
    runtime = hub.people[person].home / ".local/share/jupyter/runtime"
    key = next(each for each in runtime.glob("*/server.token") if _is_served(each.parent))
    env = {
        "PLATFORM_AUTH_BROKER": f"unix://{key.parent / 'broker.sock'}",
        "PLATFORM_AUTH_BROKER_TOKEN_FILE": str(key),
    }
    return hub.people[person].run(program("platform-auth"), "token", "prod", **env)


def _is_served(place: Path) -> bool:
    """Tell whether a server is there: one that was killed leaves its place behind."""
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        return connection.connect_ex(str(place / "broker.sock")) == 0
