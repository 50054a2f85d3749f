"""gRPC calls to real servers, as they are and as they should not be."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from fakes.bad_server import bad_server, hangs
from fakes.certificates import authority
from harness.ports import free_port
from platform_auth.config import PlatformConfig
from platform_auth.errors import ConfigError, MissingExtraError, TransportError
from platform_auth.oauth.grpc_calls import MAX_MESSAGE, GrpcCalls
from platform_auth.oauth.steps import Rpc, RpcReply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METHOD = "/package.Service/Method"


class Service(grpc.GenericRpcHandler):
    """Says what it is told to, and notes what it is asked."""

    def __init__(self) -> None:
        self.answer: bytes | grpc.StatusCode = b"there"
        self.asked: list[tuple[bytes, dict[str, str]]] = []

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return grpc.unary_unary_rpc_method_handler(self._call) if details.method == METHOD else None

    def _call(self, message: bytes, context: grpc.ServicerContext) -> bytes:
        self.asked.append((message, dict(context.invocation_metadata())))
        if isinstance(self.answer, grpc.StatusCode):
            context.abort(self.answer, "because")
        return self.answer


@contextmanager
def serve(service: Service, files: Path | None = None, **names: bool) -> Iterator[str]:
    """Serve, over TLS where there is a directory for its files, and yield the address."""
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((service,))
        if files is None:
            port = server.add_insecure_port("127.0.0.1:0")
        else:
            authority().server(files, **names)
            pem = (files / "server.pem").read_bytes()
            key, certificate = (
                pem[: pem.index(b"-----BEGIN CERT")],
                pem[pem.index(b"-----BEGIN CERT") :],
            )
            port = server.add_secure_port(
                "127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)])
            )
        server.start()
        try:
            yield f"localhost:{port}"
        finally:
            server.stop(None).wait()


def call(config: PlatformConfig, rpc: Rpc = Rpc(METHOD, b"hello"), **metadata: str) -> RpcReply:  # noqa: B008
    return asyncio.run(GrpcCalls(config)(rpc, metadata))


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def ca(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority().pem)
    return str(path)


def test_message_and_metadata_go_and_the_answer_comes(service: Service) -> None:
    with serve(service) as address:
        reply = call(PlatformConfig(address, insecure=True), **{"proxy-authorization": "Bearer x"})
    assert reply == RpcReply("OK", b"there")
    [(message, metadata)] = service.asked
    assert message == b"hello"
    assert metadata["proxy-authorization"] == "Bearer x"
    assert "authorization" not in metadata


class TestTls:
    def test_with_the_ca_file(self, service: Service, tmp_path: Path, ca: str) -> None:
        with serve(service, tmp_path) as address:
            assert call(PlatformConfig(address, ca_cert_file_path=ca)).status == "OK"

    @pytest.mark.parametrize("names", [{}, {"elsewhere": True}])
    def test_without_any_check(
        self, service: Service, tmp_path: Path, names: dict[str, bool]
    ) -> None:
        with serve(service, tmp_path, **names) as address:
            config = PlatformConfig(address, insecure_skip_verify=True)
            assert call(config).status == "OK"

    @pytest.mark.parametrize("names", [None, {"elsewhere": True}, {"expired": True}])
    def test_who_is_not_trusted_is_asked_nothing(
        self, service: Service, tmp_path: Path, ca: str, names: dict[str, bool] | None
    ) -> None:
        with serve(service, tmp_path, **(names or {})) as address:
            config = PlatformConfig(address, ca_cert_file_path=None if names is None else ca)
            with pytest.raises(TransportError, match="by gRPC") as caught:
                call(config)
        assert "CA file" in caught.value.fix
        assert not service.asked

    def test_a_ca_file_that_is_none_is_said_to_be_that(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").write_text("not one")
        config = PlatformConfig("localhost:1", ca_cert_file_path=str(tmp_path / "ca.pem"))
        with pytest.raises(ConfigError, match=r"ca\.pem"):
            call(config)


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "UNAUTHENTICATED", "NOT_FOUND"])
def test_what_a_server_answers_is_an_answer(service: Service, code: str) -> None:
    service.answer = grpc.StatusCode[code]
    with serve(service) as address:
        assert call(PlatformConfig(address, insecure=True)) == RpcReply(code)


def test_a_method_that_it_does_not_have(service: Service) -> None:
    with serve(service) as address:
        reply = call(PlatformConfig(address, insecure=True), Rpc("/package.Other/Method"))
    assert reply == RpcReply("UNIMPLEMENTED")


class TestNoAnswer:
    @pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL", "UNKNOWN"])
    def test_by_its_own_word(self, service: Service, code: str) -> None:
        service.answer = grpc.StatusCode[code]
        with serve(service) as address, pytest.raises(TransportError) as caught:
            call(PlatformConfig(address, insecure=True))
        assert caught.value.retryable
        assert code in caught.value.why

    def test_because_it_is_too_long(self, service: Service) -> None:
        service.answer = b"x" * (MAX_MESSAGE + 1)
        with serve(service) as address, pytest.raises(TransportError, match="by gRPC"):
            call(PlatformConfig(address, insecure=True))

    def test_because_nobody_is_there(self) -> None:
        config = PlatformConfig(f"127.0.0.1:{free_port()}", insecure=True)
        with pytest.raises(TransportError, match=r"127\.0\.0\.1"):
            call(config)

    @pytest.mark.parametrize("secure", [False, True])
    def test_because_it_takes_too_long(self, secure: bool) -> None:
        async def main() -> None:
            async with bad_server(hangs) as server:
                address = server.address.partition("://")[2]
                config = PlatformConfig(address, insecure=not secure)
                await GrpcCalls(config)(Rpc(METHOD, timeout=0.3), {})

        with pytest.raises(TransportError):
            asyncio.run(main())

    def test_because_grpc_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "grpc", None)
        with pytest.raises(MissingExtraError) as caught:
            call(PlatformConfig("localhost:1"))
        assert "platform-auth[grpc]" in caught.value.fix


def test_whoever_goes_away_ends_the_call(service: Service) -> None:
    async def main() -> None:
        async with bad_server(hangs) as server:
            config = PlatformConfig(server.address.partition("://")[2], insecure=True)
            waiting = asyncio.create_task(GrpcCalls(config)(Rpc(METHOD), {}))
            await asyncio.sleep(0)
            waiting.cancel()
            done: Any = await asyncio.gather(waiting, return_exceptions=True)
            assert isinstance(done[0], asyncio.CancelledError)

    asyncio.run(asyncio.wait_for(main(), 5))
