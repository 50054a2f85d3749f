"""Where the sandbox sends browsers: to this machine and nowhere else."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})

# RFC 3986 §2: what an address may consist of. Browsers repair the rest in ways urlsplit does not.
_ADDRESS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")


def is_loopback_address(uri: str) -> bool:
    """Tell whether `uri` is an http(s) address on this machine, without user, query or fragment."""
    if not _ADDRESS.fullmatch(uri):
        return False
    try:
        parts = urlsplit(uri)
        _ = parts.port  # raises on a port out of range
    except ValueError:
        return False
    plain = "@" not in parts.netloc and "?" not in uri
    return plain and parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK_HOSTS


def origin(uri: str) -> str:
    """Return ``scheme://host[:port]`` of an address."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


class LoopbackAddresses:
    """The collection of all loopback addresses: the sandbox's post-logout redirect URIs."""

    def __contains__(self, uri: object) -> bool:
        return isinstance(uri, str) and is_loopback_address(uri)
