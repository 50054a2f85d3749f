"""A platform on Flyte's real wire: gRPC and HTTP behind one port, and only our own logic in it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import grpc
from flyteidl.service import auth_pb2, auth_pb2_grpc, identity_pb2, identity_pb2_grpc
from flyteidl2.auth import auth_service_pb2
from flyteidl2.auth.auth_service_connect import (
    AuthMetadataServiceSync,
    AuthMetadataServiceWSGIApplication,
)
from joserfc.errors import JoseError

from fakes.closing import Closing
from harness.ingress import Ingress

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from harness.verifier import Verifier

REDIRECT_URI: Final = "http://localhost:53593/callback"
"""Where flyteadmin's own client has browsers come back to."""

_ANONYMOUS: Final = "/flyteidl.service.AuthMetadataService/"
_SPEAKS: Final = ("grpc", "well-known", "connect", "protected-resource")


@dataclass(frozen=True)
class Received:
    """One request that the platform got.

    Parameters
    ----------
    name
        The method of a gRPC call, or the path of an HTTP request.
    status
        What became of it: a gRPC status, or the number of an HTTP one.
    headers
        Its metadata or headers, in lower case.

    """

    name: str
    status: str
    headers: Mapping[str, str] = field(repr=False)


class FlytePlatform(Closing):
    """A platform that takes access tokens in a header of its choice, and says how to get them.

    ``IdentityService.UserInfo`` over gRPC and ``GET /me`` over HTTP say who asks.

    Parameters
    ----------
    verifier
        Checks the tokens.
    metadata
        What it says of its authorization server, in the names of RFC 8414.
    client
        What it says of its public client, over what flyteadmin says unless it is told otherwise.
    speaks
        In which ways it says so: ``grpc`` (Flyte 1), ``well-known`` (its documents over HTTP),
        ``connect`` (Flyte 2), ``protected-resource`` (RFC 9728). Without any of the last three,
        HTTP is not spoken at all.
    port
        Where to listen; any by default.
    tls
        What to serve with; plain text without.
    services
        Adds services of its callers' own to the gRPC server. Their calls need a token, too.

    Attributes
    ----------
    endpoint
        ``localhost:PORT``.
    received
        Every request, oldest first.
    refuse_next
        So many calls are refused whatever token they carry.

    """

    def __init__(
        self,
        verifier: Verifier,
        metadata: Mapping[str, Any],
        client: Mapping[str, Any] | None = None,
        *,
        speaks: Collection[str] = _SPEAKS,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        services: Callable[[grpc.Server], None] | None = None,
    ) -> None:
        self.verifier, self.metadata = verifier, dict(metadata)
        self.client = {
            "client_id": "flytectl",
            "redirect_uri": REDIRECT_URI,
            "scopes": ["all", "offline"],
            "authorization_metadata_key": "flyte-authorization",
            **(client or {}),
        }
        self.speaks = frozenset(speaks)
        self.received: list[Received] = []
        self.refuse_next = 0
        with ExitStack() as ends:
            grpc_port = self._start_grpc(ends, services)
            http_port = None if self.speaks <= {"grpc"} else self._start_http(ends)
            ingress = ends.enter_context(Ingress(grpc_port, http_port, port=port, tls=tls))
            self._ends = ends.pop_all()
        self.endpoint = f"localhost:{ingress.port}"
        self.url = f"{'https' if tls else 'http'}://{self.endpoint}"

    def close(self) -> None:
        """Stop it."""
        self._ends.close()

    def names(self) -> list[str]:
        """Return what was asked for, oldest first."""
        return [each.name for each in self.received]

    @property
    def header(self) -> str:
        """The header that tokens come in."""
        return str(self.client["authorization_metadata_key"])

    def who(self, headers: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the claims of the token in a request; None where there is none that holds."""
        scheme, _, token = headers.get(self.header, "").partition(" ")
        if scheme != "Bearer" or self.refuse_next:
            self.refuse_next = max(0, self.refuse_next - 1)
            return None
        try:
            return self.verifier.claims(token)
        except (JoseError, ValueError):
            return None

    def _start_grpc(self, ends: ExitStack, services: Callable[[grpc.Server], None] | None) -> int:
        pool = ends.enter_context(ThreadPoolExecutor(8))
        server = grpc.server(pool, interceptors=[_Guard(self)])
        if "grpc" in self.speaks:
            auth_pb2_grpc.add_AuthMetadataServiceServicer_to_server(_AuthMetadata(self), server)
        identity_pb2_grpc.add_IdentityServiceServicer_to_server(_Identity(self), server)
        if services is not None:
            services(server)
        port: int = server.add_insecure_port("127.0.0.1:0")
        server.start()
        ends.callback(lambda: server.stop(None).wait())
        return port

    def _start_http(self, ends: ExitStack) -> int:
        server = make_server(
            "127.0.0.1", 0, _Http(self), server_class=_Server, handler_class=_Handler
        )
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        ends.callback(server.server_close)
        ends.callback(server.shutdown)
        return server.server_port


# gRPC


class _Guard(grpc.ServerInterceptor):
    """Lets nobody call anything without a token but what says how to get one."""

    def __init__(self, platform: FlytePlatform) -> None:
        self._platform = platform

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        headers = dict(details.invocation_metadata)
        anonymous = details.method.startswith(_ANONYMOUS)
        known = anonymous or self._platform.who(headers) is not None
        status = "OK" if known else "UNAUTHENTICATED"
        self._platform.received.append(Received(details.method, status, headers))
        handler = continuation(details)
        if known or handler is None:
            return handler
        return _HANDLERS[handler.request_streaming, handler.response_streaming](_refuse)


def _refuse(_request: Any, context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "token parse error")


_HANDLERS: Final = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


class _AuthMetadata(auth_pb2_grpc.AuthMetadataServiceServicer):
    def __init__(self, platform: FlytePlatform) -> None:
        self._platform = platform

    def GetOAuth2Metadata(  # noqa: N802 - its name there
        self, _request: Any, _context: Any
    ) -> auth_pb2.OAuth2MetadataResponse:
        return _message(auth_pb2.OAuth2MetadataResponse, self._platform.metadata)

    def GetPublicClientConfig(  # noqa: N802 - its name there
        self, _request: Any, _context: Any
    ) -> auth_pb2.PublicClientAuthConfigResponse:
        return _message(auth_pb2.PublicClientAuthConfigResponse, self._platform.client)


class _Identity(identity_pb2_grpc.IdentityServiceServicer):
    def __init__(self, platform: FlytePlatform) -> None:
        self._platform = platform

    def UserInfo(  # noqa: N802 - its name there
        self, _request: Any, context: grpc.ServicerContext
    ) -> identity_pb2.UserInfoResponse:
        claims = self._platform.who(dict(context.invocation_metadata())) or {}
        return identity_pb2.UserInfoResponse(
            subject=claims.get("sub", ""), email=claims.get("email", "")
        )


def _message(kind: Any, said: Mapping[str, Any]) -> Any:
    known = {each.name for each in kind.DESCRIPTOR.fields}
    return kind(**{name: value for name, value in said.items() if name in known})


# HTTP


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean; `FlytePlatform.received` has it all."""


class _Connect(AuthMetadataServiceSync):
    """The service of Flyte 2."""

    def __init__(self, platform: FlytePlatform) -> None:
        self._platform = platform

    def get_o_auth2_metadata(
        self, _request: Any, _ctx: Any
    ) -> auth_service_pb2.GetOAuth2MetadataResponse:
        return _message(auth_service_pb2.GetOAuth2MetadataResponse, self._platform.metadata)

    def get_public_client_config(
        self, _request: Any, _ctx: Any
    ) -> auth_service_pb2.GetPublicClientConfigResponse:
        return _message(auth_service_pb2.GetPublicClientConfigResponse, self._platform.client)


class _Http:
    """The HTTP face (PEP 3333)."""

    def __init__(self, platform: FlytePlatform) -> None:
        self._platform = platform
        self._connect: WSGIApplication = AuthMetadataServiceWSGIApplication(_Connect(platform))

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }

        def noting(status: str, fields: list[tuple[str, str]], *more: Any) -> Any:
            self._platform.received.append(Received(path, status.partition(" ")[0], headers))
            return start(status, fields, *more)

        if "connect" in self._platform.speaks and path.startswith("/flyteidl2."):
            return self._connect(environ, noting)
        status, document = self._answer(path, headers)
        noting(status, [("Content-Type", "application/json")])
        return [json.dumps(document).encode()]

    def _answer(self, path: str, headers: Mapping[str, str]) -> tuple[str, Any]:
        document = self._documents().get(path)
        if document is not None:
            return "200 OK", document
        claims = self._platform.who(headers)
        if claims is None:
            return "401 Unauthorized", {"error": "token parse error"}
        if path != "/me":
            return "404 Not Found", {"error": "no such thing"}
        return "200 OK", {"subject": claims["sub"], "email": claims.get("email", "")}

    def _documents(self) -> dict[str, Any]:
        """Return what anybody may read."""
        platform, found = self._platform, dict[str, Any]()
        if "well-known" in platform.speaks:
            found["/.well-known/oauth-authorization-server"] = platform.metadata
            found["/config/v1/flyte_client"] = platform.client
        if "protected-resource" in platform.speaks:
            found["/.well-known/oauth-protected-resource"] = {
                "resource": platform.url,
                "authorization_servers": [platform.metadata["issuer"]],
            }
        return found
