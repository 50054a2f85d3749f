"""What holds for every test: repeatable, nobody's real settings, nobody's real network."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from platform_auth.oauth import redaction

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same examples every time: a run that fails today fails tomorrow.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")

_PERSONAL = ("PLATFORM_AUTH", "FLYTE", "_FLYTE", "FLYTECTL", "UNION", "JUPYTER", "JPY")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow modules, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: "integration" not in item.path.parts)


@pytest.fixture(autouse=True)
def _nobodys_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Give every test an empty home, and none of the variables of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(_PERSONAL) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture(autouse=True)
def _nobodys_log() -> Iterator[None]:
    """Leave the loggers as they were: commands that run in this process quieten them."""
    loggers = [logging.getLogger(name) for name in redaction.LOGGERS]
    before = [(log.propagate, log.level, list(log.handlers)) for log in loggers]
    yield
    for log, (propagate, level, handlers) in zip(loggers, before, strict=True):
        log.propagate, log.handlers[:] = propagate, handlers
        log.setLevel(level)


@pytest.fixture(autouse=True, scope="session")
def _nobodys_network() -> Iterator[None]:
    """Let nothing in this process connect to anything but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(address[0]):
            msg = f"a test wants to connect to {address[0]}: tests talk to this machine only"
            raise RuntimeError(msg)
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


def _is_here(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified
