"""The service, and a JupyterHub for it: whose tokens are, who is an administrator, its login."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import threading
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import httpx2
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from platform_auth.broker.broker import Broker
from platform_auth.broker.metrics import Metrics
from platform_auth.hub.hub_place import HubPlace
from platform_auth.hub.keys import FileKeys
from platform_auth.hub.redirects import ServiceRedirects
from platform_auth.hub.service import Service
from platform_auth.hub.settings import Settings
from platform_auth.oauth.driver import Driver
from platform_auth.secret import Secret

from .bench import PROFILES
from .clock import FakeClock
from .provider import Provider

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from platform_auth.broker.session import Session

ACCESS = "access:services!service=platform-auth"
BASE = "/h%40b/"
PREFIX = f"{BASE}services/platform-auth/"


class _Api(web.RequestHandler):
    """``GET /hub/api/user``, ``GET /hub/api/users/NAME`` and the login."""

    def initialize(self, hub: FakeHub) -> None:
        self._hub = hub

    async def prepare(self) -> None:
        self._hub.asked.append(self.request.path)
        await self._hub.gate.wait()
        if self._hub.is_away:
            raise web.HTTPError(503)

    def get(self, call: str) -> None:
        if call == "oauth2/authorize":
            return self._log_in()
        token = self.request.headers.get("Authorization", "").removeprefix("token ")
        if call == "user":
            model = self._hub.tokens.get(token)
            return self.finish(model) if model else self.send_error(403)
        name = call.removeprefix("users/")
        if token != "service-token-CANARY" or name not in self._hub.users:
            return self.send_error(404)
        model = {"kind": "user", "name": name, "admin": name in self._hub.admins}
        return self.finish(model | {"created": self._hub.created})

    def _log_in(self) -> None:
        """Have whoever the browser is logged in as go back at once, with a code."""
        name = self.get_cookie("hub-user")
        if name is None:
            return self.finish("Log in to the Hub")
        code = secrets.token_hex(8)
        self._hub.codes[code] = self._hub.new_token(name)
        back = {"code": code, "state": self.get_argument("state")}
        return self.redirect(f"{self.get_argument('redirect_uri')}?{urlencode(back)}")

    def post(self, call: str) -> None:
        assert call == "oauth2/token"
        assert self.get_body_argument("client_secret") == "service-token-CANARY"
        assert self.get_body_argument("code_verifier")
        self.finish({"access_token": self._hub.codes.pop(self.get_body_argument("code"))})


class FakeHub:
    """The Hub, as far as services see it; on the loop that it is made on.

    Attributes
    ----------
    tokens
        The answers of ``/user``, by token.
    users, admins
        Names.
    asked
        The paths of all calls.
    is_away
        Whether it answers with errors only.
    created
        Since when it has its users.
    gate
        While it is cleared, it does not answer.

    """

    def __init__(self) -> None:
        self.tokens: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, str] = {}
        self.users, self.admins = {"ada", "grace+", "boss"}, {"boss"}
        self.asked: list[str] = []
        self.is_away = False
        self.created = "2026-01-02T03:04:05.678901Z"
        self.gate = asyncio.Event()
        self.gate.set()
        # JupyterHub's own HTTP client takes escapes off that a path does not need.
        route = r"/h(?:%40|@)b/hub/api/(.*)", _Api, {"hub": self}
        self._server = HTTPServer(web.Application([route], log_function=lambda _: None))
        (socket,) = bind_sockets(0, "127.0.0.1")
        self._server.add_sockets([socket])
        self.origin = f"http://127.0.0.1:{socket.getsockname()[1]}"
        self.api_url = f"{self.origin}{BASE}hub/api"

    def new_token(self, name: str, *scopes: str, kind: str = "user") -> str:
        """Return a token of somebody's, by default with the scope for the service."""
        token = secrets.token_hex(16)
        self.tokens[token] = {"kind": kind, "name": name, "scopes": [*(scopes or (ACCESS,))]}
        return token

    async def asked_for(self, count: int) -> None:
        """Return when it has been asked so often."""
        while len(self.asked) < count:  # noqa: ASYNC110 - it does not announce itself
            await asyncio.sleep(0)

    async def close(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()


class Persons:
    """Brokers of persons, each with a store of its own in memory."""

    def __init__(self, provider: Provider, clock: FakeClock, settings: Settings) -> None:
        self._provider, self._clock, self._settings = provider, clock, settings
        self.brokers: dict[str, Broker] = {}
        self.error: Exception | None = None

    async def broker(self, user: str) -> Broker:
        if self.error is not None:
            raise self.error
        if user not in self.brokers:
            self.brokers[user] = Broker(
                self._settings.read_profiles(),
                ServiceRedirects(PREFIX, self._settings.callback_url),
                observer=Metrics(),
                clock=self._clock,
                new_driver=lambda _: Driver(self._provider, monotonic=self._clock.monotonic),
            )
        return self.brokers[user]

    async def close(self) -> None:
        for broker in self.brokers.values():
            await broker.close()


class Register:
    """What administrators see, of the same persons."""

    def __init__(self, persons: Persons) -> None:
        self._persons = persons
        self._created: dict[str, float] = {}

    async def entries(self, wanted: str, *, offset: int, limit: int) -> list[Entry]:
        found = [
            Entry(user, session)
            for user, broker in sorted(self._persons.brokers.items())
            for session in broker.sessions
            if session.record is not None and user.startswith(wanted)
        ]
        return found[offset : offset + limit]

    async def count(self, wanted: str) -> int:
        return len(await self.entries(wanted, offset=0, limit=1000))

    async def belong_to(self, person: str, created_at: float) -> None:
        if self._created.setdefault(person, created_at) != created_at:
            await self.revoke(person, None)
            self._created[person] = created_at

    async def revoke(self, person: str, profile: str | None, caller: str = "") -> int:
        mine = await self.entries(person, offset=0, limit=1000)
        gone = [each for each in mine if each.person == person and profile in {None, each.profile}]
        for each in gone:
            await (await self._persons.broker(person)).sign_out(each.profile, caller=caller)
        return len(gone)


class Entry:
    """One session."""

    def __init__(self, person: str, session: Session) -> None:
        record = session.record
        assert record is not None
        self.person, self.profile, self.flow = person, session.profile.name, record.flow
        self.who = session.identity.label if session.identity else None
        self.signed_in_at, self.refreshed_at = record.signed_in_at, record.issued_at
        self.expires_at, self.problem = record.expires_at, None


class ServiceRun:
    """A replica of the service on an event loop of its own, beside its Hub.

    Attributes
    ----------
    hub, provider, persons, service
        Those.
    origin
        Where browsers and programs find the service.

    """

    def __init__(self, directory: Path, **settings: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.settings = Settings.of({"profiles": PROFILES, **settings})
        self.key_file = directory / "keys"
        self._keys: list[str] = []
        self.new_key()
        self._browsers: list[Browser] = []
        self.replicas: list[Service] = []
        self.run(self._make())
        self.origin = self.replica()
        self.service = self.replicas[0]

    def new_key(self, *, keep: bool = True) -> None:
        """Change the key; the old ones still open what they sealed, if they are kept."""
        new = base64.b64encode(secrets.token_bytes(32)).decode()
        self._keys = [new, *(self._keys if keep else [])]
        other = self.key_file.with_suffix(".new")
        other.write_text(",".join(self._keys))
        other.replace(self.key_file)

    async def _make(self) -> None:
        self.hub, self.provider, self.clock = FakeHub(), Provider(), FakeClock()
        self.provider.now = self.clock.time
        self.persons = Persons(self.provider, self.clock, self.settings)

    def replica(self) -> str:
        """Start one more replica, and return where it listens."""

        async def start() -> str:
            place = HubPlace(
                self.hub.api_url, Secret("service-token-CANARY"), PREFIX, "http://127.0.0.1:0"
            )
            people, register = cast("Any", self.persons), cast("Any", Register(self.persons))
            keys = FileKeys(self.key_file)
            service = Service(people, register, keys, place, self.settings)
            self.replicas.append(service)
            return f"http://127.0.0.1:{service.listen()[0].getsockname()[1]}"

        origin: str = self.run(start())
        return origin

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something on the service's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def browser(self, user: str | None = None, origin: str = "") -> Browser:
        """Return a new browser, whose person is logged in to the Hub."""
        self._browsers.append(Browser(origin or self.origin, self.hub.origin, user))
        return self._browsers[-1]

    def call(
        self, method: str, path: str, token: str | None, origin: str = "", **request: Any
    ) -> httpx2.Response:
        """Call the protocol as a program does."""
        headers = dict(request.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        with httpx2.Client(trust_env=False, timeout=20) as http:
            url = f"{origin or self.origin}{PREFIX}v1/{path}"
            return http.request(method, url, headers=headers, **request)

    def sign_in(self, browser: Browser, profile: str = "prod") -> httpx2.Response:
        """Sign in with a browser, and return the last page."""
        return browser.get(self.provider.authorize(browser.begin(profile)))

    def close(self) -> None:
        """End it all."""
        self.hub.gate.set()
        for browser in self._browsers:
            browser.close()
        for service in self.replicas:
            self.run(service.leave(1))
        self.run(self.hub.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()


class Browser(httpx2.Client):
    """Keeps cookies; follows the Hub's login, and no other redirect."""

    def __init__(self, origin: str, hub: str, user: str | None = None) -> None:
        super().__init__(base_url=f"{origin}{PREFIX}", trust_env=False, timeout=20)
        self._origin, self._hub = origin, hub
        if user is not None:
            self.cookies.set("hub-user", user, domain="127.0.0.1", path="/")

    def open(self, address: str = "", **request: Any) -> httpx2.Response:
        """Follow a link of the Hub's own, and log in on the way where that is needed."""
        headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
        headers |= request.pop("headers", {})
        answer = self.get(address, headers=headers, **request)
        while "/oauth2/authorize?" in (there := answer.headers.get("location", "")):
            back = self.get(f"{self._hub}{there}", headers=headers)
            if not back.has_redirect_location:
                return back
            answer = self.get(f"{self._origin}{back.headers['location']}", headers=headers)
            assert answer.status_code == 302, answer.text
            answer = self.get(f"{self._origin}{answer.headers['location']}", headers=headers)
        return answer

    def begin(self, profile: str = "prod", **request: Any) -> str:
        """Open the sign-in page, and return where it sends the browser."""
        answer = self.open(f"login?profile={profile}", **request)
        assert answer.status_code == 302, answer.text
        url: str = answer.headers["location"]
        return url

    def submit(self, page: httpx2.Response, address: str = "", **fields: str) -> httpx2.Response:
        """Send a form of a page."""
        found = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        data = fields | ({"_xsrf": found[1]} if found else {})
        headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
        return self.post(address, data=data, headers=headers)
