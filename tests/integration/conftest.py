"""Fixtures for tests against real providers, a real Jupyter server and a real browser."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from harness.canary import Canary
from harness.http import loopback_client
from harness.jupyter import JupyterServer
from harness.platform import Platform
from harness.provider import OidcProvider
from harness.wheel import Environment, build_wheel
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    import httpx2

    from harness.browser import BrowserSession, Chromium
    from harness.hub import Hub
    from harness.person import Person

RESULTS = Path(__file__).parents[2] / "test-results"
_LOG_TAIL = 20_000
_failed = pytest.StashKey[bool]()


class StartJupyter(Protocol):
    """Starts a server; see `harness.jupyter.JupyterServer` for the options."""

    def __call__(self, *, app: str = "lab", **options: Any) -> JupyterServer:
        """Return a server that answers; it ends with the test or module that asked for it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, and put the logs of its servers into the report."""
    report = yield
    if report.failed:
        item.stash[_failed] = True
        # Several fixtures may give the same thing: its log counts once.
        given = {id(value): (name, value) for name, value in getattr(item, "funcargs", {}).items()}
        for name, value in given.values():
            if hasattr(value, "log_text"):
                report.sections.append((f"log of {name}", value.log_text()[-_LOG_TAIL:]))
    return report


class Servers:
    """The Jupyter servers that one test, or one module, has started."""

    def __init__(self, directory: Callable[[str], Path], ends: ExitStack) -> None:
        self._directory = directory
        self._ends = ends
        self._started: list[JupyterServer] = []

    def __call__(self, *, app: str = "lab", **options: Any) -> JupyterServer:
        """Start one."""
        server = JupyterServer(self._directory("jupyter"), app=app, **options)
        self._ends.callback(server.stop)
        self._started.append(server)
        return server

    def log_text(self) -> str:
        """Return the logs of all of them."""
        return "\n".join(server.log_text() for server in self._started)


@contextmanager
def _servers(factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with ExitStack() as ends:
        yield Servers(factory.mktemp, ends)


@pytest.fixture
def jupyter_server_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartJupyter]:
    """Start Jupyter servers for this test."""
    with _servers(tmp_path_factory) as servers:
        yield servers


@pytest.fixture(scope="module")
def module_jupyter_server_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StartJupyter]:
    """Start Jupyter servers that all tests of this module share."""
    with _servers(tmp_path_factory) as servers:
        yield servers


@pytest.fixture(scope="module")
def start_hub() -> Iterator[Callable[..., Hub]]:
    """Start Hubs (see `harness.hub.Hub`) that all tests of this module share, mostly one."""
    from harness.hub import Hub

    with ExitStack() as ends:

        def start(**options: Any) -> Hub:
            hub = Hub(**options)
            ends.callback(hub.remove)
            return hub

        yield start


@pytest.fixture(scope="session")
def oidc_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """Run the certified provider, one for each worker."""
    provider = OidcProvider(tmp_path_factory.mktemp("oidc"))
    yield provider
    provider.stop()


@pytest.fixture
def oidc(oidc_process: OidcProvider) -> OidcProvider:
    """Return the certified provider as new: no sign-ins, no faults, an empty record."""
    oidc_process.reset()
    return oidc_process


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Run the embedded provider and its demo platform."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    """Return a client for this machine that follows nothing by itself."""
    with loopback_client() as http:
        yield http


@pytest.fixture
def platform(oidc: OidcProvider) -> Iterator[Platform]:
    """Run a platform that takes the certified provider's access tokens."""
    with Platform(oidc.issuer, oidc.audience) as platform:
        yield platform


@pytest.fixture
def canary(oidc: OidcProvider) -> Callable[[], Canary]:
    """Return a search for every secret that the provider has given out up to the call."""
    return lambda: Canary(oidc.secrets())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel that people install."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Install that wheel, and nothing but what it asks for, into an empty environment."""
    return Environment(tmp_path_factory.mktemp("environment"), str(wheel))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Run the browser for one module, so that its event loop is gone before the next one."""
    from harness.browser import Chromium

    chromium = Chromium()
    yield chromium
    chromium.close()


@pytest.fixture
def browser(chromium: Chromium, request: pytest.FixtureRequest) -> Iterator[BrowserSession]:
    """Return the browser with fresh contexts; a failed test's pages end up in ``test-results``."""
    from harness.browser import BrowserSession
    from harness.evidence import Evidence

    evidence = Evidence(request.node.nodeid, RESULTS)
    yield BrowserSession(chromium, evidence)
    evidence.finish(failed=request.node.stash.get(_failed, False))


@pytest.fixture
def person() -> Person:
    """Return Ada, in front of the browser."""
    from harness.person import Person

    return Person()
