"""The ``oauth:`` block of a profile: what discovery cannot know, or gets wrong."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..secret import Secret
from .endpoint import check_url
from .secret_file import read_secret_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REDIRECTS = ("auto", "server", "loopback", "paste")
ASSERTION_AUDIENCES = ("issuer", "token_endpoint")
JWT_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt"  # noqa: S105 - RFC 8693 §3
CLIENT_AUTHENTICATION = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
_FLOW_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2
ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "end_session_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
)


@dataclass(frozen=True, repr=False)
class OAuthSettings:
    """Explicit OAuth settings; each wins over what discovery finds.

    Parameters
    ----------
    issuer
        The identity provider's issuer identifier, compared letter by letter (RFC 8414 §3.3).
    redirect
        How the browser comes home: ``auto``, ``server``, ``loopback`` or ``paste``.
    redirect_uri
        A fixed redirect URI, when only that one is registered.
    authorization_endpoint, token_endpoint, device_authorization_endpoint, revocation_endpoint
        Endpoints of the provider (RFC 8414 §2).
    end_session_endpoint, userinfo_endpoint, jwks_uri
        The same, of OpenID Connect Discovery §3 and RP-Initiated Logout §2.1.
    post_logout_redirect_uri
        Where the provider sends a person who has signed out there, if that is registered
        (RP-Initiated Logout §3).
    token_endpoint_auth_method
        ``client_secret_basic``, ``client_secret_post``, ``private_key_jwt`` or ``none``.
    authorization_metadata_key
        The header that carries the token to the platform; None for what the platform says.
    resource
        Resource indicators (RFC 8707).
    id_token_algorithms
        Signature algorithms to accept besides the usual ones.
    private_key
        The client's key for ``private_key_jwt`` (RFC 7523 §2.2): PEM, or a JWK as JSON (RFC 7517),
        whose ``alg`` and ``kid`` then count. RSA keys sign with RS256 unless it says otherwise.
    private_key_file
        A file that holds it; it wins, and is read again on each use.
    private_key_id
        The ``kid`` to name in the assertion's header.
    client_assertion_audience
        Whom the assertion is for: ``issuer``, or ``token_endpoint`` for servers that want its URL.
    flow
        The flow by its own name, for those that no ``authType`` stands for: ``token_exchange``,
        ``jwt_bearer``, ``hub``, or one of another package.
    identity_token_file
        A file with somebody else's signed word on who this workload is, such as the token of its
        service account that Kubernetes projects; read again on each use, because it rotates.
        `token_exchange` shows it as the subject (RFC 8693), `jwt_bearer` as the grant (RFC 7523
        §2.1), `client_credentials` in place of the client's own assertion (§2.2).
    subject_token_type, requested_token_type
        What it is, and what is wanted for it: token type identifiers (RFC 8693 §3).

    Raises
    ------
    ConfigError
        A value cannot be used.

    """

    issuer: str | None = None
    redirect: str = "auto"
    redirect_uri: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    end_session_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    jwks_uri: str | None = None
    post_logout_redirect_uri: str | None = None
    token_endpoint_auth_method: str | None = None
    authorization_metadata_key: str | None = None
    resource: tuple[str, ...] = ()
    id_token_algorithms: tuple[str, ...] = ()
    private_key: Secret | None = None
    private_key_file: str | None = None
    private_key_id: str | None = None
    client_assertion_audience: str = "issuer"
    flow: str | None = None
    identity_token_file: str | None = None
    subject_token_type: str = JWT_TOKEN_TYPE
    requested_token_type: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                object.__setattr__(self, field.name, CHECKS[field.name](value))

    def __repr__(self) -> str:
        """Show what differs from the default, and no secret."""
        values = ((each, getattr(self, each.name)) for each in fields(self))
        shown = (f"{each.name}={value!r}" for each, value in values if value != each.default)
        return f"OAuthSettings({', '.join(shown)})"

    def signing_key(self) -> Secret | None:
        """Return the client's private key as it is now: its file is read anew.

        Raises
        ------
        ConfigError
            The file cannot be read.

        """
        if self.private_key_file:
            return read_secret_file(self.private_key_file, "oauth.private_key_file")
        return self.private_key

    def identity_token(self) -> Secret | None:
        """Return what says who this workload is, as it is now: its file is read anew.

        Raises
        ------
        ConfigError
            The file cannot be read.

        """
        if not self.identity_token_file:
            return None
        return read_secret_file(self.identity_token_file, "oauth.identity_token_file")


def texts(value: Sequence[str], name: str) -> tuple[str, ...]:
    """Return a list of strings as a tuple.

    Raises
    ------
    ConfigError
        It is something else; a single string counts as something else.

    """
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        what = f"{name} is not a list of strings."
        raise ConfigError(what, fix=f'Write {name}=["one", "two"].')
    return tuple(value)


def one_of(accepted: tuple[str, ...], name: str) -> Callable[[str], str]:
    """Return a check that lets only these words pass."""

    def check(value: str) -> str:
        if value not in accepted:
            what = f"{name} is {value!r}, which is not known."
            raise ConfigError(what, fix=f"Use one of {', '.join(accepted)}.")
        return value

    return check


def _issuer(value: str) -> str:
    if "?" in value:
        what = f"The issuer {value!r} has a query, which an issuer never has (RFC 8414 §2)."
        raise ConfigError(what, fix="Write it as the provider's metadata does.")
    return check_url(value, "issuer")


def _endpoint(name: str) -> Callable[[str], str]:
    return lambda value: check_url(value, name)


def _flow(value: object) -> str:
    if not isinstance(value, str) or not _FLOW_NAME.fullmatch(value):
        what = f"oauth.flow is {value!r}, which is no flow's name."
        raise ConfigError(what, fix="Use a name such as pkce, device, token_exchange or hub.")
    return value


def _header_name(value: str) -> str:
    if not _HEADER_NAME.fullmatch(value):
        what = f"authorization_metadata_key is {value!r}, which is no header name."
        raise ConfigError(what, fix="Use a name such as authorization or flyte-authorization.")
    return value.lower()


def _resources(value: Sequence[str]) -> tuple[str, ...]:
    resources = texts(value, "resource")
    for resource in resources:
        if ":" not in resource or "#" in resource:
            what = (
                f"The resource {resource!r} is not an absolute URI without fragment (RFC 8707 §2)."
            )
            raise ConfigError(what, fix="Write it whole, such as https://api.example.com.")
    return resources


def _algorithms(value: Sequence[str]) -> tuple[str, ...]:
    algorithms = texts(value, "id_token_algorithms")
    if any(name.lower() == "none" for name in algorithms):
        what = "id_token_algorithms lists none, which would accept unsigned id_tokens."
        raise ConfigError(what, fix="List the algorithm the provider signs with, such as ES384.")
    return algorithms


def _key(value: object) -> Secret | None:
    if not isinstance(value, str | Secret):
        raise ConfigError("private_key is not a string.", fix="Give the PEM or JWK text.")
    text = (value.reveal() if isinstance(value, Secret) else value).strip()
    return Secret(text) if text else None


def path(name: str) -> Callable[[object], str]:
    """Return a check that makes a path absolute."""

    def check(value: object) -> str:
        if not isinstance(value, str | os.PathLike) or not os.fspath(value).strip():
            raise ConfigError(f"{name} is not a path.", fix=f"Give {name} as a path.")
        # Joined, not normalised: taking .. out would follow another way than the system does.
        return os.path.join(os.getcwd(), os.path.expanduser(os.fspath(value).strip()))  # noqa: PTH109, PTH111, PTH118

    return check


def _one_line(name: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str) or not value.isprintable():
            raise ConfigError(f"{name} is not one line of text.", fix="Correct it.")
        return value

    return check


CHECKS: dict[str, Callable[[Any], Any]] = {
    "issuer": _issuer,
    "redirect": one_of(REDIRECTS, "redirect"),
    "redirect_uri": _endpoint("redirect_uri"),
    **{name: _endpoint(name) for name in (*ENDPOINTS, "post_logout_redirect_uri")},
    "token_endpoint_auth_method": one_of(CLIENT_AUTHENTICATION, "token_endpoint_auth_method"),
    "authorization_metadata_key": _header_name,
    "resource": _resources,
    "id_token_algorithms": _algorithms,
    "private_key": _key,
    "private_key_file": path("private_key_file"),
    "private_key_id": _one_line("private_key_id"),
    "flow": _flow,
    "identity_token_file": path("identity_token_file"),
    "subject_token_type": _one_line("subject_token_type"),
    "requested_token_type": _one_line("requested_token_type"),
    "client_assertion_audience": one_of(ASSERTION_AUDIENCES, "client_assertion_audience"),
}
