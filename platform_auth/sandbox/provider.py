"""The identity provider: Authlib's authorization server on the sandbox's in-memory state."""

from __future__ import annotations

import logging
import math
import secrets
from typing import TYPE_CHECKING, Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6750 import BearerTokenGenerator

from platform_auth.sandbox.bearer import ACCESS_TOKEN_TYPE, BearerVerifier
from platform_auth.sandbox.client import SCOPES, Client, registered_clients
from platform_auth.sandbox.codes import Codes
from platform_auth.sandbox.devices import DeviceCredential, Devices
from platform_auth.sandbox.endpoints import DeviceAuthorization, EndSession, Issuer, Revocation
from platform_auth.sandbox.exchange import Request, Response
from platform_auth.sandbox.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    DeviceGrant,
    RefreshTokenGrant,
    S256CodeChallenge,
)
from platform_auth.sandbox.identity import IdToken
from platform_auth.sandbox.interactions import Interaction, Interactions
from platform_auth.sandbox.journal import Journal, TokenRequest
from platform_auth.sandbox.keys import SigningKey
from platform_auth.sandbox.redirects import origin
from platform_auth.sandbox.tokens import Family, Ledger, TokenResponse

if TYPE_CHECKING:
    from platform_auth.sandbox.clock import Clock
    from platform_auth.sandbox.people import Person
    from platform_auth.sandbox.settings import Settings
    from platform_auth.secret import Secret

log = logging.getLogger(__name__)


class Provider(AuthorizationServer):  # type: ignore[misc]  # Authlib is untyped
    """An OpenID Connect provider for demos. Not for production.

    Everything runs on one thread, the server's; nothing here locks.

    Parameters
    ----------
    issuer
        Its issuer identifier, also the base address of its endpoints.
    audience
        The platform its access tokens are for.
    settings
        Lifetimes and rotation.
    clock
        Shared with the platform.
    service_secret
        The password of the service client.

    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        settings: Settings,
        clock: Clock,
        service_secret: Secret,
    ) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.issuer, self.audience = issuer, audience
        self.settings, self.clock, self.key = settings, clock, SigningKey()
        self.clients = registered_clients(service_secret)
        self.ledger, self.codes, self.devices = Ledger(clock), Codes(clock), Devices()
        self.interactions, self.journal = Interactions(clock), Journal()
        self._issuer_parameter = Issuer(self)
        self._register()

    def _register(self) -> None:
        id_token = IdToken(self)
        self.register_token_generator("default", self._token_generator())
        self.register_grant(AuthorizationCodeGrant, [S256CodeChallenge(required=True), id_token])
        self.register_grant(RefreshTokenGrant, [id_token])
        self.register_grant(DeviceGrant, [id_token])
        self.register_grant(ClientCredentialsGrant)
        for endpoint in (DeviceAuthorization, Revocation, EndSession):
            self.register_endpoint(endpoint)
        self._issuer_parameter(self)

    # -- what Authlib asks of an integration ---------------------------------------------------

    def query_client(self, client_id: str) -> Client | None:
        """Return the registered client."""
        return self.clients.get(client_id)

    def create_oauth2_request(self, request: Request) -> Request:
        """Return the request as it is: the handlers make it."""
        return request

    def handle_response(
        self, status: int, body: str | dict[str, Any], headers: list[tuple[str, str]]
    ) -> Response:
        """Return the response for a handler to send."""
        return Response(status, body, headers)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Do nothing: nobody listens to Authlib's signals here."""

    def generate_token(self, *args: object, **kwargs: object) -> TokenResponse:
        """Return a token response that does not show itself in a log."""
        return TokenResponse(super().generate_token(*args, **kwargs))

    def save_token(self, token: TokenResponse, request: Request) -> None:
        """Put the tokens on record, in the family of the sign-in they descend from."""
        request.family = self._family(request, token.get("scope", ""))
        claims = self.key.read(token["access_token"]) or {}
        self.ledger.add_access(claims["jti"], request.family, claims["exp"])
        if refresh_token := token.get("refresh_token"):
            until = self.clock.now() + self.settings.refresh_token_lifetime
            self.ledger.add_refresh(refresh_token, request.family, until)

    def _family(self, request: Request, scope: str) -> Family:
        if request.refresh_token:
            found: Family = request.refresh_token.family
            return found
        code = request.authorization_code
        since = code.auth_time if code else int(self.clock.now())
        family = Family(request.client.client_id, request.user, scope, since)
        if code:
            code.family = family
        return family

    # -- tokens --------------------------------------------------------------------------------

    def _token_generator(self) -> BearerTokenGenerator:
        return BearerTokenGenerator(
            self._access_token,
            refresh_token_generator=lambda **_: secrets.token_urlsafe(32),
            expires_generator=lambda *_: self.settings.access_token_lifetime,
        )

    def _access_token(
        self, client: Client, grant_type: str, user: Person | None, scope: str
    ) -> str:
        log.debug("%s gets an access token by %s", client.client_id, grant_type)
        now = self.clock.now()
        claims = {
            "iss": self.issuer,
            "aud": [self.audience, self.issuer],
            "sub": user.id if user else client.client_id,
            "client_id": client.client_id,
            "scope": scope,
            "jti": secrets.token_urlsafe(12),
            "iat": int(now),
            # Rounded up: the token must live at least as long as its expires_in says.
            "exp": math.ceil(now) + self.settings.access_token_lifetime,
        }
        return self.key.sign(claims | (user.claims(scope) if user else {}), ACCESS_TOKEN_TYPE)

    def verifier(self, audience: str) -> BearerVerifier:
        """Return the check of access tokens for whoever goes by `audience`."""
        return BearerVerifier(
            self.key.public,
            self.issuer,
            audience,
            clock=self.clock,
            is_live=self.ledger.is_live,
        )

    # -- what handlers call --------------------------------------------------------------------

    def token(self, request: Request) -> Response:
        """Answer the token endpoint, and note in the journal what came of it."""
        if repeated := request.repeated():
            error = OAuth2Error(f"Repeated: {len(repeated)} parameters", error="invalid_request")
            response: Response = self.handle_error_response(request, error)
        else:
            response = self.create_token_response(request)
        self._note(request, response)
        return response

    def _note(self, request: Request, response: Response) -> None:
        body = response.body if isinstance(response.body, dict) else {}
        client_id = request.client.client_id if request.client else request.payload.client_id
        entry = TokenRequest(
            grant_type=request.payload.grant_type or "",
            client_id=client_id or "",
            outcome=body.get("error", "ok"),
            status=response.status,
            at=self.clock.now(),
        )
        self.journal.add(entry)

    def authorize(self, request: Request, browser: str) -> Interaction | Response:
        """Begin a sign-in, or answer what is wrong with the request."""
        try:
            grant = self.get_consent_grant(request)
        except OAuth2Error as error:
            return self._issuer_parameter.mark(self.handle_error_response(request, error))
        interaction = Interaction(
            client=request.client,
            scope=request.scope,
            browser=browser,
            expires_at=self.clock.now() + self.settings.page_lifetime,
            finish=lambda person: self.create_authorization_response(request, person, grant),
            return_to=origin(grant.redirect_uri),
        )
        self.interactions.add(interaction)
        return interaction

    def approve_device(self, credential: DeviceCredential, browser: str) -> Interaction:
        """Begin a sign-in for a device."""
        interaction = Interaction(
            client=self.clients[credential.client_id],
            scope=credential.scope,
            browser=browser,
            expires_at=credential.expires_at,
            finish=credential.decide,
            user_code=credential.user_code,
        )
        self.interactions.add(interaction)
        return interaction
