"""What a profile needs on the machine whose broker uses it: looked at when the profile is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    from .model import PlatformConfig


def check_equipment(config: PlatformConfig) -> None:
    """Look for the CA file and for what the proxy takes.

    Not when a `PlatformConfig` is made: that may be used on another machine.

    Raises
    ------
    ConfigError
        Something is missing, or is not what it should be.

    """
    if config.ca_cert_file_path and not config.insecure_skip_verify:
        from .tls import check_ca_file  # late: it loads the whole of OpenSSL

        check_ca_file(config.ca_cert_file_path)
    if (config.http_proxy_url or "").startswith("socks"):
        _look_for_socks()


def _look_for_socks() -> None:
    from importlib.util import find_spec

    if find_spec("socksio") is None:
        what = "A SOCKS proxy needs a package that is not installed."
        fix = 'Run pip install "httpx2[socks]" where Jupyter runs, or name an HTTP proxy.'
        raise ConfigError(what, fix=fix)
