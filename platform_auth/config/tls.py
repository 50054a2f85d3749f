"""Which certificates are trusted."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    from .model import PlatformConfig


def tls_context(config: PlatformConfig) -> ssl.SSLContext | bool:
    """Return how certificates are checked, for httpx2's ``verify``.

    Raises
    ------
    ConfigError
        The CA file is missing or holds no certificate.

    """
    if config.insecure_skip_verify:
        return False
    if config.ca_cert_file_path is None:
        return True
    try:
        context = ssl.create_default_context()
    except OSError as error:
        raise bad_certificates(error) from None
    _load(context, Path(config.ca_cert_file_path))
    return context


def _load(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except OSError as error:  # an SSLError is one
        raise ConfigError(
            f"The CA file {path} cannot be used.",
            why=_reason(error),
            fix="Set admin.caCertFilePath to a readable PEM file.",
        ) from None


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "It holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)."
    return f"{error.strerror or type(error).__name__}."


def bad_certificates(error: OSError) -> ConfigError:
    """Return the error for certificates of the environment's that cannot be used."""
    return ConfigError(
        "The certificates that the environment names cannot be used.",
        why=error.strerror or type(error).__name__,
        fix="Correct SSL_CERT_FILE or SSL_CERT_DIR, or unset it.",
    )


def check_ca_file(path: str) -> None:
    """Look at a CA file by itself, which takes no time: the machine's authorities take 30 ms.

    Raises
    ------
    ConfigError
        It is missing or holds no certificate.

    """
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), Path(path))


def trusted_by(config: PlatformConfig, context: ssl.SSLContext) -> str:
    """Say whom a context trusts, for people.

    Parameters
    ----------
    config
        What it was made for.
    context
        It.

    """
    named = next((name for name in _VARIABLES if os.environ.get(name)), None)
    machine = f"{named} ({os.environ[named]})" if named else "this machine's authorities"
    if config.ca_cert_file_path:
        return f"the CA file {config.ca_cert_file_path} and {machine}"
    if named is None and _knows_nobody(context):
        return "no authorities at all, for this machine has none (the package ca-certificates)"
    return machine


_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def _knows_nobody(context: ssl.SSLContext) -> bool:
    if type(context) is not ssl.SSLContext:
        return False  # it asks macOS or Windows
    # What lies in a directory is read only when it is needed.
    directory = Path(ssl.get_default_verify_paths().openssl_capath)
    in_directory = directory.is_dir() and any(directory.iterdir())
    return not (in_directory or context.cert_store_stats()["x509_ca"])
