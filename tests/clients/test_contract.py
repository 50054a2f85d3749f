"""Every client of ours keeps the contract that others are held to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flyte.remote
import pytest
import requests

from fakes.flyte_platform import flyte2_platform, flyte_platform
from platform_auth.clients import make_client
from platform_auth.testing.clients import ClientContract

if TYPE_CHECKING:
    from pathlib import Path

    from platform_auth.connection import Connection


class TestHttpClient(ClientContract):
    def make(self, connection: Connection) -> Any:
        return make_client("http", connection)

    def call(self, client: Any) -> None:
        client.get("/x").raise_for_status()


class TestRequestsSession(ClientContract):
    def make(self, connection: Connection) -> Any:
        session = connection.authenticate(requests.Session())
        session.base = connection.config.base_url  # type: ignore[attr-defined]
        return session

    def call(self, client: Any) -> None:
        client.get(f"{client.base}/x").raise_for_status()


class _Placed(ClientContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.directory = tmp_path


class TestGrpcChannel(_Placed):
    def serve(self) -> Any:
        return flyte_platform(self.directory)

    def make(self, connection: Connection) -> Any:
        return make_client("grpc", connection)

    def call(self, client: Any) -> None:
        client.unary_unary("/flyteidl.service.IdentityService/UserInfo")(b"", timeout=10)


class TestFlytekit(_Placed):
    def serve(self) -> Any:
        return flyte_platform(self.directory)

    @pytest.fixture(autouse=True)
    def _one_profile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch

    def make(self, connection: Connection) -> Any:
        # flytekit makes its authenticator itself, which then connects by the profile's name
        self.patch.setattr("platform_auth.clients.flytekit.connect", lambda _: connection)
        return make_client("flytekit", connection)

    def call(self, client: Any) -> None:
        client.client.list_projects_paginated()


class TestFlyte2(_Placed):
    def serve(self) -> Any:
        return flyte2_platform(self.directory)

    def make(self, connection: Connection) -> Any:
        return make_client("flyte", connection)

    def call(self, client: Any) -> None:
        assert client.remote is flyte.remote
        flyte.remote.User.get()
