"""Asking an issuer for its metadata (RFC 8414 §3, OpenID Connect Discovery §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authlib.oauth2.rfc8414 import get_well_known_url
from authlib.oidc.discovery import get_well_known_url as get_openid_url

from ..errors import ConfigError, DiscoveryError, ProviderError
from .metadata import ServerMetadata, from_document, is_secure
from .responses import is_missing, oauth_json
from .steps import Request, Response, Step

if TYPE_CHECKING:
    from collections.abc import Generator

METADATA_MAX_AGE: Final = 3600.0
"""Seconds for which a metadata document is good."""

JSON: Final = {"Accept": "application/json"}
"""What is asked for: Flyte's gateway answers in another spelling without it."""


def ask_issuer(issuer: str, *, openid: bool) -> Generator[Step, Response, ServerMetadata]:
    """Return an issuer's metadata.

    Parameters
    ----------
    issuer
        Its identifier, to be repeated by the document byte for byte (RFC 8414 §3.3).
    openid
        Whether it is more likely to be an OpenID provider: its document is then asked for first.

    Raises
    ------
    ConfigError
        The issuer is no https address.
    DiscoveryError
        It publishes none, or what is there is wrong or somebody else's.

    """
    found, problem = yield from _look_up(issuer, openid=openid)
    if found is None:
        raise _nothing_found(issuer, problem)
    return found


def ask_issuer_if_it_answers(
    issuer: str, *, openid: bool
) -> Generator[Step, Response, ServerMetadata | None]:
    """Return an issuer's metadata, or None where it publishes none; see `ask_issuer`."""
    found, _problem = yield from _look_up(issuer, openid=openid)
    return found


def _look_up(
    issuer: str, *, openid: bool
) -> Generator[Step, Response, tuple[ServerMetadata | None, ProviderError | None]]:
    if not is_secure(issuer):
        what = f"The issuer {issuer} is not an https address."
        raise ConfigError(what, fix="Use https; http is for this machine only.")
    problem: ProviderError | None = None
    addresses = _addresses(issuer)
    for address in reversed(addresses) if openid else addresses:
        response = yield Request("GET", address, dict(JSON), replay=True, max_age=METADATA_MAX_AGE)
        if is_missing(response):
            continue
        try:
            document: dict[str, Any] = oauth_json(response)
        except ProviderError as error:
            problem = problem or error  # many sites answer any path with their front page
            continue
        return from_document(document, issuer=issuer), None
    return None, problem


def _addresses(issuer: str) -> list[str]:
    # RFC 8414 strips a path's last slash nowhere; providers serve the document without it.
    standard = get_well_known_url(issuer, external=True).rstrip("/")
    return [standard, get_openid_url(issuer, external=True)]


def _nothing_found(issuer: str, problem: ProviderError | None) -> DiscoveryError:
    if problem is not None:
        what = f"The metadata of {issuer} cannot be used."
        return DiscoveryError(what, why=f"{problem.what} {problem.why}", fix=problem.fix)
    standard, openid = _addresses(issuer)
    return DiscoveryError(
        f"{issuer} publishes no metadata.",
        why=f"Neither {standard} nor {openid} is there for us.",
        fix="Check oauth.issuer, or set oauth.authorization_endpoint and oauth.token_endpoint.",
    )
