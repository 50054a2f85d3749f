"""A real forward proxy, and hosts that can be reached through one only."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING, Final

from fakes.closing import Closing
from fakes.loop_server import LoopServer
from harness.child import Child
from harness.environment import isolated, program
from harness.polling import wait_until
from harness.ports import free_port

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

_ASKED: Final = re.compile(r"Request \(file descriptor \d+\): (\S+ \S+) HTTP/")
_FAR: Final = ".example.test"


class Elsewhere(LoopServer):
    """Hosts below ``example.test``, which no name server knows; TLS ends where they begin.

    The one way to them is a gateway: a proxy that asks nobody for a password, and through which the
    proxies of the tests go on.

    Parameters
    ----------
    hosts
        The port at 127.0.0.1, and the certificate, of each.

    Attributes
    ----------
    gateway
        Its address.
    visits
        What each connection was to.

    """

    def __init__(self, hosts: dict[str, tuple[int, ssl.SSLContext]]) -> None:
        self._hosts, self.visits = hosts, list[str]()
        super().__init__()
        self.gateway = f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Open the tunnel that is asked for."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        target = head.split(" ")[1]
        self.visits.append(target)
        known = self._hosts.get(target.removesuffix(":443"))
        if known is None or not head.startswith("CONNECT "):
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        port, certificate = known
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(certificate)
        inner_reader, inner_writer = await self.connect(port)
        try:
            pipes = (_pipe(reader, inner_writer), _pipe(inner_reader, writer))
            running = {asyncio.create_task(pipe) for pipe in pipes}
            # TLS has no half of a connection: the first to end ends both.
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        finally:
            inner_writer.transport.abort()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(64 * 1024):
        writer.write(data)
        await writer.drain()


class ForwardProxy(Closing):
    """A running tinyproxy.

    Parameters
    ----------
    directory
        Where its configuration and its log go.
    elsewhere
        What it can reach besides this machine.
    password
        What it demands of `USER`; nothing of anybody when omitted.

    """

    USER = "ada"

    def __init__(self, directory: Path, elsewhere: Elsewhere, password: str = "") -> None:
        directory.mkdir()
        self.port = free_port()
        self._log = directory / "log"
        settings = [
            f"Port {self.port}",
            "Listen 127.0.0.1",
            "Timeout 30",
            "LogLevel Info",
            f'LogFile "{self._log}"',
            "Allow 127.0.0.1",
            f'Upstream http {elsewhere.gateway.removeprefix("http://")} "{_FAR}"',
            *([f"BasicAuth {self.USER} {password}"] if password else []),
        ]
        (directory / "tinyproxy.conf").write_text("\n".join([*settings, ""]))
        self.child = Child(
            [program("tinyproxy"), "-d", "-c", str(directory / "tinyproxy.conf")],
            env=isolated(directory / "home"),
            log=directory / "output",
            cwd=directory,
        )
        wait_until(self._is_listening, "tinyproxy")

    def close(self) -> None:
        """Stop it."""
        self.child.stop()

    def _is_listening(self) -> bool:
        assert self.child.running, self.child.log_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def host(self) -> str:
        """Where it is."""
        return f"127.0.0.1:{self.port}"

    def url(self, password: str = "") -> str:
        """Return its address for those who know the password, or who think they do."""
        return f"http://{self.USER}:{password}@{self.host}" if password else f"http://{self.host}"

    def log_text(self) -> str:
        """Return what it noted."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def asked(self) -> list[str]:
        """Return what it was asked for, ``CONNECT host:port`` mostly, oldest first."""
        return _ASKED.findall(self.log_text())
