"""Where a browser goes on after a sign-in: never anywhere but on the same Hub."""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import unquote, urlsplit

_LONGEST: Final = 1000


def safe_way_back(url: str, base_url: str, host: str = "") -> str | None:
    """Return an address that a visitor may be sent to, or None.

    Parameters
    ----------
    url
        What the visitor came with.
    base_url
        The Hub's path prefix: an address without a host must be below it.
    host
        Of a Hub that gives each user a domain: it, and all below it, may be named.

    """
    if not 0 < len(url) <= _LONGEST or not url.isprintable() or "\\" in url or " " in url:
        return None
    try:
        parts = urlsplit(url)
        name = parts.hostname or ""
    except ValueError:
        return None
    if ".." in unquote(parts.path).split("/"):
        return None
    if parts.scheme or parts.netloc:
        own = urlsplit(host)
        domain = own.hostname or ""
        theirs = bool(domain) and (name == domain or name.endswith(f".{domain}"))
        return url if theirs and (parts.scheme, parts.port) == (own.scheme, own.port) else None
    return url if url.startswith(base_url) and not url.startswith("//") else None


def carried(value: str, url: str | None) -> str:
    """Return the value of a sign-in's cookie with the way back in it."""
    if url is None:
        return value
    # An = would have the whole cookie quoted, which not every client takes off again.
    return f"{value}.{base64.urlsafe_b64encode(url.encode()).decode().rstrip('=')}"


def brought_back(cookie: str) -> str:
    """Return the way back that a cookie holds, or nothing."""
    text = cookie.partition(".")[2]
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""
