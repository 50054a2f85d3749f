"""Which way a request takes: through the profile's proxy, one of the environment's, or none."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies

from ..secret import MASK
from .metadata import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Routes:
    """The proxies there are, as they were when this was made.

    This machine itself is always reached directly: no proxy could get there. So are the hosts that
    ``NO_PROXY`` names, also where the profile has a proxy of its own (as curl has it): names with
    all below them (``corp.example``, ``.corp.example``, ``*.corp.example``), addresses, networks
    (``10.0.0.0/8``, ``fd00::/8``), each with a port or without, and ``*``. What is none of these is
    passed over.

    Parameters
    ----------
    proxy
        The profile's own, for everything; None for what the environment says.
    environment
        ``http``, ``https``, ``all`` and ``no``, as `urllib.request.getproxies` finds them.

    """

    proxy: str | None = field(default=None, repr=False)
    environment: Mapping[str, str] = field(default_factory=getproxies, repr=False)

    def proxy_for(self, url: str) -> str | None:
        """Return the proxy for a URL, with its user name and password; None for the direct way."""
        parts = urlsplit(url)
        if is_loopback(parts.hostname) or self._is_exempt(parts):
            return None
        found = self.proxy or self.environment.get(parts.scheme) or self.environment.get("all")
        return f"http://{found}" if found and "://" not in found else found or None

    def _is_exempt(self, parts: SplitResult) -> bool:
        host = (parts.hostname or "").removesuffix(".")
        entries = self.environment.get("no", "").replace(",", " ").lower().split()
        return any(entry == "*" or _covers(entry, host, _port(parts)) for entry in entries)


def _port(parts: SplitResult) -> str:
    try:
        return str(parts.port or _PORTS.get(parts.scheme))
    except ValueError:
        return ""  # no such port: who connects will say so


def _covers(entry: str, host: str, port: str) -> bool:
    name, wanted = _taken_apart(entry)
    if wanted not in {"", port}:
        return False
    network = _network(name)
    if network is not None:
        return _is_in(host, network)
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _taken_apart(entry: str) -> tuple[str, str]:
    """Return name, address or network, and the port or nothing."""
    if entry.startswith("["):
        address, _, rest = entry[1:].partition("]")
        length, _, port = rest.partition(":")
        return address + length, port
    # More colons than one are those of a bare IPv6 address.
    name, _, port = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
    return name, port


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _is_in(host: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False


def shown_proxy(url: str) -> str:
    """Return a proxy's address for people: who one is there, but not the password.

    Examples
    --------
    >>> shown_proxy("http://ada:hunter2@proxy.example.com:3128")
    'http://ada@proxy.example.com:3128'

    """
    scheme, _, rest = url.partition("://")
    user, at, host = rest.partition("/")[0].rpartition("@")
    name, colon, password = user.partition(":")
    # Without a password, what stands in the user's place may be a key.
    who = unquote(name) if colon and password else MASK
    return f"{scheme}://{who}@{host}" if at else f"{scheme}://{host}"
