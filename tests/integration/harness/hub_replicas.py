"""Replicas of the Hub's service as an administrator runs them: processes, with one address."""

from __future__ import annotations

import secrets
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx2

from fakes.closing import Closing
from harness.child import GRACE, Child
from harness.environment import isolated, program
from harness.http import loopback_client
from harness.polling import wait_until
from harness.ports import free_port
from harness.round_robin import RoundRobin

if TYPE_CHECKING:
    from pathlib import Path

    from harness.hub import Hub

_START_UP: Final = 60.0


@dataclass(eq=False)
class Replica:
    """One process.

    Parameters
    ----------
    port
        Where it listens.
    child
        The process.

    """

    port: int
    child: Child

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.child.process.send_signal(number)

    @property
    def status(self) -> int:
        """What it ends with, once it has."""
        return self.child.process.wait(2 * GRACE)


class HubReplicas(Closing):
    """The replicas that share an address, all alike.

    Parameters
    ----------
    directory
        For their logs and homes.
    environment
        What each is told, besides where it listens and where the Hub is: the database, the keys.

    Attributes
    ----------
    front
        What stands before them.
    token
        By which the Hub knows the service.
    running
        Those that have been started, and not been ended.
    settings
        Their file of settings, to be written before the first starts.

    """

    def __init__(self, directory: Path, **environment: str) -> None:
        self._directory, self._environment = directory, environment
        self.front, self.token = RoundRobin(), secrets.token_hex(16)
        self.running: list[Replica] = []
        self.settings = directory / "settings.yaml"
        self._log = directory / "service.log"
        self._hub: dict[str, str] = {}
        self._prefix = ""

    def belong_to(self, hub: Hub) -> None:
        """Serve a Hub, which has been told of the address and the token."""
        self._prefix = f"{hub.base_url}services/platform-auth/"
        self._hub = {
            "JUPYTERHUB_API_TOKEN": self.token,
            "JUPYTERHUB_API_URL": hub.api_url.rstrip("/"),
            "JUPYTERHUB_SERVICE_PREFIX": self._prefix,
        }

    def start(self, count: int = 1, **environment: str) -> list[Replica]:
        """Start more of them, with more said in the environment, and return when they serve."""
        self._environment |= environment
        started = [self._spawn() for _ in range(count)]
        for each in started:
            wait_until(lambda each=each: self._serves(each), "a replica", within=_START_UP)  # type: ignore[misc]
        self.running += started
        self.lead()
        return started

    def _spawn(self) -> Replica:
        port = free_port()
        where = {**self._hub, "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}"}
        child = Child(
            [program("platform-auth"), "hub-service", "--settings", str(self.settings)],
            env=isolated(self._directory / "home", **where, **self._environment),
            log=self._log,
            cwd=self._directory,
        )
        return Replica(port, child)

    def _serves(self, replica: Replica) -> bool:
        if not replica.child.running:
            raise RuntimeError(self.log_text())
        try:
            with loopback_client() as http:
                return http.get(self._address(replica, "health")).is_success
        except httpx2.TransportError:
            return False

    def _address(self, replica: Replica, path: str) -> str:
        return f"http://127.0.0.1:{replica.port}{self._prefix}{path}"

    def lead(self, *replicas: Replica) -> None:
        """Have these alone asked from now on; all that run without any."""
        self.front.lead(each.port for each in replicas or self.running)

    def leave(self, replica: Replica) -> None:
        """Ask one to end; it is sent nobody new."""
        self.running.remove(replica)
        self.lead()
        replica.signal(signal.SIGTERM)

    def kill(self, replica: Replica) -> None:
        """End one as a power cut would, which whoever stands before it finds out by itself."""
        replica.signal(signal.SIGKILL)
        assert replica.status == -signal.SIGKILL
        self.running.remove(replica)

    def takes_connections(self, replica: Replica) -> bool:
        """Tell whether one takes new connections."""
        try:
            socket.create_connection(("127.0.0.1", replica.port), 5).close()
        except ConnectionRefusedError:
            return False
        return True

    def log_text(self) -> str:
        """Return what all of them have logged."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def close(self) -> None:
        """End all of it."""
        for each in self.running:
            each.child.kill()
        self.front.close()
