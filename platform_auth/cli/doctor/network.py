"""Whether a server can be reached: its name, its port and its certificate, one after the other."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ...oauth.route import Routes
from ...oauth.steps import origin_of
from . import proxy, tls
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config import PlatformConfig

_PATIENCE: Final = 5.0
_PORTS: Final = {"https": 443, "http": 80}
_VPN: Final = "Check the address, the network, the VPN and the firewall"


def check(url: str, config: PlatformConfig) -> Iterator[Finding]:
    """Follow the way to a server, until it ends.

    Parameters
    ----------
    url
        Whose.
    config
        With which proxy and which certificates.

    """
    between = Routes(config.http_proxy_url).proxy_for(url)
    if between is not None:
        where = proxy.shown(between) or "something that is no address"
        yield Finding(Level.OK, f"proxy: the way to {origin_of(url)} is through {where}")
    for look in (_name, _port):
        finding = look(between or url)
        yield finding
        if finding.level is Level.FAIL:
            return
    if url.startswith("https:"):
        yield tls.check(url, config, between)


def _name(url: str) -> Finding:
    host, port = _address(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it cannot be a name"
        return Finding(Level.FAIL, f"DNS: {host} is not known here", why, f"{_VPN}.")
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if addresses == [host]:
        return Finding(Level.OK, f"DNS: {host} is an address, not a name")
    return Finding(Level.OK, f"DNS: {host} is {', '.join(addresses)}")


def _port(url: str) -> Finding:
    host, port = _address(url)
    began = time.monotonic()
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE) as connection:
            took = (time.monotonic() - began) * 1000
            address = connection.getpeername()[0]
    except OSError as error:
        why = error.strerror or "It does not answer in time."
        fix = f"{_VPN}; is the server running, and is {port} its port?"
        return Finding(Level.FAIL, f"TCP: {host}:{port} cannot be reached", why, fix)
    return Finding(Level.OK, f"TCP: {host}:{port} answers at {address} in {took:.0f} ms")


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)
