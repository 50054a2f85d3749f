"""A platform without a network, which says how to sign in to it in the ways it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flyteidl.service import auth_pb2

from platform_auth.errors import MissingExtraError
from platform_auth.oauth.steps import Request, Response, Rpc, RpcReply

from .provider import ISSUER, Provider, reply

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "https://flyte.example.com"
AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
RESOURCE = "/.well-known/oauth-protected-resource"
CLIENT = "/config/v1/flyte_client"
CONNECT = "/flyteidl2.auth.AuthMetadataService/Get"
GRPC = "/flyteidl.service.AuthMetadataService/Get"

FLYTE_CLIENT: dict[str, Any] = {
    "client_id": "flytectl",
    "redirect_uri": "http://localhost:53593/callback",
    "scopes": ["all", "offline"],
    "authorization_metadata_key": "flyte-authorization",
}
"""What flyteadmin says unless it is told otherwise."""

FLYTE_METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}


def camel_case(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as proto3's JSON has it."""
    return {_hump(name): value for name, value in document.items()}


def _hump(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def metadata_message(**fields: Any) -> RpcReply:
    """Return what Flyte 1 answers to GetOAuth2Metadata."""
    message = auth_pb2.OAuth2MetadataResponse(**{**FLYTE_METADATA, **fields})
    return RpcReply("OK", message.SerializeToString())


def client_message(**fields: Any) -> RpcReply:
    """Return what Flyte 1 answers to GetPublicClientConfig."""
    message = auth_pb2.PublicClientAuthConfigResponse(**{**FLYTE_CLIENT, **fields})
    return RpcReply("OK", message.SerializeToString())


class FlytePlatform(Provider):
    """A platform at `HOST`, and the identity provider at `ISSUER` beside it.

    Attributes
    ----------
    pages
        What it answers by path: a document, a response, or an error instead of any. All else is
        not there.
    calls
        What it answers to gRPC calls, likewise; without any, gRPC is not installed.
    rpcs
        The gRPC calls it got, and with which metadata.

    """

    def __init__(self, pages: Mapping[str, Any] | None = None, **calls: Any) -> None:
        super().__init__()
        self.pages, self.calls = dict(pages or {}), dict(calls)
        self.rpcs: list[tuple[Rpc, Mapping[str, str]]] = []

    def _answer(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" == ISSUER:
            return super()._answer(request)
        page = self.pages.get(parts.path, reply({}, 404))
        if isinstance(page, Exception):
            raise page
        if isinstance(page, Response):
            return Response(page.status, page.headers, page.body, request.url)
        return reply(page)

    async def call(self, rpc: Rpc, metadata: Mapping[str, str]) -> RpcReply:
        """Answer a gRPC call."""
        return self.rpc(rpc, metadata)

    def rpc(self, rpc: Rpc, metadata: Mapping[str, str] | None = None) -> RpcReply:
        """Answer a gRPC call at once."""
        self.rpcs.append((rpc, metadata or {}))
        missing = MissingExtraError("gRPC is not installed here.", fix="Install it.")
        answer = self.calls.get(rpc.method.removeprefix(GRPC), missing)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def asked(self) -> list[str]:
        """Return the paths it was asked for, the provider's without."""
        return [
            urlsplit(each.url).path for each in self.requests if not each.url.startswith(ISSUER)
        ]
