"""Which HTTP proxies are in between; what they are told as user name and password is not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

from ...oauth.steps import origin_of
from .configurations import configurations
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEMES: Final = ("https", "http", "all")


def check() -> Iterator[Finding]:
    """Look at the environment (or the system's settings), and at each profile."""
    proxies = getproxies()
    found = [_shown(f"proxy for {each}", proxies[each]) for each in _SCHEMES if proxies.get(each)]
    yield from found or [Finding(Level.OK, "no proxy is set for this machine")]
    if found and proxies.get("no"):
        yield Finding(Level.OK, f"no proxy for {proxies['no']} (nor ever for this machine itself)")
    for name, config in configurations().items():
        if config.http_proxy_url:
            yield _shown(f"{name}: proxy", config.http_proxy_url)


def _shown(subject: str, url: str) -> Finding:
    whole = url if "://" in url else f"http://{url}"
    what = f"{subject}: {origin_of(whole)}"
    try:
        parts = urlsplit(whole)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return Finding(Level.FAIL, f"{subject} is not an address", fix="Write http://host:port.")
    return Finding(Level.OK, what + (" (with a password)" if parts.password else ""))
