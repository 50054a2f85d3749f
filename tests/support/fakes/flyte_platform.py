"""Platforms that the real flytekit and the real Flyte 2 SDK take for Flyte.

The wire is the real one, from the published protocol packages (flyteidl over gRPC, flyteidl2 over
Connect); what the services answer is little. They take the tokens they are told to.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import grpc
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from flyteidl.admin import launch_plan_pb2, project_pb2
from flyteidl.core import identifier_pb2
from flyteidl.service import (
    admin_pb2_grpc,
    auth_pb2,
    auth_pb2_grpc,
    identity_pb2,
    identity_pb2_grpc,
)
from flyteidl2.auth import identity_connect
from flyteidl2.auth import identity_pb2 as identity2_pb2
from flyteidl2.project import project_service_connect, project_service_pb2

from platform_auth.config import PlatformConfig
from platform_auth.testing.clients import Platform

from .certificates import authority

if TYPE_CHECKING:
    from collections.abc import Iterator

ANONYMOUS = "/flyteidl.service.AuthMetadataService/"
PROJECTS = ("flytesnacks", "forecasts")


@dataclass
class FlytePlatform(Platform):
    """What a platform takes, and what it was sent, with what it takes to reach it.

    Attributes
    ----------
    ca
        The file with the authority that its certificate is of.
    metadata
        What it says of its authorization server (Flyte's first protocol), in RFC 8414's names.

    """

    ca: Path = Path()
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """``localhost:PORT``."""
        return self.config.endpoint

    def served_at(self, port: int) -> None:
        """Take note of where it is."""
        self.config = PlatformConfig(f"localhost:{port}", ca_cert_file_path=str(self.ca))


@contextmanager
def flyte_platform(directory: Path) -> Iterator[FlytePlatform]:
    """Serve Flyte's first protocol, with TLS."""
    platform = _platform(directory)
    authority().server(directory)
    pem = (directory / "server.pem").read_bytes()
    server = grpc.server(ThreadPoolExecutor(16), interceptors=(_Authenticated(platform),))
    admin_pb2_grpc.add_AdminServiceServicer_to_server(_Admin(), server)
    identity_pb2_grpc.add_IdentityServiceServicer_to_server(_Identity(), server)
    auth_pb2_grpc.add_AuthMetadataServiceServicer_to_server(_AuthMetadata(platform), server)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pem, pem)]))
    platform.served_at(port)
    server.start()
    try:
        yield platform
    finally:
        server.stop(None).wait()


class _Authenticated(grpc.ServerInterceptor):
    def __init__(self, platform: FlytePlatform) -> None:
        self._platform = platform

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        if details.method.startswith(ANONYMOUS):
            return continuation(details)
        if self._platform.takes(dict(details.invocation_metadata).get(self._platform.header)):
            return continuation(details)

        def refuse(_: Any, context: grpc.ServicerContext) -> None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "token parse error")

        return grpc.unary_unary_rpc_method_handler(refuse)


class _Admin(admin_pb2_grpc.AdminServiceServicer):
    def ListProjects(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
        return project_pb2.Projects(
            projects=[project_pb2.Project(id=each, name=each) for each in PROJECTS]
        )

    def ListLaunchPlans(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
        name = identifier_pb2.Identifier(
            resource_type=identifier_pb2.LAUNCH_PLAN,
            project=request.id.project,
            domain=request.id.domain,
            name="forecast",
            version="v1",
        )
        return launch_plan_pb2.LaunchPlanList(launch_plans=[launch_plan_pb2.LaunchPlan(id=name)])

    ListActiveLaunchPlans = ListLaunchPlans


class _AuthMetadata(auth_pb2_grpc.AuthMetadataServiceServicer):
    def __init__(self, platform: FlytePlatform) -> None:
        self._platform = platform

    def GetOAuth2Metadata(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
        return auth_pb2.OAuth2MetadataResponse(**self._platform.metadata)

    def GetPublicClientConfig(  # noqa: N802 - the protocol's
        self, request: Any, context: Any
    ) -> Any:
        header = self._platform.header
        return auth_pb2.PublicClientAuthConfigResponse(authorization_metadata_key=header)


class _Identity(identity_pb2_grpc.IdentityServiceServicer):
    def UserInfo(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
        return identity_pb2.UserInfoResponse(subject="ada", email="ada@example.com")


@contextmanager
def flyte2_platform(directory: Path) -> Iterator[FlytePlatform]:
    """Serve Flyte's second protocol, with TLS."""
    platform = _platform(directory)
    server = make_server("127.0.0.1", 0, _bounded(_flyte2(platform)), _Server, _Quiet)
    server.socket = authority().server(directory).wrap_socket(server.socket, server_side=True)
    platform.served_at(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _flyte2(platform: FlytePlatform) -> Any:
    """Return the application that has both services of Flyte 2 that there are here."""
    who = identity_connect.IdentityServiceWSGIApplication(_Identity2(platform))
    projects = project_service_connect.ProjectServiceWSGIApplication(_Projects2(platform))

    def either(environ: dict[str, Any], start_response: Any) -> Any:
        is_of_projects = environ["PATH_INFO"].startswith("/flyteidl2.project.")
        return (projects if is_of_projects else who)(environ, start_response)

    return either


def _bounded(application: Any) -> Any:
    """Let an application read no further than a request's body: wsgiref would wait for more."""

    def bounded(environ: dict[str, Any], start_response: Any) -> Any:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))
        return application(environ, start_response)

    return bounded


class _Service2:
    def __init__(self, platform: FlytePlatform) -> None:
        self._platform = platform

    def check(self, context: Any) -> None:
        headers = {name.lower(): value for name, value in context.request_headers().items()}
        if not self._platform.takes(headers.get(self._platform.header)):
            raise ConnectError(Code.UNAUTHENTICATED, "token parse error")


class _Projects2(_Service2, project_service_connect.ProjectServiceSync):
    def list_projects(self, request: Any, context: Any) -> Any:
        self.check(context)
        projects = [project_service_pb2.Project(id=each, name=each) for each in PROJECTS]
        return project_service_pb2.ListProjectsResponse(
            projects=project_service_pb2.Projects(projects=projects)
        )


class _Identity2(_Service2):
    def user_info(self, request: Any, context: Any) -> Any:
        self.check(context)
        return identity2_pb2.UserInfoResponse(subject="ada", email="ada@example.com")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _platform(directory: Path) -> FlytePlatform:
    ca = directory / "ca.pem"
    ca.write_bytes(authority().pem)
    return FlytePlatform(ca=ca)
