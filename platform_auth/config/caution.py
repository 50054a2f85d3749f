"""What makes a platform's configuration unsafe: said by every face for as long as it is so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import PlatformConfig


def cautions(config: PlatformConfig) -> Iterator[str]:
    """Yield a sentence for each protection that is switched off.

    Examples
    --------
    >>> from platform_auth.config import PlatformConfig
    >>> list(cautions(PlatformConfig("flyte.example.com")))
    []

    """
    if config.insecure_skip_verify:
        yield (
            "Certificates are not verified (insecureSkipVerify): anybody on the way to "
            f"{config.host} can read your tokens. Set caCertFilePath instead."
        )
    if config.base_url.startswith("http:") and not Endpoint.parse(config.endpoint).is_loopback:
        yield (
            f"Nothing is encrypted on the way to {config.host} (insecure): "
            "anybody on it can read your tokens."
        )
