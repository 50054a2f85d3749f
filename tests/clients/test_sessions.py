"""People's own sessions, over real sockets."""

from __future__ import annotations

import asyncio
import io
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
import requests

from fakes.token_source import RenewingSource
from platform_auth.clients.http import PlatformHttpAuth
from platform_auth.clients.httpx import PlatformHttpxAuth
from platform_auth.clients.requests import PlatformRequestsAuth
from platform_auth.clients.sessions import authenticate
from platform_auth.errors import ConfigError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Get = Callable[..., Any]

OWN_HEADER = "flyte-authorization"


class Site(ThreadingHTTPServer):
    """One of two sites; it notes what it was sent."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.accepted: set[str] = set()
        self.redirect = ""
        self.challenge = ""
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def tokens(self, header: str = "authorization") -> list[str | None]:
        return [each.get(header) for each in self.seen]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.server.bodies.append(self.rfile.read(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append(headers)
        given = headers.get("authorization", headers.get(OWN_HEADER, "")).removeprefix("Bearer ")
        if self.server.redirect:
            self._answer(307, "location", self.server.redirect)
        elif self.server.challenge:
            self._answer(403, "www-authenticate", self.server.challenge)
        else:
            refused = self.server.accepted and given not in self.server.accepted
            self._answer(401 if refused else 200)

    do_POST = do_GET  # noqa: N815 - the library's name

    def _answer(self, status: int, *header: str) -> None:
        self.send_response(status)
        if header:
            self.send_header(*header)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    both = Site(), Site()
    for site in both:
        threading.Thread(target=site.serve_forever, args=(0.01,)).start()
    yield both
    for site in both:
        site.shutdown()
        site.server_close()


@pytest.fixture(params=["httpx2", "httpx", "requests"])
def session(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "requests":
        with requests.Session() as made:
            made.trust_env = False
            yield made
    else:
        library = {"httpx2": httpx2, "httpx": httpx}[request.param]
        with library.Client(trust_env=False, follow_redirects=True) as made:
            yield made


def source_with_proxy(header: str) -> RenewingSource:
    source = RenewingSource(header)
    source.current = replace(source.current, proxy_authorization=Secret("Bearer for-the-proxy"))
    return source


def test_each_request_to_the_platform_carries_a_token(
    session: Any, sites: tuple[Site, Site]
) -> None:
    authenticate(session, RenewingSource(), sites[0].url)
    assert session.get(f"{sites[0].url}/a").status_code == 200
    assert session.get(f"{sites[1].url}/a").status_code == 200
    assert sites[0].tokens() == ["Bearer token-1"]
    assert sites[1].tokens() == [None]


@pytest.mark.parametrize("header", ["authorization", OWN_HEADER])
def test_a_refused_request_is_sent_again_with_its_body(
    session: Any, sites: tuple[Site, Site], header: str
) -> None:
    sites[0].accepted = {"token-2"}
    source = RenewingSource(header)
    first = source.current.fingerprint
    authenticate(session, source, sites[0].url)
    assert session.post(f"{sites[0].url}/a", data={"x": "1"}).status_code == 200
    assert sites[0].tokens(header) == ["Bearer token-1", "Bearer token-2"]
    assert sites[0].bodies == [b"x=1", b"x=1"]
    assert source.refused == [first]


def test_a_request_is_sent_again_once(session: Any, sites: tuple[Site, Site]) -> None:
    sites[0].accepted = {"another"}
    authenticate(session, RenewingSource(), sites[0].url)
    assert session.get(f"{sites[0].url}/a").status_code == 401
    assert len(sites[0].seen) == 2


@pytest.mark.parametrize("header", ["authorization", OWN_HEADER])
def test_no_header_of_ours_follows_a_redirect_elsewhere(
    session: Any, sites: tuple[Site, Site], header: str
) -> None:
    home, elsewhere = sites
    home.redirect = f"{elsewhere.url}/b"
    authenticate(session, source_with_proxy(header), home.url)
    assert session.get(f"{home.url}/a").status_code == 200
    assert home.tokens("proxy-authorization") == ["Bearer for-the-proxy"]
    assert home.tokens(header) == ["Bearer token-1"]
    assert not any("token" in value or "proxy" in value for value in elsewhere.seen[0].values())


def test_a_redirect_at_home_keeps_the_token(session: Any, sites: tuple[Site, Site]) -> None:
    home = sites[0]
    home.redirect = "/b"
    authenticate(session, RenewingSource(OWN_HEADER), home.url)
    with pytest.raises(Exception, match=r"(?i)redirects"):
        session.get(f"{home.url}/a")
    assert set(home.tokens(OWN_HEADER)) == {"Bearer token-1"}


def test_a_missing_scope_is_named(
    session: Any, sites: tuple[Site, Site], caplog: pytest.LogCaptureFixture
) -> None:
    sites[0].challenge = 'Bearer error="insufficient_scope", scope="projects:write"'
    authenticate(session, RenewingSource(), sites[0].url)
    assert session.get(f"{sites[0].url}/a").status_code == 403
    assert caplog.text.count("wants the scope projects:write") == 1


def test_a_file_is_sent_again_from_where_it_was(sites: tuple[Site, Site]) -> None:
    sites[0].accepted = {"token-2"}
    file = io.BytesIO(b"header payload")
    file.seek(7)
    auth = PlatformRequestsAuth(RenewingSource(), sites[0].url)
    answer = requests.post(f"{sites[0].url}/a", data=file, auth=auth, timeout=10)
    assert answer.status_code == 200
    assert sites[0].bodies == [b"payload", b"payload"]
    assert len(answer.history) == 1


def test_what_cannot_be_sent_again_is_not(sites: tuple[Site, Site]) -> None:
    sites[0].accepted = {"token-2"}
    auth = PlatformRequestsAuth(RenewingSource(), sites[0].url)
    once = io.BytesIO(b"payload")
    once.tell = lambda: (_ for _ in ()).throw(OSError())  # type: ignore[method-assign] # a pipe
    answer = requests.post(f"{sites[0].url}/a", data=once, auth=auth, timeout=10)
    assert answer.status_code == 401
    assert len(sites[0].seen) == 1


@pytest.mark.parametrize("kind", [PlatformHttpAuth, PlatformHttpxAuth])
def test_a_client_that_is_not_watched_gets_no_header_it_would_carry_along(
    kind: type, sites: tuple[Site, Site]
) -> None:
    library: Any = httpx2 if kind is PlatformHttpAuth else httpx
    auth = kind(RenewingSource(OWN_HEADER), sites[0].url)
    with (
        library.Client(auth=auth, trust_env=False) as client,
        pytest.raises(ConfigError, match="authenticate") as raised,
    ):
        client.get(f"{sites[0].url}/a")
    assert "flyte-authorization" in raised.value.what
    assert sites[0].seen == []


async def _async_get(library: Any, source: RenewingSource, home: Site) -> int:
    async with library.AsyncClient(trust_env=False, follow_redirects=True) as client:
        authenticate(client, source, home.url)
        return int((await client.get(f"{home.url}/a")).status_code)


@pytest.mark.parametrize("library", [httpx2, httpx])
def test_asynchronous_clients_are_watched_too(library: Any, sites: tuple[Site, Site]) -> None:
    home, elsewhere = sites
    home.redirect = f"{elsewhere.url}/b"
    assert asyncio.run(_async_get(library, source_with_proxy(OWN_HEADER), home)) == 200
    assert home.tokens(OWN_HEADER) == ["Bearer token-1"]
    assert elsewhere.tokens(OWN_HEADER) == [None]


def test_hooks_of_ones_own_stay(sites: tuple[Site, Site]) -> None:
    seen: list[str] = []
    hooks = {"request": [lambda request: seen.append(request.url.path)]}
    with httpx2.Client(trust_env=False, event_hooks=hooks) as client:
        authenticate(client, RenewingSource(), sites[0].url)
        client.get(f"{sites[0].url}/a")
    assert seen == ["/a"]


def test_anything_else_is_no_session() -> None:
    with pytest.raises(ConfigError, match="A dict is no session"):
        authenticate({}, RenewingSource(), "https://flyte.example.com")
