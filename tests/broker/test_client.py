from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.broker import call as calls
from platform_auth.broker import client as module
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.errors import (
    BrokerRefusedError,
    BrokerUnavailableError,
    PlatformAuthError,
    SignInRequiredError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Said:
    """A channel on which everything has been said already."""

    def __init__(self, status: int, answer: Any) -> None:
        self.answer, self.calls = (status, answer), []  # type: ignore[var-annotated]

    def call(self, method: str, path: str, body: Any = None, *, wait: float = 0) -> Any:
        self.calls.append((method, path, body, wait))
        return self.answer


def test_calls_are_those_of_the_protocol() -> None:
    said = Said(200, {"x": 1})
    client = BrokerClient(said)
    client.profiles()
    client.session("a/b c")
    client.session("prod", since=7, wait=20)
    client.put("prod", {"admin": {}})
    client.put_like("more", "prod", ("api",))
    client.sign_in("prod", flow="device", force=True)
    client.complete("prod", "url")
    client.cancel("prod")
    client.sign_out("prod")
    assert said.calls == [
        ("GET", "/v1/profiles", None, 0),
        ("GET", "/v1/profiles/a%2Fb%20c", None, 0),
        ("GET", "/v1/profiles/prod?since=7&wait=20", None, 20),
        ("PUT", "/v1/profiles/prod", {"config": {"admin": {}}}, 0),
        ("PUT", "/v1/profiles/more", {"like": "prod", "scopes": ["api"]}, 0),
        (
            "POST",
            "/v1/profiles/prod/sign-in",
            {"flow": "device", "force": True, "redirect": None},
            0,
        ),
        ("POST", "/v1/profiles/prod/complete", {"url": "url"}, 0),
        ("POST", "/v1/profiles/prod/cancel", None, 0),
        ("POST", "/v1/profiles/prod/sign-out", None, 0),
    ]


def test_an_error_comes_back_as_what_it_was() -> None:
    error = SignInRequiredError("You are not signed in.", why="w", fix="f")
    with pytest.raises(SignInRequiredError) as caught:
        BrokerClient(Said(409, {"error": error.to_dict()})).token("prod")
    assert caught.value.to_dict() == error.to_dict()


@pytest.mark.parametrize("answer", [{}, {"error": "text"}, {"error": None}, {"error": {}}])
def test_a_failure_that_says_nothing_is_one_all_the_same(answer: dict[str, Any]) -> None:
    with pytest.raises(PlatformAuthError):
        BrokerClient(Said(500, answer)).profiles()


@pytest.mark.parametrize(
    "answer",
    [{}, {"access_token": "x"}, {"access_token": 5, "expires_at": 1, "expires_in": 1},
     {"access_token": "x", "expires_at": None, "expires_in": 1}],
)  # fmt: skip
def test_a_token_that_is_none(answer: dict[str, Any]) -> None:
    with pytest.raises(BrokerUnavailableError) as caught:
        BrokerClient(Said(200, answer)).token("prod")
    assert "another version" in caught.value.what
    assert not caught.value.retryable


class TestChannel:
    def channel(self, tmp_path: Path, address: str) -> SocketChannel:
        file = tmp_path / "token"
        file.write_text("CANARY")
        return SocketChannel(address, str(file))

    def test_the_environment_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert SocketChannel.from_environment() is None
        monkeypatch.setenv("PLATFORM_AUTH_BROKER", "unix:///x")
        assert SocketChannel.from_environment() is None
        monkeypatch.setenv("PLATFORM_AUTH_BROKER_TOKEN_FILE", "/y")
        found = SocketChannel.from_environment()
        assert found is not None
        assert (found.address, found.token_file) == ("unix:///x", "/y")

    @pytest.mark.parametrize(
        "address",
        [
            "http://evil.example:80", "http://127.0.0.1", "https://127.0.0.1:1", "127.0.0.1:1", "",
            "http://127.0.0.1@evil.example:80", "http://localhost:1", "http://10.0.0.1:1",
            "http://127.0.0.1:99999", "http://[", "ftp://127.0.0.1:1",
        ],
    )  # fmt: skip
    def test_the_secret_goes_nowhere_else(self, tmp_path: Path, address: str) -> None:
        with pytest.raises(BrokerRefusedError, match="not the address"):
            self.channel(tmp_path, address).call("GET", "/v1/profiles")

    def test_nobody_is_there(self, tmp_path: Path) -> None:
        with pytest.raises(BrokerUnavailableError) as caught:
            self.channel(tmp_path, f"unix://{tmp_path}/none").call("GET", "/v1/profiles")
        assert caught.value.retryable
        assert "restart" in caught.value.fix
        assert "CANARY" not in str(caught.value)

    def test_the_secret_is_gone(self, tmp_path: Path) -> None:
        channel = SocketChannel(f"unix://{tmp_path}/x", str(tmp_path / "none"))
        with pytest.raises(BrokerUnavailableError, match="cannot be reached") as caught:
            channel.call("GET", "/v1/profiles")
        assert str(tmp_path / "none") in caught.value.why

    def test_a_secret_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_bytes(b"\xff\xfe")
        with pytest.raises(BrokerUnavailableError):
            SocketChannel("unix:///x", str(tmp_path / "token")).call("GET", "/")

    @pytest.mark.parametrize(
        "answer",
        [
            b"", b"garbage", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n<html>",
            b"HTTP/1.1 200 OK\r\n\r\n[]", b"HTTP/1.1 200 OK\r\n\r\n5",
            b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
            b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{",
            b"HTTP/1.1 200 OK\r\n\r\n\xff",
        ],
    )  # fmt: skip
    def test_somebody_else_is_there(self, tmp_path: Path, answer: bytes) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=answer_once, args=(server, answer))
            thread.start()
            address = f"http://127.0.0.1:{server.getsockname()[1]}"
            with pytest.raises(BrokerUnavailableError) as caught:
                self.channel(tmp_path, address).call("GET", "/v1/profiles", {"a": 1})
            thread.join()
        assert "CANARY" not in str(caught.value)

    def test_a_proxy_of_the_environments_is_not_asked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        body = json.dumps({"ok": True}).encode()
        with socket.create_server(("127.0.0.1", 0)) as server:
            head = b"HTTP/1.1 200 OK\r\n\r\n"
            thread = threading.Thread(target=answer_once, args=(server, head + body))
            thread.start()
            address = f"http://127.0.0.1:{server.getsockname()[1]}"
            assert self.channel(tmp_path, address).call("GET", "/") == (200, {"ok": True})
            thread.join()

    def test_a_crowd_is_waited_for(
        self, crowded: tuple[Path, socket.socket], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, server = crowded
        threads: list[threading.Thread] = []

        def make_room() -> None:
            if not threads:
                threads.append(threading.Thread(target=answer_all, args=(server,)))
                threads[0].start()

        monkeypatch.setattr(calls, "_rest", make_room)
        assert self.channel(path.parent, f"unix://{path}").call("GET", "/") == (200, {})
        threads[0].join()

    def test_a_crowd_is_not_waited_for_longer_than_for_an_answer(
        self, crowded: tuple[Path, socket.socket], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, _server = crowded
        monkeypatch.setattr(module, "_SECONDS", 0.1)
        with pytest.raises(BrokerUnavailableError) as caught:
            self.channel(path.parent, f"unix://{path}").call("GET", "/")
        assert "busy" in caught.value.why


@pytest.fixture
def crowded(short: Path) -> Iterator[tuple[Path, socket.socket]]:
    """Return a Unix socket that lets nobody in, and has no room for one more who waits."""
    path = short / "broker.sock"
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        server.bind(str(path))
        server.listen(1)
        with contextlib.suppress(BlockingIOError):
            while True:
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                waiting.setblocking(False)
                waiting.connect(str(path))
                waiting.sendall(b"let me in")
        yield path, server


def answer_all(server: socket.socket) -> None:
    """Let in all who wait, and answer the one who asks for something."""
    asked = b""
    while not asked.startswith(b"GET"):
        connection, _ = server.accept()
        with connection:
            asked = connection.recv(65536)
            with contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n{}")


def answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)
