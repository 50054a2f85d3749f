from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_core.utils import ensure_async

from harness.polling import wait_until
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.errors import BrokerRefusedError, BrokerUnavailableError, PolicyError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterator

    from jupyter_server.serverapp import ServerApp

    from platform_auth.server.app import PlatformAuth

ADDRESS, TOKEN_FILE = "PLATFORM_AUTH_BROKER", "PLATFORM_AUTH_BROKER_TOKEN_FILE"

# As much of a kernel as is needed here: it says what environment it got, and lives until killed.
KERNEL = """
import json, os, sys, time
with open(sys.argv[2], "w") as file:
    json.dump(dict(os.environ), file)
os.replace(sys.argv[2], sys.argv[1])
time.sleep(600)
"""
KINDS = ("scratch", "trusted")


class Kernels:
    """Starts kernels on a server and tells what they got."""

    def __init__(self, server: ServerApp, said: Path) -> None:
        self.manager, self._said = server.kernel_manager, said

    async def start(self, kind: str = "trusted", **given: Any) -> tuple[str, BrokerClient]:
        kernel_id = await ensure_async(self.manager.start_kernel(kernel_name=kind, **given))
        return kernel_id, self.client(await self.environment())

    async def environment(self) -> dict[str, str]:
        """Return the environment of the kernel that has started last."""
        return await asyncio.to_thread(self._environment)

    def _environment(self) -> dict[str, str]:
        wait_until(self._said.exists, "the kernel")
        found: dict[str, str] = json.loads(self._said.read_text())
        self._said.unlink()
        return found

    async def stop(self) -> None:
        for kernel_id in self.manager.list_kernel_ids():
            await ensure_async(self.manager.shutdown_kernel(kernel_id, now=True))

    @staticmethod
    def client(environment: dict[str, str]) -> BrokerClient:
        return BrokerClient(SocketChannel(environment[ADDRESS], environment[TOKEN_FILE]))


@pytest.fixture
def kernels(
    extension: PlatformAuth,
    jp_serverapp: ServerApp,
    jp_asyncio_loop: AbstractEventLoop,
    jp_data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Kernels]:
    said = tmp_path / "environment.json"
    for kind in KINDS:
        directory = jp_data_dir / "kernels" / kind
        directory.mkdir(parents=True)
        argv = [sys.executable, "-c", KERNEL, str(said), f"{said}.part"]
        spec = {"argv": argv, "display_name": kind, "language": "python"}
        (directory / "kernel.json").write_text(json.dumps(spec))
    kernels = Kernels(jp_serverapp, said)
    # These never speak, and a socket that has listened to one takes a second to close.
    monkeypatch.setattr(kernels.manager, "start_watching_activity", lambda _kernel_id: None)
    yield kernels
    jp_asyncio_loop.run_until_complete(kernels.stop())


def file_of(client: BrokerClient) -> Path:
    return Path(client._channel.token_file)  # type: ignore[attr-defined]


async def ask(client: BrokerClient) -> Any:
    return await asyncio.to_thread(client.profiles)


async def test_each_kernel_has_a_key_of_its_own(kernels: Kernels) -> None:
    clients = [(await kernels.start())[1] for _ in range(2)]
    files = {*(file_of(client) for client in clients), Path(os.environ[TOKEN_FILE])}
    assert len(files) == len({file.read_text() for file in files}) == 3
    for client in clients:
        assert (await ask(client))["default"] == "demo"


async def test_it_holds_no_secret_and_all_else_of_the_servers(
    kernels: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMETHING", "else")
    await ensure_async(kernels.manager.start_kernel(kernel_name="trusted"))
    environment = await kernels.environment()
    key = file_of(kernels.client(environment)).read_text()
    assert not [name for name, value in environment.items() if key in value]
    assert environment["SOMETHING"] == "else"


async def test_what_a_session_gives_a_kernel_it_gets(kernels: Kernels) -> None:
    given = {**os.environ, "JPY_SESSION_NAME": "a.ipynb"}
    await ensure_async(kernels.manager.start_kernel(kernel_name="trusted", env=given))
    environment = await kernels.environment()
    assert environment["JPY_SESSION_NAME"] == "a.ipynb"
    assert environment[TOKEN_FILE] != os.environ[TOKEN_FILE]


async def shut_down(kernels: Kernels, kernel_id: str) -> None:
    await ensure_async(kernels.manager.shutdown_kernel(kernel_id, now=True))


async def die(kernels: Kernels, kernel_id: str) -> None:
    """Give a kernel up that cannot be started again, as Jupyter's restarter does."""
    await ensure_async(kernels.manager.get_kernel(kernel_id).shutdown_kernel(now=True))
    kernels.manager._handle_kernel_died(kernel_id)


@pytest.mark.parametrize("end", [shut_down, die])
async def test_a_key_ends_with_its_kernel(
    kernels: Kernels, tmp_path: Path, end: Callable[[Kernels, str], Any]
) -> None:
    kernel_id, client = await kernels.start()
    (tmp_path / "copy").write_text(file_of(client).read_text())
    copied = BrokerClient(SocketChannel(os.environ[ADDRESS], str(tmp_path / "copy")))
    await ask(copied)
    await end(kernels, kernel_id)
    with pytest.raises(BrokerUnavailableError):
        await ask(client)
    with pytest.raises(BrokerRefusedError, match="does not know"):
        await ask(copied)


async def test_a_kernel_that_is_restarted_keeps_its_own(kernels: Kernels) -> None:
    kernel_id, before = await kernels.start()
    # As when its notebook is renamed: the session hands the server's environment on.
    kernels.manager.update_env(kernel_id=kernel_id, env={**os.environ, "JPY_SESSION_NAME": "b"})
    await ensure_async(kernels.manager.restart_kernel(kernel_id, now=True))
    environment = await kernels.environment()
    assert environment["JPY_SESSION_NAME"] == "b"
    assert environment[TOKEN_FILE] == str(file_of(before))
    await ask(before)


async def test_a_kernel_that_does_not_start_leaves_no_key(
    kernels: Kernels, extension: PlatformAuth
) -> None:
    directory = Path(os.environ[TOKEN_FILE]).parent
    before = set(directory.iterdir())
    with pytest.raises(Exception, match="nobody"):
        await ensure_async(kernels.manager.start_kernel(kernel_name="nobody"))
    assert set(directory.iterdir()) == before


async def test_a_kernel_whose_key_cannot_be_written_starts_without(
    kernels: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("platform_auth.broker.handles._write_private", full)
    await ensure_async(kernels.manager.start_kernel(kernel_name="trusted"))
    assert (await kernels.environment())[TOKEN_FILE] == ""


async def test_one_that_runs_already_is_not_started_again(kernels: Kernels) -> None:
    kernel_id, client = await kernels.start()
    assert await ensure_async(kernels.manager.start_kernel(kernel_id=kernel_id)) == kernel_id
    await ask(client)


class TestLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"kernel_profiles": {"scratch": ["other"], "*": ["demo"]}}

    async def test_a_kind_of_kernel_may_use_what_the_administrator_says(
        self, kernels: Kernels
    ) -> None:
        _, scratch = await kernels.start("scratch")
        _, trusted = await kernels.start("trusted")
        assert [view["profile"] for view in (await ask(scratch))["profiles"]] == []
        assert [view["profile"] for view in (await ask(trusted))["profiles"]] == ["demo"]
        with pytest.raises(PolicyError, match="demo"):
            await asyncio.to_thread(scratch.token, "demo")


async def test_when_the_extension_stops_the_manager_is_as_it_was(
    extension: PlatformAuth, jp_serverapp: ServerApp
) -> None:
    assert "start_kernel" in vars(jp_serverapp.kernel_manager)
    await extension.stop_extension()
    assert not {"start_kernel", "update_env", "remove_kernel"} & set(
        vars(jp_serverapp.kernel_manager)
    )
