"""The guards around every test guard."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest


def test_other_machines_are_out_of_reach() -> None:
    # TEST-NET-1 (RFC 5737): nobody is there, should the guard fail.
    with socket.socket() as sock, pytest.raises(RuntimeError, match="tests talk to this machine"):
        sock.connect(("192.0.2.1", 443))


def test_this_machine_is_within_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_home_is_empty() -> None:
    assert list(Path.home().iterdir()) == []


def test_nobodys_variables_are_set() -> None:
    assert not [name for name in os.environ if name.startswith(("FLYTE", "PLATFORM_AUTH"))]
