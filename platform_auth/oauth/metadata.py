"""What is known of an authorization server (RFC 8414 §2, OpenID Connect Discovery §3)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..config.oauth_settings import ENDPOINTS
from ..errors import ConfigError, DiscoveryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import OAuthSettings


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """An authorization server's endpoints and abilities; None and () mean it did not say.

    The names are those of RFC 8414, RFC 8628, RFC 9207 and OpenID Connect.
    """

    issuer: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    end_session_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    jwks_uri: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: tuple[str, ...] = ()
    id_token_signing_alg_values_supported: tuple[str, ...] = ()

    def endpoint(self, name: str) -> str:
        """Return the endpoint of that name.

        Raises
        ------
        ConfigError
            The server has none, or did not say.

        """
        url: str | None = getattr(self, name)
        if url:
            return url
        where = self.issuer or "the identity provider"
        raise ConfigError(
            f"{where} offers no {name}.",
            why="Neither its metadata nor the profile names one.",
            fix=f"Set oauth.issuer, or oauth.{name}, in the profile, or choose another flow.",
        )


def from_document(data: Mapping[str, Any], *, issuer: str) -> ServerMetadata:
    """Check a metadata document and return it as a value.

    Parameters
    ----------
    data
        The JSON object served at the well-known address.
    issuer
        The issuer it was asked for; the document's must be the same, byte for byte (RFC 8414 §3.3),
        or the answer is somebody else's.

    Raises
    ------
    DiscoveryError
        The issuer differs or an endpoint cannot be trusted.

    """
    data = in_snake_case(data)
    if data.get("issuer") != issuer:
        raise _other_issuer(issuer, data.get("issuer"))
    return _read(data, home=issuer, issuer=issuer)


def from_platform(data: Mapping[str, Any], *, platform: str) -> ServerMetadata:
    """Check what a platform says of its authorization server, which may be anybody.

    Parameters
    ----------
    data
        The document it serves, or what its AuthMetadataService says.
    platform
        Its address.

    Raises
    ------
    DiscoveryError
        An address in it cannot be trusted.

    """
    data = in_snake_case(data)
    return _read(data, home=platform, issuer=safe_url("issuer", data.get("issuer"), platform))


def in_snake_case(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document under the names of RFC 8414, for Flyte writes ``tokenEndpoint``.

    Where it has both names, the RFC's counts.
    """
    return {_HUMP.sub(r"_\1", name).lower(): value for name, value in data.items()} | dict(data)


_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


def _read(data: Mapping[str, Any], *, home: str, issuer: str | None) -> ServerMetadata:
    known = {name: safe_url(name, data.get(name), home) for name in ENDPOINTS}
    return ServerMetadata(
        issuer=issuer,
        **known,
        authorization_response_iss_parameter_supported=data.get(
            "authorization_response_iss_parameter_supported"
        )
        is True,
        token_endpoint_auth_methods_supported=_words(
            data.get("token_endpoint_auth_methods_supported")
        ),
        id_token_signing_alg_values_supported=_words(
            data.get("id_token_signing_alg_values_supported")
        ),
    )


def with_settings(metadata: ServerMetadata, settings: OAuthSettings) -> ServerMetadata:
    """Let a profile's explicit settings win over what was discovered."""
    names = {field.name for field in fields(ServerMetadata)}
    explicit = {
        name: getattr(settings, name)
        for name in (*ENDPOINTS, "issuer")
        if name in names and getattr(settings, name)
    }
    return replace(metadata, **explicit)


def is_loopback(host: str | None) -> bool:
    """Tell whether a URL's host is this machine, by its address or as ``localhost``."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def is_secure(url: str) -> bool:
    """Tell whether credentials may go there: https, or http on this machine (RFC 8252 §8.3)."""
    scheme, host = _scheme_and_host(url)
    return bool(host) and (scheme == "https" or (scheme == "http" and is_loopback(host)))


def _scheme_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def safe_url(name: str, value: object, issuer: str) -> str | None:
    """Return an address out of somebody's document, or None where it has none.

    Parameters
    ----------
    name, value
        The member.
    issuer
        Whose document it is.

    Raises
    ------
    DiscoveryError
        It is no https address, or one of an inner network that an outsider names.

    """
    if value is None or value == "":
        return None
    fix = f"Correct the provider's metadata, or set oauth.{name} in the profile."
    host = _scheme_and_host(value)[1] if isinstance(value, str) else ""
    if not isinstance(value, str) or not host:
        what = f"The metadata of {issuer} holds no usable {name}."
        raise DiscoveryError(what, fix=fix)
    # An outsider's document must not turn our requests on the inner network.
    home = _scheme_and_host(issuer)[1]
    outside = host != home and not (is_loopback(host) and is_loopback(home))
    if not is_secure(value) or (outside and _is_inner(host)):
        what = f"The metadata of {issuer} names a {name} that is not safe to use."
        why = "It must be an https address that is not on a private network."
        raise DiscoveryError(what, why=why, fix=fix)
    return value


def _is_inner(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return is_loopback(host)


def _words(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))


def _other_issuer(asked: str, found: object) -> DiscoveryError:
    hint = "Set oauth.issuer to exactly what the provider calls itself."
    if isinstance(found, str) and _alike(found) == _alike(asked):
        hint = f"They differ in spelling only: set oauth.issuer to {found!r}."
    return DiscoveryError(
        f"The metadata found for {asked} belongs to another issuer.",
        why=f"It says {str(found)[:200]!r}.",
        fix=hint,
    )


def _alike(issuer: str) -> str:
    """Return an issuer without what people overlook: case, last slash, default port, last dot."""
    scheme, _, rest = issuer.lower().rstrip("/").partition("://")
    authority, slash, path = rest.partition("/")
    port = {"https": ":443", "http": ":80"}.get(scheme, "")
    return f"{scheme}://{authority.removesuffix(port).removesuffix('.')}{slash}{path}"
