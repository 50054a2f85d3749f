"""Every client of ours keeps the contract that others are held to."""

from __future__ import annotations

import sys
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


class TestClientOfAnotherPackage(ClientContract):
    """One that is installed as packages are: a module, and an entry point in its metadata."""

    MODULE = """
class Jobs:
    def __init__(self, connection):
        self._http = connection.http()

    def list_jobs(self):
        return self._http.get("/jobs").raise_for_status().json()
"""

    @pytest.fixture(autouse=True)
    def _install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        metadata = tmp_path / "somebodys_jobs-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Name: somebodys-jobs\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(
            "[platform_auth.clients]\njobs = somebodys_jobs:Jobs\n"
        )
        (tmp_path / "somebodys_jobs.py").write_text(self.MODULE)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "somebodys_jobs", raising=False)

    def make(self, connection: Connection) -> Any:
        return make_client("jobs", connection)

    def call(self, client: Any) -> None:
        client.list_jobs()


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
