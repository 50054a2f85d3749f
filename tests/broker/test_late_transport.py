from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.late_transport import LateTransport
from platform_auth.config import PlatformConfig
from platform_auth.errors import ConfigError
from platform_auth.oauth import transport
from platform_auth.oauth.steps import Request, Response

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = Request("GET", "https://id.example.com/")


class Counting:
    made = 0

    def __init__(self, config: PlatformConfig) -> None:
        type(self).made += 1

    async def send(self, request: Request) -> Response:
        return Response(200, {}, b"", request.url)


def test_the_transport_is_made_once_and_for_the_first_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Counting, "made", 0)
    monkeypatch.setattr(transport, "Transport", Counting)
    late = LateTransport(PlatformConfig.for_endpoint("flyte.example.com"))
    assert Counting.made == 0

    for _ in range(2):
        assert asyncio.run(late.send(REQUEST)).url == REQUEST.url
    assert Counting.made == 1


def test_a_wrong_setting_is_told_with_the_first_request(tmp_path: Path) -> None:
    config = PlatformConfig("flyte.example.com", ca_cert_file_path=str(tmp_path / "none.pem"))

    with pytest.raises(ConfigError):
        asyncio.run(LateTransport(config).send(REQUEST))
