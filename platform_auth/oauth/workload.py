"""What a workload without a person, and without a secret of its own, shows for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import ConfigError

if TYPE_CHECKING:
    from ..config import PlatformConfig
    from ..secret import Secret

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""What an assertion is to a server that is to know a client by it (RFC 7523 §2.2)."""

FLOWS: Final = frozenset({"token_exchange", "jwt_bearer"})
"""Flows whose grant says who asks, so that the client need not (RFC 7521 §4.1, RFC 8693 §2.1)."""


def identity_token(config: PlatformConfig) -> Secret:
    """Return somebody else's word on who this workload is, as its file has it now.

    Raises
    ------
    ConfigError
        No file is named, or it cannot be read.

    """
    token = config.oauth.identity_token_file and config.oauth.identity_token()
    if token:
        return token
    raise ConfigError(
        f"The profile for {config.host} does not say who this workload is.",
        why=f"The flow {config.flow} shows a token that the machine was given for that.",
        fix="Set oauth.identity_token_file; on Kubernetes it is a projected service-account token.",
    )
