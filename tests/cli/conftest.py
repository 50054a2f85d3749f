"""A sandbox, the two kinds of broker a command can meet, and a person with a browser."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import pytest

import platform_auth
from platform_auth.broker.attempt import Binding
from platform_auth.broker.broker import Broker
from platform_auth.broker.listener import Listener
from platform_auth.broker.local import local_client
from platform_auth.broker.redirects import Redirects
from platform_auth.cli import main
from platform_auth.config import Profiles
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

T = TypeVar("T")
LOGIN_PATH = "/a%40b/platform-auth/login"
PATIENCE = 20.0


@dataclass(frozen=True)
class Outcome:
    """What a command ended with, and what it wrote."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def _running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running_sandbox: Sandbox) -> Sandbox:
    """Return a provider and a platform to sign in to."""
    return _running_sandbox


@pytest.fixture
def profiles_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that writes the user's profiles and makes them the ones in use."""

    def write(shape: dict[str, Any] | str) -> Path:
        path = tmp_path / "profiles.yaml"
        path.write_text(shape if isinstance(shape, str) else json.dumps(shape), encoding="utf-8")
        path.chmod(0o600)
        monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(path))
        return path

    return write


@pytest.fixture
def demo(sandbox: Sandbox, profiles_file: Callable[..., Path]) -> Path:
    """Return the file that holds the sandbox's profiles."""
    return profiles_file({"default": "demo", "profiles": sandbox.profiles()})


class Server:
    """What a Jupyter server is to a terminal: a broker behind a socket, and a sign-in page."""

    def __init__(self, directory: Path, sandbox: Sandbox) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._sandbox = sandbox
        self._directory = directory
        self._run(self._begin())

    async def _begin(self) -> None:
        self.broker = Broker(Profiles(), Redirects(login_path=LOGIN_PATH))
        self._listener = Listener(self.broker, self._directory)
        self._listener.start()

    @property
    def environment(self) -> dict[str, str]:
        return self._listener.environment

    def _run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(PATIENCE)

    def state(self, name: str = "demo") -> str:
        return self._run(self.broker.session(name)).state.value

    def visit(self, name: str = "demo", *, approve: bool = True) -> None:
        """Go to the sign-in page of a profile as a browser would, and come back from it."""
        binding = Binding(browser="a browser")
        back = "http://127.0.0.1:1/a%40b/platform-auth/callback"
        url = self._run(self.broker.begin(name, back, binding))
        answer = self._sandbox.sign_in_scripted(url, approve=approve)
        if approve:
            self._run(self.broker.complete(answer, binding))
        else:
            with pytest.raises(platform_auth.PlatformAuthError):
                self._run(self.broker.complete(answer, binding))

    def stop(self) -> None:
        async def end() -> None:
            self._listener.stop()
            await self.broker.close()

        self._run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


@pytest.fixture
def server(
    demo: Path, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """Be in a terminal of a Jupyter server."""
    running = Server(tmp_path / "runtime", sandbox)
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUPYTER_SERVER_URL", "http://127.0.0.1:8888/a%40b/")
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _own_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin with no broker in this process, and where no browser can be opened."""
    local_client.cache_clear()
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    yield
    local_client.cache_clear()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs a command in this process."""

    def ran(*arguments: str) -> Outcome:
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as end:  # argparse's own way out
            status = int(end.code or 0)
        return Outcome(status, *capsys.readouterr())

    return ran


@dataclass
class Command:
    """The command line as a process of its own."""

    process: subprocess.Popen[str]
    seen: list[str] = field(default_factory=list)

    def line(self, wanted: str) -> str:
        """Return the first line of its output that begins so."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.seen.append(line)
            if line.startswith(wanted):
                return line.rstrip("\n")
        msg = f"no line begins with {wanted!r}: {self.seen} {self.end()}"
        raise AssertionError(msg)

    def say(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def end(self) -> Outcome:
        """Wait for it to end."""
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        process.stdin.close()
        out, err = process.stdout.read(), process.stderr.read()
        status = process.wait()
        watchdog.cancel()
        return Outcome(status, "".join(self.seen) + out, err)


@pytest.fixture
def start() -> Iterator[Callable[..., Command]]:
    """Return a function that starts a command as a process."""
    started: list[subprocess.Popen[str]] = []

    def begun(*arguments: str, options: tuple[str, ...] = (), **env: str) -> Command:
        root = str(Path(platform_auth.__file__).parents[1])
        module = () if "-c" in options else ("-m", "platform_auth.cli")
        process = subprocess.Popen(
            [sys.executable, *options, *module, *arguments],
            env={**os.environ, "PYTHONPATH": root, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return Command(process)

    yield begun
    for process in started:
        process.kill()
        with process:  # closes its pipes
            pass


@pytest.fixture
def browse(sandbox: Sandbox) -> Callable[..., httpx2.Response]:
    """Return a function that goes from the provider's page back to the waiting program."""

    def go(url: str, *, approve: bool = True) -> httpx2.Response:
        answer = sandbox.sign_in_scripted(url, approve=approve)
        assert urlsplit(answer).hostname == "127.0.0.1"
        return httpx2.get(answer, trust_env=False)

    return go
