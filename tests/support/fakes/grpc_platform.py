"""A platform that speaks gRPC: it says back what it is sent, to whoever has a token it takes.

The methods are ``/echo/<kind>``; messages are bytes.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .certificates import Authority

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class GrpcPlatform(grpc.GenericRpcHandler):
    """See the module.

    Attributes
    ----------
    accepted
        The tokens it takes; any where it is empty.
    header
        Where it looks for them.
    calls
        The metadata of each call so far.
    refuse_late
        Whether a refusal comes after the headers of the answer, as some servers do it.

    """

    def __init__(self) -> None:
        self.accepted: set[str] = set()
        self.header = "authorization"
        self.calls: list[dict[str, Any]] = []
        self.refuse_late = False
        self.go_on = threading.Event()
        self.target = ""

    def service(self, details: Any) -> Any:
        """Return the handler of a method."""
        kind = details.method.rpartition("/")[2]
        if kind not in KINDS:
            return None
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(getattr(self, f"_{kind}"))

    def _authenticate(self, context: grpc.ServicerContext) -> None:
        metadata = dict(context.invocation_metadata())
        self.calls.append(metadata)
        token = str(metadata.get(self.header, "")).removeprefix("Bearer ")
        if self.accepted and token not in self.accepted:
            if self.refuse_late:
                context.send_initial_metadata(())
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "token parse error")

    def _unary_unary(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._authenticate(context)
        if request == b"missing":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
        return request

    def _unary_stream(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        self._authenticate(context)
        yield request
        if request == b"wait":
            self.go_on.wait(10)
        if request == b"break":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "not any more")
        yield request

    def _stream_unary(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        self._authenticate(context)
        return b" ".join(requests)

    def _stream_stream(
        self, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        self._authenticate(context)
        yield from requests


@contextmanager
def grpc_platform(trust: Authority | None = None, place: Path | None = None, **made: Any) -> Any:
    """Serve one: with TLS by an authority, whose certificates are put in a place, or without."""
    platform = GrpcPlatform()
    any_size = [("grpc.max_receive_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(8), handlers=(platform,), options=any_size)
    if trust is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        assert place is not None
        trust.server(place, **made)
        pem = (place / "server.pem").read_bytes()
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pem, pem)]))
    platform.target = f"localhost:{port}"
    server.start()
    try:
        yield platform
    finally:
        platform.go_on.set()
        server.stop(None).wait()
