"""Finding the authorization server of a profile (RFC 8414 §3, OpenID Connect Discovery §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authlib.oauth2.rfc8414 import get_well_known_url
from authlib.oidc.discovery import get_well_known_url as get_openid_url

from ..errors import ConfigError, DiscoveryError, ProviderError
from .metadata import ServerMetadata, from_document, is_secure, with_settings
from .responses import oauth_json
from .steps import Request, Response, Step

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..config import PlatformConfig

METADATA_MAX_AGE: Final = 3600.0
"""Seconds for which a metadata document is good."""

_TOO_MANY = 429


def discover(config: PlatformConfig) -> Generator[Step, Response, ServerMetadata]:
    """Find the endpoints for a profile; its explicit settings win.

    Parameters
    ----------
    config
        The profile's configuration.

    Raises
    ------
    ConfigError
        It says too little to find them.
    DiscoveryError
        The provider's metadata is missing, wrong or somebody else's.

    """
    settings = config.oauth
    if settings.issuer:
        found = yield from _ask_issuer(settings.issuer, openid="openid" in config.scopes)
    elif settings.token_endpoint or config.flow == "command":
        found = ServerMetadata()  # all that is needed is there, or the command knows it
    else:
        raise ConfigError(
            f"The identity provider of {config.host} is not known.",
            why="The profile names neither an issuer nor a token endpoint.",
            fix="Set oauth.issuer in the profile.",
        )
    return with_settings(found, settings)


def _ask_issuer(issuer: str, *, openid: bool) -> Generator[Step, Response, ServerMetadata]:
    if not is_secure(issuer):
        what = f"The issuer {issuer} is not an https address."
        raise ConfigError(what, fix="Use https; http is for this machine only.")
    standard = get_well_known_url(issuer, external=True)
    # RFC 8414 strips a path's last slash nowhere; providers serve the document without it.
    addresses = [standard.rstrip("/"), get_openid_url(issuer, external=True)]
    problem: ProviderError | None = None
    for address in reversed(addresses) if openid else addresses:
        response = yield Request("GET", address, replay=True, max_age=METADATA_MAX_AGE)
        if _is_missing(response):
            continue
        try:
            document = oauth_json(response)
        except ProviderError as error:
            problem = problem or error  # many sites answer any path with their front page
            continue
        return from_document(document, issuer=issuer)
    raise _nothing_found(issuer, addresses, problem)


def _is_missing(response: Response) -> bool:
    # 404 is usual; servers that protect every path they do not know say 401, 403 or 400.
    return 400 <= response.status < 500 and response.status != _TOO_MANY  # noqa: PLR2004


def _nothing_found(
    issuer: str, addresses: list[str], problem: ProviderError | None
) -> DiscoveryError:
    if problem is not None:
        what = f"The metadata of {issuer} cannot be used."
        return DiscoveryError(what, why=f"{problem.what} {problem.why}", fix=problem.fix)
    return DiscoveryError(
        f"{issuer} publishes no metadata.",
        why=f"Neither {addresses[0]} nor {addresses[1]} is there for us.",
        fix="Check oauth.issuer, or set oauth.authorization_endpoint and oauth.token_endpoint.",
    )
