"""An OpenID provider that keeps to the standards until told otherwise; `wire` gives it a socket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import warnings
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from platform_auth.config import OAuthSettings, PlatformConfig
from platform_auth.oauth.steps import Request, Response

_CONFIDENTIAL = ("code", "code_verifier", "refresh_token", "client_secret", "device_code")

ISSUER = "https://id.example.com"
CLIENT = "notebook"
NOW = 1_800_000_000.0

Act = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What only a socket can do, see `fakes.bad_server`; for a provider on a `Wire`."""

Answer = Response | Exception | Act


@cache
def rsa_key(name: str = "rsa") -> RSAKey:
    """Return an RSA key; making one takes long, so each name has one for the whole run."""
    return RSAKey.generate_key(2048, {"kid": name})


@cache
def ec_key(name: str = "ec") -> ECKey:
    """Return a P-256 key."""
    return ECKey.generate_key("P-256", {"kid": name})


def config(**changes: Any) -> PlatformConfig:
    """Return the configuration of a platform that this provider guards."""
    oauth = changes.pop("oauth", {})
    usual = {
        "endpoint": "flyte.example.com",
        "client_id": CLIENT,
        "scopes": ["openid", "offline_access"],
        "auth_mode": "Pkce",
        "oauth": OAuthSettings(**{"issuer": ISSUER, **oauth}),
    }
    return PlatformConfig(**{**usual, **changes})


def reply(data: object, status: int = 200, **headers: str) -> Response:
    """Return a JSON answer."""
    said = {"content-type": "application/json"}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, said, json.dumps(data).encode(), ISSUER)


def form(request: Request) -> dict[str, str]:
    """Return the form that a request sends; a name that appears twice is a fault of ours."""
    fields = parse_qs(request.body, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in fields.values()), sorted(fields)
    return {name: values[0] for name, values in fields.items()}


class Provider:
    """The provider; a sender for a `Driver`, and a value to be changed by tests.

    Attributes
    ----------
    metadata, keys, claims
        What it publishes, and what it puts into id_tokens; a claim of None is left out.
    sign
        Makes an id_token of claims.
    next
        Answers to give instead of the honest one, by the end of the path: ``next["token"]``.
    requests
        All it got.
    gate
        While it is cleared, no answer leaves.
    rotate
        Whether a refresh token serves once.
    scope
        What it says that it grants; None for nothing.
    secrets
        All it gave out or was told in confidence.

    """

    def __init__(self, issuer: str = ISSUER) -> None:
        self.metadata: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "device_authorization_endpoint": f"{issuer}/device",
            "revocation_endpoint": f"{issuer}/revoke",
            "jwks_uri": f"{issuer}/jwks",
        }
        self.keys: list[Key] = [rsa_key()]
        self.claims: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.next: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self.requests: list[Request] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.rotate, self.with_id_token = True, True
        self.lifetime: float | None = 300
        self.scope: str | None = None
        self.secrets: set[str] = set()
        self.refresh_tokens: set[str] = set()
        self.revoked: list[str] = []
        self.now: Callable[[], float] = lambda: NOW
        self._issued = 0
        self._codes: dict[str, dict[str, str]] = {}

    # -- what a driver and a browser do ----------------------------------------------------------

    async def send(self, request: Request) -> Response:
        """Answer, once the gate is open."""
        self.requests.append(request)
        await self.gate.wait()
        return self._answer(request)

    def handle(self, request: Request) -> Response:
        """Answer at once."""
        self.requests.append(request)
        return self._answer(request)

    def authorize(self, url: str, **changes: str | None) -> str:
        """Sign in and return the redirect; ``changes`` go into its parameters."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self._codes)}-CANARY"
        self._codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.metadata["issuer"], **changes}
        given = {name: value for name, value in answer.items() if value is not None}
        self.secrets |= {asked["state"], asked.get("nonce", asked["state"])}
        return f"{asked['redirect_uri']}?{urlencode(given)}"

    def sent_to(self, path: str) -> list[Request]:
        """Return the requests to one endpoint."""
        return [each for each in self.requests if urlsplit(each.url).path.endswith(path)]

    # -- what it answers ------------------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        answer = self.choose(request)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Response), "this takes a socket"
        return answer

    def choose(self, request: Request) -> Answer:
        """Return what a request is to be answered with: what a test wants, else the honest one."""
        path = urlsplit(request.url).path
        endpoint = path.rpartition("/")[2]
        if self.next[endpoint]:
            return self.next[endpoint].popleft()
        if "/.well-known/" in path:
            return reply(self.metadata)
        honest = {
            "jwks": self._jwks,
            "token": self._token,
            "device": self._device,
            "revoke": self._revoke,
            "me": lambda _request: reply({"ok": True}),
        }
        return honest[endpoint](request) if endpoint in honest else reply({}, 404)

    def _jwks(self, _request: Request) -> Response:
        return reply({"keys": [key.as_dict(private=False) for key in self.keys]})

    def _device(self, _request: Request) -> Response:
        return reply(self.device())

    def device(self) -> dict[str, Any]:
        """Return the honest answer to a device authorization request (RFC 8628 §3.2)."""
        where = f"{self.metadata['issuer']}/enter"
        return {
            "device_code": "device-CANARY",
            "user_code": "ABCD-EFGH",
            "verification_uri": where,
            "verification_uri_complete": f"{where}?user_code=ABCD-EFGH",
            "expires_in": 600,
            "interval": 5,
        }

    def _revoke(self, request: Request) -> Response:
        self.revoked.append(form(request)["token"])
        return reply({})

    def _token(self, request: Request) -> Response:
        asked = form(request)
        self.secrets |= {asked[name] for name in _CONFIDENTIAL if name in asked}
        if asked["grant_type"] == "authorization_code":
            return self._redeem(asked)
        if asked["grant_type"] == "refresh_token":
            return self._refresh(asked["refresh_token"])
        return reply(self.tokens(refresh=asked["grant_type"] != "client_credentials"))

    def _redeem(self, asked: dict[str, str]) -> Response:
        code = self._codes.pop(asked["code"], None)
        challenge = hashlib.sha256(asked["code_verifier"].encode()).digest()
        proof = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        if code is None or code["code_challenge"] != proof:
            return reply({"error": "invalid_grant"}, 400)
        if code["redirect_uri"] != asked["redirect_uri"]:
            return reply({"error": "invalid_grant"}, 400)
        return reply(self.tokens(nonce=code.get("nonce")))

    def _refresh(self, refresh_token: str) -> Response:
        if refresh_token not in self.refresh_tokens:
            self.refresh_tokens.clear()  # reuse ends the family (RFC 9700 §4.14.2)
            return reply({"error": "invalid_grant", "error_description": "used up"}, 400)
        if self.rotate:
            self.refresh_tokens.remove(refresh_token)
        return reply(self.tokens(refresh=self.rotate))

    def tokens(self, *, nonce: str | None = None, refresh: bool = True) -> dict[str, Any]:
        """Return the next token response."""
        self._issued += 1
        tokens: dict[str, Any] = {
            "access_token": f"at-{self._issued}-CANARY",
            "token_type": "Bearer",
        }
        if self.lifetime is not None:
            tokens["expires_in"] = self.lifetime
        if self.scope is not None:
            tokens["scope"] = self.scope
        if refresh:
            tokens["refresh_token"] = f"rt-{self._issued}-CANARY"
            self.refresh_tokens.add(tokens["refresh_token"])
        if self.with_id_token:
            tokens["id_token"] = self.id_token(tokens["access_token"], nonce)
        self.secrets |= {
            tokens[name] for name in ("access_token", "refresh_token", "id_token") if name in tokens
        }
        return tokens

    # -- id_tokens --------------------------------------------------------------------------------

    def id_token(self, access_token: str = "", nonce: str | None = None) -> str:
        """Return an id_token with ``claims`` over the honest ones."""
        honest = {
            "iss": self.metadata["issuer"],
            "sub": "ada",
            "aud": CLIENT,
            "exp": int(self.now()) + 600,
            "iat": int(self.now()),
            "email": "ada@example.com",
            "nonce": nonce,
        }
        claims = dict({**honest, **self.claims}.items())
        return self.sign({name: value for name, value in claims.items() if value is not None})

    def signed(
        self,
        claims: dict[str, Any],
        *,
        key: Key | None = None,
        alg: str = "RS256",
        **header: Any,
    ) -> str:
        """Sign claims with the first key; a header of None is left out."""
        key = key or self.keys[0]
        fields = {"alg": alg, "kid": key.kid, **header}
        fields = {name: value for name, value in fields.items() if value is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            return jwt.encode(fields, claims, key, algorithms=[alg])

    def unsigned(self, claims: dict[str, Any]) -> str:
        """Return claims under ``alg: none``."""
        return f"{_part({'alg': 'none'})}.{_part(claims)}."

    def mac_with_public_key(self, claims: dict[str, Any]) -> str:
        """Sign with HS256 and the text of the public key, which everybody knows."""
        secret = OctKey.import_key(base64.b64encode(self.keys[0].as_pem(private=False)).decode())
        return self.signed(claims, key=secret, alg="HS256", kid=self.keys[0].kid)


def _part(data: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()
