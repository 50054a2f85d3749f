"""The OAuth clients registered with the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE

from platform_auth.sandbox.redirects import LoopbackAddresses, is_loopback_address
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "openid": "Know that it is you",
        "profile": "See your name",
        "email": "See your email address",
        "projects:read": "List your projects",
        "offline_access": "Keep you signed in",
    }
)
"""Every scope the sandbox knows, with what a person is asked to allow."""

DEMO_CLIENT_ID: Final = "platform-auth-demo"
"""A public client: PKCE and device flow."""

SERVICE_CLIENT_ID: Final = "platform-auth-service"
"""A confidential client: client credentials."""


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]  # Authlib is untyped
    """A registered client (RFC 6749 §2).

    Parameters
    ----------
    client_id
        Its identifier.
    name
        What the consent page calls it.
    grant_types
        The flows it may use.
    scopes
        The most it can be given, and what it gets when it asks for nothing (RFC 6749 §3.3).
    secret
        Its password; a public client has none.

    """

    client_id: str
    name: str
    grant_types: frozenset[str]
    scopes: tuple[str, ...]
    secret: Secret | None = None

    @property
    def client_metadata(self) -> dict[str, Any]:
        """Return the registration as Authlib's end-session endpoint reads it."""
        return {"post_logout_redirect_uris": LoopbackAddresses()}

    def get_client_id(self) -> str:
        """Return the client identifier."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """Return nothing: every request names where to return to."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return the part of `scope` this client may have; none of it is an error to Authlib."""
        wanted = scope.split() if scope else self.scopes
        return " ".join(word for word in wanted if word in self.scopes) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Accept ``…/callback`` on a loopback host, at any port (RFC 8252 §7.3), nothing else."""
        return is_loopback_address(redirect_uri) and redirect_uri.endswith("/callback")

    def check_client_secret(self, client_secret: str) -> bool:
        """Compare in constant time; a public client has no right answer."""
        return self.secret is not None and self.secret == Secret(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """Ask a confidential client for its secret everywhere, a public one nowhere."""
        return (method == "none") == (self.secret is None)

    def check_response_type(self, response_type: str) -> bool:
        """Accept ``code`` for clients that use the authorization code flow."""
        return response_type == "code" and self.check_grant_type("authorization_code")

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether the client may use `grant_type`."""
        return grant_type in self.grant_types


def registered_clients(service_secret: Secret) -> dict[str, Client]:
    """Return the sandbox's clients by identifier."""
    flows = frozenset({"authorization_code", "refresh_token", DEVICE_CODE_GRANT_TYPE})
    clients = (
        Client(DEMO_CLIENT_ID, "Notebook", flows, tuple(SCOPES)),
        Client(
            SERVICE_CLIENT_ID,
            "Nightly report",
            frozenset({"client_credentials"}),
            ("projects:read",),
            service_secret,
        ),
    )
    return {client.client_id: client for client in clients}
