"""Finding out what a profile leaves open: its authorization server, and its client there."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import PlatformAuthError
from .inquiry import TOKENS_FROM_ELSEWHERE, Inquiry
from .issuer import METADATA_MAX_AGE, ask_issuer
from .metadata import ServerMetadata, with_settings
from .public_client import PublicClient

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..config import PlatformConfig
    from .steps import Step

__all__ = ["METADATA_MAX_AGE", "Discovered", "asks_platform", "discover"]

log = logging.getLogger("platform_auth")

_IN_PASSING: Final = 5.0  # seconds for a question that there is an answer to without


@dataclass(frozen=True, slots=True)
class Discovered:
    """What is known of a profile once everybody has been asked.

    Parameters
    ----------
    config
        The profile's configuration, completed by what the platform says: explicit settings win.
    metadata
        The authorization server.
    speaks
        Which protocol the platform has shown to speak, see `Inquiry`.

    """

    config: PlatformConfig
    metadata: ServerMetadata
    speaks: str | None = None


def asks_platform(config: PlatformConfig) -> bool:
    """Tell whether the platform itself must say who its authorization server is."""
    settings = config.oauth
    return not (settings.issuer or settings.token_endpoint or config.flow in TOKENS_FROM_ELSEWHERE)


def discover(config: PlatformConfig) -> Generator[Step, Any, Discovered]:
    """Find the endpoints for a profile, and the client to sign in with; explicit settings win.

    Parameters
    ----------
    config
        The profile's configuration. Names it an issuer or a token endpoint, then the platform is
        not asked.

    Raises
    ------
    ConfigError
        It says too little to find them.
    DiscoveryError
        The metadata is missing, wrong or somebody else's.
    TransportError
        Nobody could be asked.

    """
    settings, found, client = config.oauth, ServerMetadata(), PublicClient()
    in_passing = config.flow in TOKENS_FROM_ELSEWHERE
    inquiry = Inquiry(config, timeout=_IN_PASSING if in_passing else None)
    if settings.issuer:
        found = yield from ask_issuer(settings.issuer, openid="openid" in config.scopes)
    elif asks_platform(config):
        found = yield from inquiry.server()
        client = yield from inquiry.public_client()
    elif in_passing and not settings.authorization_metadata_key:
        client = yield from _client_in_passing(inquiry, config)
    metadata = with_settings(found, settings)
    return Discovered(client.completing(config), metadata, inquiry.speaks)


def _client_in_passing(
    inquiry: Inquiry, config: PlatformConfig
) -> Generator[Step, Any, PublicClient]:
    """Return what tells the header for a token from elsewhere; mostly it is good without."""
    try:
        return (yield from inquiry.public_client())
    except PlatformAuthError as error:
        log.info("%s does not say which header it wants tokens in (%s)", config.host, error.what)
        return PublicClient()
