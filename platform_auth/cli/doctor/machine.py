"""Which certificates this machine trusts, and which HTTP proxies it names."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies

from .finding import Finding, Level
from .proxy import named

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_SCHEMES: Final = ("https", "http", "all")


def check() -> Iterator[Finding]:
    """Look at the environment, and at the system's settings."""
    yield _certificates()
    proxies = getproxies()
    found = [named(f"proxy for {each}", proxies[each]) for each in _SCHEMES if proxies.get(each)]
    yield from found or [Finding(Level.OK, "no proxy is set for this machine")]
    if found and proxies.get("no"):
        yield Finding(Level.OK, f"no proxy for {proxies['no']} (nor ever for this machine itself)")


def _certificates() -> Finding:
    for variable in _VARIABLES:
        path = os.environ.get(variable)
        if path:
            return _of_variable(variable, Path(path))
    paths = ssl.get_default_verify_paths()
    directory = Path(paths.openssl_capath)
    if Path(paths.openssl_cafile).is_file() or (directory.is_dir() and any(directory.iterdir())):
        return Finding(Level.OK, "certificates: what this machine trusts")
    if os.name == "nt":
        return Finding(Level.OK, "certificates: what Windows trusts")
    fix = "Install the package ca-certificates, or set SSL_CERT_FILE."
    return Finding(Level.WARN, "certificates: this machine trusts nobody", fix=fix)


def _of_variable(variable: str, path: Path) -> Finding:
    if path.exists():
        return Finding(Level.OK, f"certificates: {variable} names {path}")
    what = f"certificates: {variable} names {path}, which does not exist"
    return Finding(Level.FAIL, what, fix=f"Correct {variable}, or unset it.")
