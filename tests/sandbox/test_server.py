from __future__ import annotations

import socket
import threading

import pytest
from tornado.web import Application

from platform_auth.sandbox.server import BackgroundServer, _listening, loopback_sockets


def test_when_one_of_two_addresses_is_taken_the_other_is_given_back() -> None:
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            _listening(["127.0.0.1", "127.0.0.2"], port)
    socket.create_server(("127.0.0.1", port)).close()


def test_all_addresses_of_a_name_get_the_same_port() -> None:
    sockets = _listening(["127.0.0.1", "127.0.0.2"], 0)
    ports = {sock.getsockname()[1] for sock in sockets}
    for sock in sockets:
        sock.close()
    assert len(sockets) == 2
    assert len(ports) == 1


def test_calls_run_on_the_servers_thread_and_their_errors_come_back() -> None:
    server = BackgroundServer([(Application(), loopback_sockets("127.0.0.1", 0))])
    server.start()
    try:
        assert server.call(threading.get_ident) == server._thread.ident
        with pytest.raises(ZeroDivisionError):
            server.call(lambda: 1 // 0)
    finally:
        server.stop()
