"""Which certificates are trusted."""

from __future__ import annotations

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
    path = Path(config.ca_cert_file_path).expanduser()
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The CA file {path} cannot be used.",
            why=str(error.strerror or error),
            fix="Set admin.caCertFilePath to a readable PEM file.",
        ) from None
    return context


def bad_certificates(error: OSError) -> ConfigError:
    """Return the error for certificates of the environment's that cannot be used."""
    return ConfigError(
        "The certificates that the environment names cannot be used.",
        why=error.strerror or type(error).__name__,
        fix="Correct SSL_CERT_FILE or SSL_CERT_DIR, or unset it.",
    )
