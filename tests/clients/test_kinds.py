from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.grpc_platform import grpc_platform
from fakes.token_source import RenewingSource
from platform_auth import clients
from platform_auth.clients import make_client
from platform_auth.config import PlatformConfig
from platform_auth.connection import Connection
from platform_auth.errors import ConfigError


def connection(target: str) -> Connection:
    made = Connection(SimpleNamespace(), "prod")  # type: ignore[arg-type] # nobody asks it
    made._config = PlatformConfig(target, insecure=True)
    made.tokens = RenewingSource()  # type: ignore[assignment] # all a client knows
    return made


def test_a_grpc_client_is_an_authenticated_channel() -> None:
    with grpc_platform() as platform, make_client("grpc", connection(platform.target)) as made:
        assert made.unary_unary("/echo/unary_unary")(b"hello", timeout=10) == b"hello"
    assert platform.calls[0]["authorization"] == "Bearer token-1"


@pytest.mark.parametrize(
    ("view", "installed", "kind"),
    [
        ({"client": "grpc", "source": "flyte"}, {"flytekit"}, "grpc"),
        ({"client": None, "source": "flyte"}, {"flytekit", "flyte"}, "flytekit"),
        ({"client": None, "source": "flyte"}, {"flyte"}, "flyte"),
        ({"client": None, "source": "flyte"}, set(), "http"),
        ({"client": None, "source": "user"}, {"flytekit", "flyte"}, "http"),
        ({"client": None, "source": "user", "speaks": None}, {"flytekit"}, "http"),
        ({"client": None, "source": "user", "speaks": "flyte"}, {"flytekit", "flyte"}, "flytekit"),
        ({"client": None, "source": "user", "speaks": "flyte"}, {"flyte"}, "flyte"),
        ({"client": None, "source": "user", "speaks": "flyte2"}, {"flytekit", "flyte"}, "flyte"),
        ({"client": None, "source": "flyte", "speaks": "flyte2"}, {"flytekit"}, "http"),
        ({"client": "http", "source": "user", "speaks": "flyte"}, {"flytekit"}, "http"),
    ],
)
def test_the_client_is_the_profiles_or_what_fits_the_platform(
    monkeypatch: pytest.MonkeyPatch, view: dict[str, Any], installed: set[str], kind: str
) -> None:
    monkeypatch.setattr(clients, "find_spec", lambda name: name in installed)
    assert clients.kind_for(view) == kind


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("platform_auth.clients.grpc")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(ConfigError, match="kind grpc need grpc") as raised:
        connection("flyte.example.com").grpc_channel()
    assert "platform-auth[grpc]" in raised.value.fix
