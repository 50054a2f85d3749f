"""A Jupyter server with the extension, an identity provider, and browsers to visit both."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from jupyter_server.auth.identity import IdentityProvider, User
from pytest_jupyter.jupyter_server import *  # noqa: F403 - its fixtures and its hooks for async tests
from tornado.httpserver import HTTPServer

from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterator

    from jupyter_server.serverapp import ServerApp
    from tornado.web import RequestHandler

    from platform_auth.broker.broker import Broker
    from platform_auth.server.app import PlatformAuth


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def profiles(sandbox: Sandbox) -> dict[str, Any]:
    """The administrator's profiles."""
    return {"demo": sandbox.profiles()["demo"]}


@pytest.fixture
def settings() -> dict[str, Any]:
    """What c.PlatformAuth says besides the profiles; tests override it."""
    return {}


@pytest.fixture
def server_settings() -> dict[str, Any]:
    """What c.ServerApp says besides; tests override it."""
    return {}


@pytest.fixture
def jp_server_config(
    profiles: dict[str, Any], settings: dict[str, Any], server_settings: dict[str, Any]
) -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"platform_auth": True, "jupyter_server_terminals": False},
            "allow_unauthenticated_access": False,
            **server_settings,
        },
        "PlatformAuth": {"profiles": profiles, **settings},
    }


@pytest.fixture
def http_server(
    jp_asyncio_loop: AbstractEventLoop, http_server_port: Any, jp_serverapp: ServerApp
) -> Iterator[HTTPServer]:
    """As pytest-jupyter's, but with the server's own word on proxies' headers."""

    async def start() -> HTTPServer:
        server = HTTPServer(jp_serverapp.web_app, xheaders=jp_serverapp.trust_xheaders)
        server.add_socket(http_server_port[0])
        return server

    server = jp_asyncio_loop.run_until_complete(start())
    yield server
    server.stop()
    jp_asyncio_loop.run_until_complete(server.close_all_connections())


@pytest.fixture
def jp_nbconvert_templates() -> None:
    """Copy no templates: nothing is converted here."""


@pytest.fixture
def extension(jp_serverapp: ServerApp) -> PlatformAuth:
    app: PlatformAuth = jp_serverapp.web_app.settings["platform_auth"]
    return app


@pytest.fixture
def broker(extension: PlatformAuth) -> Broker:
    return extension.broker


class Browser:
    """Keeps cookies, follows no redirect, and sends no token."""

    def __init__(self, url: str) -> None:
        self.origin = url[: url.index("/", len("http://"))]
        self.token = ""
        self.http = httpx2.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=20)

    @property
    def xsrf(self) -> dict[str, str]:
        return {"X-XSRFToken": self.http.cookies.get("_xsrf", "")}

    async def log_in(self, token: str) -> None:
        """Log in to Jupyter as people do, by the address that it prints."""
        self.token = token
        answer = await self.get(f"api/status?token={token}")
        assert answer.status_code == 200, answer.text
        # Any page would set it; that the header says the same is all that it is good for.
        self.http.cookies.set("_xsrf", secrets.token_hex(16), domain="127.0.0.1", path="/")

    async def get(self, address: str, **request: Any) -> httpx2.Response:
        """Open an address: under the server's base URL, from the root, or absolute."""
        address = f"{self.origin}{address}" if address.startswith("/") else address
        return await self.http.get(address, **request)

    async def post(self, path: str, **request: Any) -> httpx2.Response:
        """Send a request as the front end does, with the XSRF header."""
        headers = {**self.xsrf, **request.pop("headers", {})}
        return await self.http.post(path, headers=headers, **request)

    async def begin(self, profile: str = "demo", **request: Any) -> str:
        """Open the sign-in page and return where it sends the browser."""
        answer = await self.get(f"platform-auth/login?profile={profile}", **request)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    async def session(self, profile: str = "demo") -> dict[str, Any]:
        answer = await self.get(f"platform-auth/api/v1/profiles/{profile}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def flow_cookies(self) -> list[str]:
        return [cookie for cookie in self.http.cookies if cookie.startswith("platform-auth-")]


@pytest.fixture
def new_browser(
    http_server: HTTPServer,
    jp_asyncio_loop: AbstractEventLoop,
    jp_http_port: int,
    jp_base_url: str,
) -> Iterator[Callable[[], Browser]]:
    """Makes browsers that nobody has logged in with."""
    made: list[Browser] = []

    def make() -> Browser:
        made.append(Browser(f"http://127.0.0.1:{jp_http_port}{jp_base_url}"))
        return made[-1]

    yield make
    for each in made:
        jp_asyncio_loop.run_until_complete(each.http.aclose())


@pytest.fixture
def stranger(new_browser: Callable[[], Browser]) -> Browser:
    """A browser that nobody has logged in with."""
    return new_browser()


@pytest.fixture
def browser(
    new_browser: Callable[[], Browser], jp_asyncio_loop: AbstractEventLoop, jp_serverapp: ServerApp
) -> Browser:
    """A browser whose person is logged in to Jupyter."""
    made = new_browser()
    jp_asyncio_loop.run_until_complete(made.log_in(jp_serverapp.identity_provider.token))
    return made


class NamedUsers(IdentityProvider):
    """Knows people by a header, as behind a proxy that logs them in."""

    async def get_user(self, handler: RequestHandler) -> User | None:
        name = handler.request.headers.get("X-Remote-User")
        return User(username=name) if name else None


@pytest.fixture
def named_users() -> type[IdentityProvider]:
    return NamedUsers


@pytest.fixture
def query() -> Callable[[str], dict[str, str]]:
    """Takes the query of a URL apart."""
    return lambda url: {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
