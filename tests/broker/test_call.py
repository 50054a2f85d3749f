"""One HTTP call to a program on this machine."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from fakes.interrupt import interrupted_in
from platform_auth.broker import call as call_module
from platform_auth.broker.call import call

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def answering(*answer: bytes) -> Iterator[tuple[socket.socket, list[bytes]]]:
    """Have somebody who reads a call, says that much and hangs up."""
    here, there = socket.socketpair()
    here.settimeout(10)
    read: list[bytes] = []

    def talk() -> None:
        with there:
            read.append(there.recv(65536))
            for part in answer:
                there.sendall(part)

    thread = threading.Thread(target=talk)
    thread.start()
    with here:
        yield here, read
    thread.join()


def test_what_is_sent_is_one_request() -> None:
    with answering(b"HTTP/1.0 200 OK\r\n\r\n{}") as (connection, read):
        call(connection, "PUT", "/v1?x=%0a", {"Host": "127.0.0.1"}, b'{"a": 1}')
    assert read == [
        b'PUT /v1?x=%0a HTTP/1.0\r\nContent-Length: 8\r\nHost: 127.0.0.1\r\n\r\n{"a": 1}'
    ]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",), (200, b"{}")),
        ((b"HTTP/1.0 404\r\n\r\n{}",), (404, b"{}")),
        ((b"HTTP/1.1 50", b"3 No\r\nx: a\r\ncontent-length:2\r", b"\n\r\n{", b"}"), (503, b"{}")),
        ((b"HTTP/1.1 204 \r\n\r\n",), (204, b"")),
    ],
)  # fmt: skip
def test_the_answer_is_read_to_its_end(
    parts: tuple[bytes, ...], expected: tuple[int, bytes]
) -> None:
    with answering(*parts) as (connection, _):
        assert call(connection, "GET", "/", {}) == expected


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\r\n\r\n", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK", b"HTTP/1.1 OK\r\n\r\n{}",
        b"HTTP/2 200\r\n\r\n{}", b"HTTP/1.1 2000 OK\r\n\r\n{}", b"HTTP/1.1 700 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    ],
)  # fmt: skip
def test_an_answer_that_is_none(answer: bytes) -> None:
    with answering(answer) as (connection, _), pytest.raises(ValueError):  # noqa: PT011 - any
        call(connection, "GET", "/", {})


@pytest.mark.parametrize("value", ["a\r\nX: b", "a\nb", "\0", "ü"])
def test_no_header_can_be_smuggled_in(value: str) -> None:
    with answering() as (connection, read):
        for headers, target in (({"X": value}, "/"), ({value: "x"}, "/"), ({}, f"/{value}")):
            with pytest.raises(ValueError, match="no header may"):
                call(connection, "GET", target, headers)
    assert read == [b""]


def test_an_endless_answer_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_module, "MAX_ANSWER", 1000)
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + bytes(50_000))
        with pytest.raises(ValueError, match="cut off"):
            call(here, "GET", "/", {})


def test_an_answer_that_comes_in_drops_has_no_more_time_than_one_at_once() -> None:
    here, there = socket.socketpair()
    here.settimeout(0.2)
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.01):
            there.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    with here, there:
        try:
            with pytest.raises(TimeoutError):
                call(here, "GET", "/", {})
        finally:
            over.set()
            thread.join()


def test_an_interrupt_just_before_the_wait_is_noticed_soon() -> None:
    here, there = socket.socketpair()
    here.settimeout(20)
    began = time.monotonic()
    with here, there, interrupted_in("_read"), pytest.raises(KeyboardInterrupt):
        call(here, "GET", "/", {})
    assert time.monotonic() - began < 5
