"""What ends TLS in front of a Hub, as an ingress or a company's proxy does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

from fakes.certificates import authority
from harness.child import Child
from harness.environment import isolated
from harness.http import loopback_client
from harness.hub import PROXY
from harness.polling import wait_until
from harness.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from harness.hub import Hub


class TlsFront:
    """A proxy that speaks TLS to browsers and plain HTTP to the Hub's own proxy.

    It says so as all of them do, in ``X-Forwarded-Proto``, to which the Hub's proxy then adds what
    it sees itself.

    Parameters
    ----------
    hub
        What is behind it.
    directory
        For its certificate and log.

    Attributes
    ----------
    origin
        Where browsers find it.

    """

    def __init__(self, hub: Hub, directory: Path) -> None:
        port = free_port()
        self.origin = f"https://127.0.0.1:{port}"
        authority().server(directory)
        pem = str(directory / "server.pem")
        where = ["--ip", "127.0.0.1", "--port", str(port), "--api-port", str(free_port())]
        what = ["--ssl-key", pem, "--ssl-cert", pem, "--default-target", hub.proxy_origin]
        self._child = Child(
            [str(PROXY), *where, *what, "--no-include-prefix"],
            env=isolated(directory / "home"),
            log=directory / "front.log",
            cwd=directory,
        )
        wait_until(self._answers, "the proxy that ends TLS")

    def _answers(self) -> bool:
        try:
            with loopback_client(verify=False) as http:
                return http.get(f"{self.origin}/").status_code > 0
        except httpx2.TransportError:
            return False

    def close(self) -> None:
        """End it."""
        self._child.stop()
