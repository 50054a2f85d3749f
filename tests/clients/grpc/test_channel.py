from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from fakes.certificates import authority
from fakes.grpc_platform import grpc_platform
from fakes.token_source import RenewingSource
from platform_auth.clients.grpc import aio_channel, call_credentials, channel
from platform_auth.config import PlatformConfig
from platform_auth.errors import ConfigError, SignInRequiredError, TransportError

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.certificates import Authority


def call(config: PlatformConfig, source: RenewingSource, request: bytes = b"hello") -> Any:
    with channel(config, source) as made:
        return made.unary_unary("/echo/unary_unary")(request, timeout=10)


def pem(tmp_path: Path, trusted: Authority | None = None) -> str:
    file = tmp_path / "ca.pem"
    file.write_bytes((trusted or authority()).pem)
    return str(file)


def test_without_tls_a_call_carries_the_token_too() -> None:
    with grpc_platform() as platform:
        config = PlatformConfig(platform.target, insecure=True)
        assert call(config, RenewingSource()) == b"hello"
    assert platform.calls[0]["authorization"] == "Bearer token-1"


@pytest.mark.parametrize("form", ["{}", "dns:///{}", "https://{}"])
def test_an_authority_of_ones_own_is_trusted_in_each_form_of_an_endpoint(
    tmp_path: Path, form: str
) -> None:
    with grpc_platform(authority(), tmp_path) as platform:
        endpoint = form.format(platform.target)
        config = PlatformConfig(endpoint, ca_cert_file_path=pem(tmp_path))
        assert call(config, RenewingSource("flyte-authorization")) == b"hello"
    assert platform.calls[0]["flyte-authorization"] == "Bearer token-1"


def test_what_python_trusts_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", pem(tmp_path))
    with grpc_platform(authority(), tmp_path) as platform:
        assert call(PlatformConfig(platform.target), RenewingSource()) == b"hello"


@pytest.mark.parametrize("wrong", ["authority", "elsewhere", "expired"])
def test_no_token_is_sent_to_whoever_cannot_be_trusted(tmp_path: Path, wrong: str) -> None:
    made = {} if wrong == "authority" else {wrong: True}
    ca = pem(tmp_path, authority("somebody else") if wrong == "authority" else None)
    with grpc_platform(authority(), tmp_path, **made) as platform:
        config = PlatformConfig(platform.target, ca_cert_file_path=ca)
        with pytest.raises(grpc.RpcError) as raised:
            call(config, RenewingSource())
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert platform.calls == []


@pytest.mark.parametrize("made", [{}, {"elsewhere": True}])
def test_certificates_need_not_be_checked_not_even_the_name(
    tmp_path: Path, made: dict[str, bool]
) -> None:
    with grpc_platform(authority(), tmp_path, **made) as platform:
        config = PlatformConfig(platform.target, insecure_skip_verify=True)
        assert call(config, RenewingSource()) == b"hello"


def test_a_platform_that_is_not_there_cannot_show_its_certificate() -> None:
    config = PlatformConfig("localhost:1", insecure_skip_verify=True)
    with pytest.raises(TransportError, match=r"localhost:1 could not be asked"):
        channel(config, RenewingSource())


def test_a_missing_ca_file_is_said_before_any_call(tmp_path: Path) -> None:
    config = PlatformConfig("flyte.example.com", ca_cert_file_path=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match=r"none\.pem cannot be used"):
        channel(config, RenewingSource())


def test_a_header_that_grpc_has_another_use_for_is_refused() -> None:
    with grpc_platform() as platform:
        config = PlatformConfig(platform.target, insecure=True)
        with pytest.raises(ConfigError, match="'token-bin'"):
            call(config, RenewingSource("token-bin"))


def test_options_win_over_flytekits() -> None:
    with grpc_platform() as platform:
        config = PlatformConfig(platform.target, insecure=True)
        limit = [("grpc.max_receive_message_length", 10)]
        with channel(config, RenewingSource(), limit) as made, pytest.raises(grpc.RpcError) as few:
            made.unary_unary("/echo/unary_unary")(b"x" * 100, timeout=10)
        big = b"x" * 5_000_000  # more than gRPC takes by itself
        assert call(config, RenewingSource(), big) == big
    assert few.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_asynchronous_twin_reaches_the_same_platform(tmp_path: Path) -> None:
    async def run(target: str) -> bytes:
        config = PlatformConfig(target, ca_cert_file_path=pem(tmp_path))
        async with aio_channel(config, RenewingSource()) as made:
            response: bytes = await made.unary_unary("/echo/unary_unary")(b"hello", timeout=10)
            return response

    with grpc_platform(authority(), tmp_path) as platform:
        assert asyncio.run(run(platform.target)) == b"hello"


def test_credentials_for_a_channel_of_ones_own(tmp_path: Path) -> None:
    source = RenewingSource()
    roots = grpc.ssl_channel_credentials(authority().pem)
    both = grpc.composite_channel_credentials(roots, call_credentials(source))
    with (
        grpc_platform(authority(), tmp_path) as platform,
        grpc.secure_channel(platform.target, both) as made,
    ):
        assert made.unary_unary("/echo/unary_unary")(b"hello", timeout=10) == b"hello"
        source.fault = SignInRequiredError("Nobody is signed in.")
        with pytest.raises(grpc.RpcError, match="Nobody is signed in"):
            made.unary_unary("/echo/unary_unary")(b"hello", timeout=10)
    assert platform.calls[0]["authorization"] == "Bearer token-1"
