"""The service at a real Hub: its proxy, its login, its tokens, and real users of the system."""

from __future__ import annotations

import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urljoin

import pytest
from playwright.sync_api import expect

from harness import hub_page
from harness.accessibility import violations
from harness.broker import profile
from harness.http import loopback_client
from harness.hub_terminal import print_token
from harness.hub_user import HubUser
from harness.people import ADA, GRACE, Who
from harness.person import Person
from harness.polling import wait_until
from harness.ports import free_port
from harness.scripted import ScriptedPerson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2

    from harness.browser import BrowserSession
    from harness.canary import Canary
    from harness.hub import Hub
    from harness.provider import OidcProvider

PLATFORM: Final = "http://127.0.0.1:9"
SERVICE: Final = "services/platform-auth/"

# Ada shares her servers with Grace, and has a role of the administrator's own making.
CONFIG: Final = """
c.JupyterHub.load_roles = [
    {{"name": "user", "scopes": ["self", "read:hub"]}},
    {{
        "name": "guests",
        "users": [people["grace"]],
        "scopes": [f"access:servers!user={{people['ada']}}"],
    }},
]
from platform_auth.hub import configure
configure(c, profiles={profiles!r}, url="http://127.0.0.1:{port}", sign_in_timeout=120)
"""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub], oidc_process: OidcProvider, port: int) -> Hub:
    profiles = {"prod": profile(oidc_process.issuer, PLATFORM)}
    hub = start_hub(config=CONFIG.format(profiles=profiles, port=port))
    wait_until(lambda: _health(hub), "the service", within=30)
    return hub


def _health(hub: Hub) -> bool:
    with loopback_client() as http:
        return http.get(f"{hub.url}{SERVICE}health").status_code == 200


@pytest.fixture(autouse=True)
def registered(hub: Hub, oidc: OidcProvider) -> Iterator[None]:
    """Register the one redirect URI there is; nobody is signed in."""
    oidc.allow_redirects("notebook", [f"{hub.url}{SERVICE}callback"])
    yield
    for person in ("ada", "grace"):
        token = hub.new_token(person, ["access:services!service=platform-auth"])
        call(hub, token, "profiles/prod/sign-out", "POST")


def call(hub: Hub, token: str, path: str, method: str = "GET", **request: Any) -> httpx2.Response:
    """Call the service as a program does."""
    headers = {"Authorization": f"token {token}", **request.pop("headers", {})}
    with loopback_client(timeout=60.0) as http:
        return http.request(method, f"{hub.url}{SERVICE}v1/{path}", headers=headers, **request)


def server_environment(hub: Hub, person: str, server: str = "") -> dict[str, str]:
    """Return the environment of a user's server, as the operating system has it."""
    for place in Path("/proc").iterdir():
        try:
            if place.stat().st_uid != hub.people[person].uid:
                continue
            lines = (place / "environ").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError, NotADirectoryError, PermissionError):
            continue
        found = dict(line.partition("=")[::2] for line in lines if line)
        if found.get("JUPYTERHUB_SERVER_NAME") == server:
            return found
    raise AssertionError(server)


CLICKED: Final = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}


def begin(user: HubUser, query: str = "profile=prod&force=1") -> str:
    """Open the service's sign-in page, and return where it sends the browser at last."""
    answer = user.http.get(f"{user.hub.url}{SERVICE}login?{query}", headers=CLICKED)
    while "/auth?" not in (there := answer.headers["location"]):
        answer = user.http.get(urljoin(str(answer.url), there), headers=CLICKED)
    return there


@contextmanager
def running(hub: Hub, person: str, server: str = "") -> Iterator[None]:
    """Run a user's server for as long as the block lasts."""
    hub.start_server(person, server)
    try:
        yield
    finally:
        hub.stop_server(person, server)


def sign_in(user: HubUser, who: Who = ADA) -> httpx2.Response:
    """Sign in through the service, over plain HTTP."""
    url = begin(user)
    with ScriptedPerson(who) as person:
        return user.come_back(person.answer(url))


@pytest.fixture
def ada(hub: Hub) -> Iterator[HubUser]:
    with HubUser(hub, "ada") as user:
        yield user


@pytest.fixture
def grace(hub: Hub) -> Iterator[HubUser]:
    with HubUser(hub, "grace") as user:
        yield user


class TestInChromium:
    def test_two_users_sign_in_by_the_same_address(
        self, hub: Hub, oidc: OidcProvider, browser: BrowserSession
    ) -> None:
        for name, who in (("ada", ADA), ("grace", GRACE)):
            page = browser.page()
            hub_page.log_in(page, hub, name, f"{SERVICE}login?profile=prod")
            Person(who).sign_in(page)
            expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
            expect(page.get_by_text(f"Signed in as {who.email}")).to_be_visible()
        tokens = {name: hub.new_token(name) for name in ("ada", "grace")}
        views = {name: call(hub, token, "profiles/prod").json() for name, token in tokens.items()}

        assert views["ada"]["signed_in_as"] == ADA.email
        assert views["grace"]["signed_in_as"] == GRACE.email
        assert [entry["outcome"] for entry in oidc.log("token")] == ["ok", "ok"]

    def test_a_person_sees_and_ends_their_own(
        self, hub: Hub, ada: HubUser, browser: BrowserSession
    ) -> None:
        sign_in(ada)
        page = browser.page()
        hub_page.log_in(page, hub, "ada", SERVICE)

        expect(page.get_by_role("rowheader", name="prod")).to_be_visible()
        assert violations(page, "body") == []
        expect(page.get_by_role("link", name="All users")).to_be_hidden()
        page.get_by_role("button", name="Sign out of prod").click()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        assert call(hub, hub.new_token("ada"), "profiles/prod").json()["state"] == "signed_out"

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_an_administrator_sees_all_and_ends_one(
        self,
        hub: Hub,
        ada: HubUser,
        grace: HubUser,
        browser: BrowserSession,
        scheme: str,
    ) -> None:
        sign_in(ada)
        sign_in(grace, GRACE)
        page = browser.page(color_scheme=scheme, java_script_enabled=False)
        hub_page.log_in(page, hub, "boss", f"{SERVICE}admin")

        row = page.get_by_role("row", name=hub.name("ada"))
        expect(row).to_contain_text(ADA.email)
        expect(page.get_by_role("row", name=hub.name("grace"))).to_contain_text(GRACE.email)
        row.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("status")).to_contain_text("signed out of that platform")
        views = [
            call(hub, hub.new_token(name), "profiles/prod").json() for name in ("ada", "grace")
        ]

        assert [view["state"] for view in views] == ["signed_out", "signed_in"]

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_the_administrators_page_is_for_everybodys_eyes(
        self, hub: Hub, ada: HubUser, browser: BrowserSession, scheme: str
    ) -> None:
        sign_in(ada)
        page = browser.page(color_scheme=scheme)
        hub_page.log_in(page, hub, "boss", f"{SERVICE}admin")
        page.get_by_role("searchbox", name="User").fill(hub.name("ada"))
        page.get_by_role("button", name="Find").click()
        page.get_by_text("out of everything…").click()
        expect(page.get_by_role("button", name="out of everything")).to_be_visible()

        assert violations(page, "body") == []

    def test_an_ordinary_user_sees_no_page_of_all(
        self, hub: Hub, ada: HubUser, grace: HubUser
    ) -> None:
        sign_in(ada)
        seen = grace.visit(f"{hub.url}{SERVICE}admin")
        xsrf = grace.xsrf_token(f"{hub.url}{SERVICE}admin")
        form = {"_xsrf": xsrf, "person": hub.name("ada"), "profile": "prod"}
        done = grace.http.post(f"{hub.url}{SERVICE}admin", data=form, headers=CLICKED)

        assert (seen.status_code, done.status_code) == (403, 403)
        assert hub.name("ada") not in seen.text
        assert call(hub, hub.new_token("ada"), "profiles/prod").json()["state"] == "signed_in"


class TestServers:
    def test_all_of_a_user_share_one_sign_in(self, hub: Hub, ada: HubUser) -> None:
        """Named ones, and those that are started after it."""
        sign_in(ada)
        tokens = {}
        for server in ("", "work"):
            with running(hub, "ada", server), loopback_client() as http:
                told = server_environment(hub, "ada", server)
                assert told["PLATFORM_AUTH_HUB_SERVICE"].endswith(f"{hub.base_url}{SERVICE}")
                answer = http.get(
                    f"{told['PLATFORM_AUTH_HUB_SERVICE']}v1/profiles/prod/token",
                    headers={"Authorization": f"token {told['JUPYTERHUB_API_TOKEN']}"},
                )
            tokens[server] = answer.raise_for_status().json()["access_token"]

        assert tokens[""] == tokens["work"]

    def test_the_token_of_a_page_in_a_users_server_gets_nothing(
        self, hub: Hub, ada: HubUser
    ) -> None:
        sign_in(ada)
        with running(hub, "ada"):
            page = ada.visit(f"{hub.server_url('ada')}lab").text
            token = re.search(r'"token":\s*"(\w{20,})"', page)[1]  # type: ignore[index]
            answer = call(hub, token, "profiles/prod/token")

        assert answer.status_code == 403
        assert "has not the scope" in answer.json()["error"]["why"]

    def test_a_guest_on_a_shared_server_is_who_they_are_to_the_service(
        self, hub: Hub, ada: HubUser, grace: HubUser
    ) -> None:
        sign_in(ada)
        token = hub.new_token("grace", [f"access:servers!user={hub.name('ada')}"])

        assert call(hub, token, "profiles/prod/token").status_code == 403
        assert call(hub, hub.new_token("grace"), "profiles/prod/token").status_code == 409

    def test_roles_keep_what_the_administrator_and_the_hub_have_given(self, hub: Hub) -> None:
        name = hub.name("ada")
        own = hub.api("GET", "user", hub.new_token("ada")).json()["scopes"]
        with running(hub, "ada"):
            token = server_environment(hub, "ada")["JUPYTERHUB_API_TOKEN"]
            servers = hub.api("GET", "user", token).json()["scopes"]

        assert "read:hub" in own
        assert f"users:activity!user={name}" in servers
        assert "access:services!service=platform-auth" in own
        assert "access:services!service=platform-auth" in servers


class TestLife:
    def test_it_may_die_in_the_middle_of_a_sign_in(
        self, hub: Hub, grace: HubUser, browser: BrowserSession, port: int
    ) -> None:
        """The Hub starts it anew: whoever has signed in still is, and whoever is about to can."""
        sign_in(grace, GRACE)
        page = browser.page()
        hub_page.log_in(page, hub, "ada", f"{SERVICE}login?profile=prod")
        expect(page.get_by_role("button").first).to_be_visible()
        with running(hub, "grace"):
            there = print_token(hub, "grace")
            before = service_process(port)
            os.kill(before, signal.SIGKILL)
            away = print_token(hub, "grace")  # her server has it while it lives
            wait_until(lambda: service_process(port) not in {0, before}, "another", within=60)
            wait_until(lambda: _health(hub), "the service", within=60)
            back = print_token(hub, "grace")
        assert there.returncode == 0, there.stderr
        assert {there.stdout, away.stdout, back.stdout} == {there.stdout}
        Person(ADA).sign_in(page)

        expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
        assert call(hub, hub.new_token("grace"), "profiles/prod/token").status_code == 200

    def test_no_secret_and_no_code_is_in_any_log_or_open_file(
        self, hub: Hub, ada: HubUser, canary: Callable[[], Canary]
    ) -> None:
        sign_in(ada)
        settings = hub.directory / "state" / "platform_auth_service.json"

        assert canary().search_text(hub.log_text()) == []
        assert settings.stat().st_mode & 0o777 == 0o600

    def test_a_new_user_with_the_name_of_a_deleted_one_is_signed_in_to_nothing(
        self, hub: Hub, grace: HubUser
    ) -> None:
        sign_in(grace, GRACE)
        before = call(hub, hub.new_token("grace"), "profiles/prod").json()
        path = f"users/{quote(hub.name('grace'), safe='@~')}"
        hub.api("DELETE", path).raise_for_status()
        hub.api("POST", path).raise_for_status()

        view = call(hub, hub.new_token("grace"), "profiles/prod").json()
        assert (before["state"], before["signed_in_as"]) == ("signed_in", GRACE.email)
        assert (view["state"], view["signed_in_as"]) == ("signed_out", None)


def service_process(port: int) -> int:
    """Return the process that serves at a port, as started by the Hub; 0 where there is none."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            argv = (place / "cmdline").read_bytes().split(b"\0")
            environment = (place / "environ").read_bytes()
        except OSError:
            continue
        url = f"JUPYTERHUB_SERVICE_URL=http://127.0.0.1:{port}".encode()
        if b"hub-service" in argv and url in environment:
            return int(place.name)
    return 0
