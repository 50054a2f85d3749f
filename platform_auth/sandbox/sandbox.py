"""The sandbox as a whole: a provider and a platform that start and stop together."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any, Final

from platform_auth.errors import ConfigError
from platform_auth.sandbox import platform
from platform_auth.sandbox.client import DEMO_CLIENT_ID, SCOPES, SERVICE_CLIENT_ID
from platform_auth.sandbox.clock import Clock
from platform_auth.sandbox.pages import PAGES
from platform_auth.sandbox.person import ScriptedPerson
from platform_auth.sandbox.provider import Provider
from platform_auth.sandbox.routes import ROUTES
from platform_auth.sandbox.server import BackgroundServer, loopback_sockets
from platform_auth.sandbox.settings import Settings
from platform_auth.sandbox.web import application
from platform_auth.secret import Secret

if TYPE_CHECKING:
    import socket
    from types import TracebackType
    from typing import Self

    from platform_auth.sandbox.bearer import BearerVerifier
    from platform_auth.sandbox.journal import TokenRequest

log = logging.getLogger(__name__)

_NOT_STARTED: Final = "The sandbox has not been started."
_START: Final = "Call start() first, or use it in a with statement."


class Sandbox:
    """An identity provider and a demo platform on loopback. Not for production.

    Use it as a context manager, or call `start` and `stop`. After a stop it can be started again,
    at the same addresses and with everything it knew: an outage, for tests.

    Parameters
    ----------
    port, platform_port
        Where the provider and the platform listen; 0 for any that is free.
    access_token_lifetime
        Seconds an access token is accepted.
    rotate
        Whether each refresh replaces the refresh token (RFC 9700 §4.14.2).
    host
        ``127.0.0.1``, ``::1`` or ``localhost``; anything else is a `ConfigError`.

    Attributes
    ----------
    settings
        Those two and more to set, before it starts or while it runs; see `Settings`. They hold
        for what is issued from then on.

    """

    def __init__(
        self,
        port: int = 0,
        access_token_lifetime: int = 300,
        *,
        rotate: bool = True,
        host: str = "127.0.0.1",
        platform_port: int = 0,
    ) -> None:
        self.settings = Settings(access_token_lifetime=access_token_lifetime, rotate=rotate)
        self._host, self._ports = host, (port, platform_port)
        self._clock = Clock()
        self._service_secret = Secret(secrets.token_urlsafe(24))
        self._provider: Provider | None = None
        self._server: BackgroundServer | None = None

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> Self:
        """Serve, and return the sandbox itself.

        Raises
        ------
        ConfigError
            The host is not a loopback address, or a port is taken.

        """
        if self._server is not None:
            return self
        ours = loopback_sockets(self._host, self._ports[0])
        try:
            theirs = loopback_sockets(self._host, self._ports[1])
        except ConfigError:
            for sock in ours:
                sock.close()
            raise
        self._ports = (_port(ours), _port(theirs))
        self._server = self._serve(ours, theirs)
        self._server.start()
        log.warning(
            "Sandbox, not for production: identity provider at %s, demo platform at %s",
            self.issuer,
            self.platform_url,
        )
        return self

    def stop(self) -> None:
        """Stop serving; nothing happens if it is not running."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _serve(self, ours: list[socket.socket], theirs: list[socket.socket]) -> BackgroundServer:
        self._provider = self._provider or Provider(
            self.issuer,
            self.platform_url,
            settings=self.settings,
            clock=self._clock,
            service_secret=self._service_secret,
        )
        name, (port, platform_port) = self._name, self._ports
        pages = application(ROUTES + PAGES, host=name, port=port, provider=self._provider)
        api = application(
            platform.ROUTES,
            host=name,
            port=platform_port,
            verifier=self._provider.verifier(self.platform_url),
            issuer=self.issuer,
            resource=self.platform_url,
        )
        return BackgroundServer([(pages, ours), (api, theirs)])

    # -- where it is ---------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return f"[{self._host}]" if ":" in self._host else self._host

    @property
    def issuer(self) -> str:
        """The provider's issuer identifier and base address; known once it has started."""
        return self._address(self._ports[0])

    @property
    def platform_url(self) -> str:
        """The platform's base address; known once it has started."""
        return self._address(self._ports[1])

    def _address(self, port: int) -> str:
        if not port:
            raise ConfigError(_NOT_STARTED, fix=_START)
        return f"http://{self._name}:{port}"

    def profiles(self) -> dict[str, Any]:
        """Return ready profiles, in the shape of ``profiles.yaml``.

        ``demo`` signs in with a browser, ``demo-device`` with a code, ``demo-service`` as a
        service; the secret of the last is in the mapping, as ``oauth.client_secret``.
        """
        secret = self._service_secret.reveal()
        scopes = list(SCOPES)
        return {
            "demo": self._profile("Pkce", DEMO_CLIENT_ID, scopes),
            "demo-device": self._profile("DeviceFlow", DEMO_CLIENT_ID, scopes),
            "demo-service": self._profile(
                "ClientSecret", SERVICE_CLIENT_ID, ["projects:read"], client_secret=secret
            ),
        }

    def _profile(
        self, auth_type: str, client_id: str, scopes: list[str], **oauth: str
    ) -> dict[str, Any]:
        return {
            "admin": {
                "endpoint": self.platform_url,
                "insecure": True,
                "authType": auth_type,
                "clientId": client_id,
                "scopes": scopes,
            },
            "oauth": {"issuer": self.issuer, **oauth},
            "client": "http",
        }

    def verifier(self) -> BearerVerifier:
        """Return what checks the tokens for the demo platform, for another platform to do so."""
        return self._known().verifier(self.platform_url)

    # -- for tests -----------------------------------------------------------------------------

    @property
    def requests(self) -> tuple[TokenRequest, ...]:
        """Every request to the token endpoint so far, oldest first."""
        return self._provider.journal.entries() if self._provider else ()

    def refresh_tokens(self) -> tuple[Secret, ...]:
        """Return every refresh token on record, to search for where none may be."""
        return self._running().call(self._known().ledger.refresh_tokens)

    def sign_in_scripted(
        self, authorize_url: str, user: str = "ada", *, approve: bool = True
    ) -> str:
        """Sign in as a person would, and return the redirect back to the client.

        Parameters
        ----------
        authorize_url
            The authorization request.
        user
            ``ada``, ``grace`` or ``alan``.
        approve
            Whether to press *Allow* or *Deny*.

        Raises
        ------
        SignInError
            The provider showed an error page.

        """
        return ScriptedPerson(user, approve=approve).visit(authorize_url)

    def approve_device_scripted(
        self, verification_uri_complete: str, user: str = "ada", *, approve: bool = True
    ) -> str:
        """Approve or deny a device as a person would, and return the last page's address.

        Raises
        ------
        SignInError
            No device waits with that code.

        """
        return ScriptedPerson(user, approve=approve).visit(verification_uri_complete)

    def revoke_access_tokens(self) -> int:
        """Make the platform refuse every access token issued so far; return how many were live."""
        return self._running().call(self._known().ledger.revoke_access_tokens)

    def advance(self, seconds: float) -> None:
        """Put the clock of provider and platform forward, so that tests need not sleep."""
        self._running().call(lambda: self._clock.advance(seconds))

    def _running(self) -> BackgroundServer:
        if self._server is None:
            raise ConfigError(_NOT_STARTED, fix=_START)
        return self._server

    def _known(self) -> Provider:
        if self._provider is None:
            raise ConfigError(_NOT_STARTED, fix=_START)
        return self._provider


def _port(sockets: list[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1])
