"""One port for gRPC and HTTP, as the ingress in front of a platform has it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from fakes.loop_server import LoopServer

if TYPE_CHECKING:
    import ssl

_HTTP_2: Final = b"PRI"  # what every connection begins with (RFC 9113 §3.4)


class Ingress(LoopServer):
    """Ends TLS, and hands each connection to the server that speaks its protocol.

    Parameters
    ----------
    grpc_port, http_port
        Where those are, both at 127.0.0.1 and in plain text. Without the one for HTTP, who does
        not speak HTTP/2 is hung up on, as by a gRPC server.
    port
        Where to listen; any by default.
    tls
        What to serve with; None for plain text.

    """

    def __init__(
        self,
        grpc_port: int,
        http_port: int | None,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._grpc_port, self._http_port, self._tls = grpc_port, http_port, tls
        if tls is not None:
            tls.set_alpn_protocols(["h2"] if http_port is None else ["h2", "http/1.1"])
        super().__init__(port, tls)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes."""
        try:
            first = await reader.readexactly(len(_HTTP_2))
        except asyncio.IncompleteReadError:
            return
        port = self._grpc_port if first == _HTTP_2 else self._http_port
        if port is None:
            return
        inner_reader, inner_writer = await self.connect(port)
        inner_writer.write(first)
        try:
            await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))
        finally:
            inner_writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(64 * 1024):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()  # TLS has no half of a connection
