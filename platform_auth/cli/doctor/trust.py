"""Which certificates are trusted."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...config.tls import tls_context
from ...errors import PlatformAuthError
from .configurations import configurations
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config import PlatformConfig

_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def check() -> Iterator[Finding]:
    """Look at what this machine trusts, and at what each profile says about it."""
    yield _of_machine()
    for name, config in configurations().items():
        try:
            yield from _of_profile(name, config)
        except PlatformAuthError as error:
            yield Finding.of(error, name)


def _of_machine() -> Finding:
    for variable in _VARIABLES:
        named = os.environ.get(variable)
        if named:
            return _named(variable, Path(named))
    paths = ssl.get_default_verify_paths()
    directory = Path(paths.openssl_capath)
    if Path(paths.openssl_cafile).is_file() or (directory.is_dir() and any(directory.iterdir())):
        return Finding(Level.OK, "certificates: what this machine trusts")
    if os.name == "nt":
        return Finding(Level.OK, "certificates: what Windows trusts")
    fix = "Install the package ca-certificates, or set SSL_CERT_FILE."
    return Finding(Level.WARN, "certificates: this machine trusts nobody", fix=fix)


def _named(variable: str, path: Path) -> Finding:
    if path.exists():
        return Finding(Level.OK, f"certificates: {variable} names {path}")
    what = f"certificates: {variable} names {path}, which does not exist"
    return Finding(Level.FAIL, what, fix=f"Correct {variable}, or unset it.")


def _of_profile(name: str, config: PlatformConfig) -> Iterator[Finding]:
    if config.insecure_skip_verify:
        what = f"{name}: any certificate is accepted, so anybody in between can read along"
        fix = "Set caCertFilePath to the CA's file instead of insecureSkipVerify."
        yield Finding(Level.WARN, what, fix=fix)
    elif config.ca_cert_file_path:
        tls_context(config)
        yield Finding(Level.OK, f"{name}: also trusts {config.ca_cert_file_path}")
