"""What authentication adds to a call, beside what flytekit's own chain adds, in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import httpx2
import pytest
from flyteidl.admin import project_pb2
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flytekit.clients.auth.authenticator import Authenticator
from flytekit.clients.auth_helper import register_authenticator_plugin
from flytekit.clients.friendly import SynchronousFlyteClient
from flytekit.configuration import PlatformConfig as FlytePlatformConfig

from fakes.flyte_platform import FlytePlatform, flyte_platform
from platform_auth.clients.grpc import channel
from platform_auth.clients.http import http_client
from platform_auth.testing.clients import RenewingTokens, http_platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Bench

REQUEST = project_pb2.ProjectListRequest(limit=10)
TOKEN = (("authorization", "Bearer token-1"),)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FlytePlatform]:
    with flyte_platform(tmp_path) as served:
        yield served


class Static(Authenticator):
    """The least that flytekit's chain can ask for a token."""

    def __init__(self, config: FlytePlatformConfig, _: object) -> None:
        super().__init__(config.endpoint, None)

    def fetch_grpc_call_auth_metadata(self) -> tuple[str, str]:
        return TOKEN[0]

    def refresh_credentials(self) -> None:
        raise AssertionError("no token is refused here")


def flytekits_own(platform: FlytePlatform) -> SynchronousFlyteClient:
    register_authenticator_plugin("static", Static)
    return SynchronousFlyteClient(
        FlytePlatformConfig(
            endpoint=platform.config.endpoint,
            ca_cert_file_path=str(platform.ca),
            auth_mode="static",
        )
    )


def test_a_grpc_call(bench: Bench, platform: FlytePlatform) -> None:
    credentials = grpc.ssl_channel_credentials(platform.ca.read_bytes())
    with (
        grpc.secure_channel(platform.config.endpoint, credentials) as bare,
        channel(platform.config, RenewingTokens()) as ours,
    ):
        plain, signed = (AdminServiceStub(each) for each in (bare, ours))
        theirs = flytekits_own(platform)._stub
        floor = bench.call("gRPC call: bare", lambda: plain.ListProjects(REQUEST, metadata=TOKEN))
        mine = bench.call("gRPC call: ours", lambda: signed.ListProjects(REQUEST))
        peer = bench.call("gRPC call: flytekit's chain", lambda: theirs.ListProjects(REQUEST))
    bench.limit("ours over bare", mine - floor, at_most=200e-6)
    bench.limit("flytekit's over bare", peer - floor, at_most=1)
    bench.limit("ours over flytekit's", mine - peer, at_most=20e-6)


def test_an_http_call(bench: Bench) -> None:
    with (
        http_platform() as platform,
        httpx2.Client(base_url=platform.config.base_url, headers=dict(TOKEN)) as bare,
        http_client(platform.config, RenewingTokens()) as ours,
    ):
        floor = bench.call("HTTP call: bare httpx2", lambda: bare.get("/x"))
        mine = bench.call("HTTP call: ours", lambda: ours.get("/x"))
    bench.limit("ours over bare", mine - floor, at_most=200e-6)
