"""What a platform says of itself as a protected resource (RFC 9728)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from ..errors import DiscoveryError
from .metadata import safe_url
from .responses import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_MAX_SERVERS: Final = 4
_PORTS: Final = {"https": 443, "http": 80}


def metadata_url(platform: str) -> str:
    """Return where a platform's metadata is (§3.1): the path goes behind the well-known one.

    Examples
    --------
    >>> metadata_url("https://api.example.com/flyte")
    'https://api.example.com/.well-known/oauth-protected-resource/flyte'

    """
    parts = urlsplit(platform)
    return urlunsplit(parts._replace(path=_WELL_KNOWN + parts.path.rstrip("/")))


def authorization_servers(data: Mapping[str, Any], *, platform: str) -> tuple[str, ...]:
    """Return the issuers that a platform takes tokens of, the ones it names first, first.

    Parameters
    ----------
    data
        The JSON object at `metadata_url`.
    platform
        Whom it was asked of; what calls itself otherwise must not be used (§3.3).

    Returns
    -------
    None of them where the metadata names none.

    Raises
    ------
    DiscoveryError
        It is the metadata of another resource, or names a server by an unusable address.

    """
    named = data.get("authorization_servers")
    if not isinstance(named, list) or not named:
        return ()
    if not _is_same(data.get("resource"), platform):
        raise _other_resource(platform, data.get("resource"))
    servers = (safe_url("issuer", each, platform) for each in named[:_MAX_SERVERS])
    return tuple(each for each in servers if each is not None)


def _is_same(resource: object, platform: str) -> bool:
    # The address is what a person typed, :443 and all, so it is normalised (RFC 3986 §6.2.3).
    return isinstance(resource, str) and same_address(resource, platform)


def same_address(one: str, other: str) -> bool:
    """Tell whether two URLs are the same but for their spelling (RFC 3986 §6.2.2 and §6.2.3)."""
    try:
        return _normal(one) == _normal(other)
    except ValueError:
        return False


def _normal(url: str) -> tuple[str, str | None, int | None, str, str]:
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path.rstrip("/"), parts.query


def _other_resource(platform: str, named: object) -> DiscoveryError:
    return DiscoveryError(
        f"The metadata found at {platform} belongs to another platform.",
        why=f"It says {plain(named, 200)!r}.",
        fix="Use that address as the endpoint if it is the platform's, or set oauth.issuer.",
    )
