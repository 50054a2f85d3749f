"""A real forward proxy, and hosts that can be reached through one only."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

from harness.child import Child
from harness.environment import isolated, program
from harness.polling import wait_until
from harness.ports import free_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_ASKED: Final = re.compile(r"Request \(file descriptor \d+\): (\S+ \S+) HTTP/")
_FAR: Final = ".example.test"


class Elsewhere:
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
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.gateway = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all connections."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _stop(self) -> None:
        self._server.close()
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # An SSLError is an OSError: a client that does not trust hangs up.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._tunnel(reader, writer)
        finally:
            writer.transport.abort()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
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


class ForwardProxy:
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

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
