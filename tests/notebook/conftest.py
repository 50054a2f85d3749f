"""A real broker on a real socket, a real IPython shell, and a scripted person."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from platform_auth.broker.attempt import Binding
from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.listener import Listener
from platform_auth.broker.redirects import Redirects
from platform_auth.config import Policy, Profiles
from platform_auth.errors import PlatformAuthError
from platform_auth.notebook.injection import LazyClient
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

LOGIN_PATH = "/a%40b/platform-auth/login"
CALLBACK = "http://127.0.0.1:8888/a%40b/platform-auth/callback"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        sandbox.settings.device_interval = 1
        yield sandbox


class Host:
    """A broker as a Jupyter server has it: on an event loop of its own, reached by a socket."""

    def __init__(
        self, directory: Path, profiles: dict[str, Any], default: str | None, policy: Policy
    ) -> None:
        self._directory = directory
        self._profiles = Profiles(
            admin=profiles, default=default, policy=policy, user_file=None, flyte=False
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.start()

    def start(self) -> None:
        self.broker = Broker(self._profiles, Redirects(LOGIN_PATH))
        self.listener = Listener(self.broker, self._directory, identity="host")
        self._loop.call_soon_threadsafe(self.listener.start)
        self.run(asyncio.sleep(0))

    def restart(self) -> None:
        """Be another process in the old place, as a server that is started anew is."""
        self.stop()
        self.start()

    def stop(self) -> None:
        async def end() -> None:
            self.listener.stop()
            for connection in list(self.listener._server._connections):
                connection.stream.close()  # as the end of a process does
            await self.broker.close()

        self.run(end())

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    @property
    def client(self) -> BrokerClient:
        places = self.listener.environment.values()
        return BrokerClient(SocketChannel(*places))

    def tokens(self, name: str = "demo") -> list[str]:
        """Return every secret the broker holds for a profile, in clear."""
        session = self.run(self.broker.session(name))
        if session.record is None:
            return []
        held = session.record.tokens
        return [
            each.reveal()
            for each in (held.access_token, held.refresh_token, held.id_token)
            if each is not None
        ]

    def waited_for(self, name: str = "demo") -> threading.Event:
        """Return what is set once a cell has put a sign-in before the person, and waits."""
        session, waits = self.run(self.broker.session(name)), threading.Event()
        changed = session.changed

        async def noticed(since: int, wait: float) -> None:
            if session.challenge is not None:
                waits.set()
            await changed(since, wait)

        session.changed = noticed
        return waits

    def wait_for(self, state: str, name: str = "demo") -> dict[str, Any]:
        view = self.client.session(name)
        while view["state"] != state:
            view = self.client.session(name, since=view["revision"], wait=10)
        return view


class Person:
    """Somebody at a browser, in a thread: what the server's login and callback pages do."""

    def __init__(self, host: Host, sandbox: Sandbox) -> None:
        self._host, self._sandbox = host, sandbox
        self.secrets: set[str] = set()

    def sign_in(self, name: str = "demo", *, user: str = "ada", approve: bool = True) -> None:
        """Go through the provider's pages and come back."""
        binding = Binding("browser", "ada")
        url = self._host.run(self._host.broker.begin(name, CALLBACK, binding))
        back = self._sandbox.sign_in_scripted(url, user, approve=approve)
        self.secrets |= {value for each in (url, back) for value in _one_time_values(each)}
        self._host.run(_finished(self._host.broker, back, binding))

    def approve(self, verification_uri: str) -> None:
        """Approve a device."""
        self._sandbox.approve_device_scripted(verification_uri)

    def when_asked(self, act: Callable[[], object], name: str = "demo") -> threading.Thread:
        """Act as soon as somebody waits for the person."""

        def work() -> None:
            self._host.wait_for("signing_in", name)
            try:
                act()
            except BaseException:
                self._host.client.cancel(name)  # nobody is to wait for somebody who fell over
                raise

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread


async def _finished(broker: Broker, back: str, binding: Binding) -> None:
    with contextlib.suppress(PlatformAuthError):  # the callback page and the session say so
        await broker.complete(back, binding)


def _one_time_values(url: str) -> Iterator[str]:
    found = parse_qs(urlsplit(url).query)
    for name in ("state", "nonce", "code", "code_challenge"):
        yield from found.get(name, ())


@pytest.fixture
def default_profile() -> str | None:
    """Overridden where another default, or none, is wanted."""
    return "demo"


@pytest.fixture
def profiles(sandbox: Sandbox) -> dict[str, Any]:
    """Return the sandbox's, and one that asks for little."""
    found = sandbox.profiles()
    narrow = {**found["demo"], "admin": {**found["demo"]["admin"], "scopes": ["openid", "email"]}}
    return {**found, "narrow": narrow}


@pytest.fixture
def policy() -> Policy:
    """Overridden where the administrator forbids something."""
    return Policy()


@pytest.fixture
def host(
    tmp_path: Path,
    profiles: dict[str, Any],
    default_profile: str | None,
    policy: Policy,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Host]:
    host = Host(tmp_path / "runtime", profiles, default_profile, policy)
    for name, value in host.listener.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PLATFORM_AUTH_INTERACTIVE", "always")
    yield host
    host.close()


@pytest.fixture
def person(host: Host, sandbox: Sandbox) -> Person:
    return Person(host, sandbox)


@pytest.fixture
def signed_in(host: Host, person: Person) -> Host:
    host.client.sign_in("demo")
    person.sign_in()
    return host


class Notebook:
    """A shell, and everything that one who keeps notebooks would keep of it."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.bundles: list[dict[str, Any]] = []
        self.transients: list[dict[str, Any]] = []
        self.text = ""

    def run(self, code: str) -> Any:
        """Run a cell and return its last value; what it raises is raised here."""
        with capture_output() as captured:
            result = self.shell.run_cell(code, store_history=True)
        self.text += captured.stdout + captured.stderr
        self.bundles += [output.data for output in captured.outputs]
        self.transients += [output.transient for output in captured.outputs]
        result.raise_error()
        return result.result

    @property
    def names(self) -> dict[str, Any]:
        return self.shell.user_ns

    def saved_secrets(self, *secrets: str) -> list[str]:
        """Return those secrets that can be found in what is shown or saved."""
        return [secret for secret in secrets if secret in self.kept]

    @property
    def kept(self) -> str:
        """Everything that is shown or saved, as text."""
        history = list(self.shell.history_manager.input_hist_raw)
        out = [repr(value) for value in self.shell.user_ns["Out"].values()]
        return "\n".join([self.text, repr(self.bundles), *history, *out])


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "platform_auth")
    yield Notebook(shell)
    for value in list(shell.user_ns.values()):
        if type(value) is LazyClient and value.is_made:
            value.close()
    shell.extension_manager.unload_extension("platform_auth")
    InteractiveShell.clear_instance()
