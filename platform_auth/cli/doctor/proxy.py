"""An HTTP proxy's address; what it is told as user name and password is not shown."""

from __future__ import annotations

from urllib.parse import urlsplit

from ...oauth.steps import origin_of
from .finding import Finding, Level


def named(subject: str, url: str) -> Finding:
    """Return a finding about a proxy that is named somewhere.

    Parameters
    ----------
    subject
        Where.
    url
        Its address, with or without ``http://``.

    """
    address = shown(url)
    if not address:
        return Finding(Level.FAIL, f"{subject} is not an address", fix="Write http://host:port.")
    return Finding(Level.OK, f"{subject}: {address}")


def shown(url: str) -> str:
    """Return a proxy's address for people; nothing where it cannot be one."""
    whole = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(whole)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    more = " (with a password)" if parts.password else ""
    return origin_of(whole) + more if usable else ""
