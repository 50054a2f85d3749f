from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.broker import listener
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.errors import BrokerRefusedError, BrokerUnavailableError
from platform_auth.server.kernel_face import KernelFace

if TYPE_CHECKING:
    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox
    from platform_auth.server.app import PlatformAuth

ADDRESS, TOKEN_FILE = "PLATFORM_AUTH_BROKER", "PLATFORM_AUTH_BROKER_TOKEN_FILE"


def _place() -> Any:
    return Path(os.environ[ADDRESS].removeprefix("unix://"))


def _mode(path: str) -> Any:
    return stat.S_IMODE(path.stat().st_mode)


def _secret() -> str:
    return Path(os.environ[TOKEN_FILE]).read_text(encoding="ascii")


def _client() -> Any:
    return BrokerClient(SocketChannel(os.environ[ADDRESS], os.environ[TOKEN_FILE]))


async def test_a_kernel_gets_the_token_that_the_browser_never_sees(
    browser: Any, sandbox: Sandbox, broker: Broker
) -> None:
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    token = await asyncio.to_thread(_client().token, "demo")

    assert token.value == (await broker.token("demo")).value


async def test_socket_and_secret_are_the_users_alone(extension: PlatformAuth) -> None:
    assert _place().is_socket()
    assert _mode(_place()) == 0o600
    assert _mode(Path(os.environ[TOKEN_FILE])) == 0o600


async def test_the_environment_holds_places_and_no_secret(extension: PlatformAuth) -> None:
    secret = _secret()

    assert len(secret) >= 43
    assert not [name for name, value in os.environ.items() if secret in value]


async def test_when_it_stops_nothing_is_left(extension: PlatformAuth) -> None:
    places = [_place(), Path(os.environ[TOKEN_FILE])]
    await extension.stop_extension()

    assert not [place for place in places if place.exists()]
    assert ADDRESS not in os.environ
    assert TOKEN_FILE not in os.environ


async def test_a_server_in_a_server_gives_the_environment_back(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS, "unix:///outer")
    inner = KernelFace(broker, str(tmp_path / "inner"))
    inner.start()
    assert os.environ[ADDRESS] != "unix:///outer"

    inner.stop()
    assert os.environ[ADDRESS] == "unix:///outer"


async def test_a_wrong_secret_is_refused(extension: PlatformAuth, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("x" * 43)
    client = BrokerClient(SocketChannel(os.environ[ADDRESS], str(tmp_path / "wrong")))

    with pytest.raises(BrokerRefusedError):
        await asyncio.to_thread(client.profiles)


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1", 200), ("evil.example", 403), ("127.0.0.1.evil.example", 403)]
)
async def test_a_web_page_that_resolves_to_this_machine_is_refused(
    extension: PlatformAuth, host: str, status: int
) -> None:
    secret = _secret()
    reader, writer = await asyncio.open_unix_connection(_place())
    head = f"GET /v1/profiles HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {secret}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()

    assert int(answer.split()[1]) == status


class TestLongDirectory:
    @pytest.fixture
    def jp_runtime_dir(self, tmp_path: Path) -> Any:
        deep = tmp_path / ("d" * 60) / ("e" * 60)
        deep.mkdir(parents=True)
        return deep

    async def test_the_socket_goes_to_a_short_private_one(
        self, browser: Any, extension: PlatformAuth
    ) -> None:
        place = _place()
        assert len(os.fsencode(place)) < 100
        assert _mode(place.parent) == 0o700
        assert (await asyncio.to_thread(_client().profiles))["default"] == "demo"

        await extension.stop_extension()
        assert not place.parent.exists()


class TestNoUnixSockets:
    @pytest.fixture
    def jp_runtime_dir(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        def refuse(_path: Any) -> Any:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(listener, "_bind_private", refuse)
        (tmp_path / "run").mkdir()
        return tmp_path / "run"

    async def test_loopback_tcp_serves(self, extension: PlatformAuth) -> None:
        assert os.environ[ADDRESS].startswith("http://127.0.0.1:")
        assert (await asyncio.to_thread(_client().profiles))["default"] == "demo"
        assert len(list(Path(os.environ[TOKEN_FILE]).parent.glob("*.token"))) == 1


async def test_where_nothing_can_be_written_the_server_runs_on(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.delenv(ADDRESS)
    face = KernelFace(broker, str(tmp_path / "file" / "runtime"))
    face.start()

    assert ADDRESS not in os.environ
    face.stop()


async def test_a_stopped_server_is_said_to_be_unreachable(extension: PlatformAuth) -> None:
    client = _client()
    await extension.stop_extension()

    with pytest.raises(BrokerUnavailableError):
        await asyncio.to_thread(client.profiles)
