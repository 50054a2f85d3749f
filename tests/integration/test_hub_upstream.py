"""The Hub's service as user servers have it: one sign-in for all of a person's servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from harness.broker import profile
from harness.environment import program
from harness.hub_user import HubUser
from harness.people import ADA
from harness.ports import free_port
from harness.scripted import ScriptedPerson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2

    from harness.canary import Canary
    from harness.hub import Hub
    from harness.provider import OidcProvider

PLATFORM = "http://127.0.0.1:9"

CONFIG = """
from platform_auth.hub.configuration import configure

configure(c, profiles={profiles!r}, url="http://127.0.0.1:{port}", sign_in_timeout=60)
"""


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub], oidc_process: OidcProvider) -> Hub:
    profiles = {"prod": profile(oidc_process.issuer, PLATFORM)}
    hub = start_hub(config=CONFIG.format(profiles=profiles, port=free_port()))
    hub.start_server("ada")
    return hub


@pytest.fixture
def callback_url(hub: Hub, oidc: OidcProvider) -> str:
    url = f"{hub.url}services/platform-auth/callback"
    oidc.allow_redirects("notebook", [url])
    return url


@pytest.fixture
def ada(hub: Hub, callback_url: str) -> Iterator[HubUser]:
    with HubUser(hub, "ada") as user:
        user.visit(f"{hub.server_url('ada')}tree")
        user.post("prod", "sign-out")
        yield user


def _begin(user: HubUser, server: str = "") -> httpx2.Response:
    """Go from a server's sign-in page to the redirect to the provider."""
    page = user.begin("prod", server)
    while urlsplit(page.headers["location"]).netloc in {"", urlsplit(user.hub.url).netloc}:
        url = page.url.join(page.headers["location"])
        page = user.http.get(url, headers={"Sec-Fetch-Site": "same-origin"})
        assert page.is_redirect, page.text
    return page


def _sign_in(user: HubUser, server: str = "") -> httpx2.Response:
    with ScriptedPerson() as person:
        return user.come_back(person.answer(_begin(user, server).headers["location"]))


def _token(hub: Hub, person: str, server: str = "") -> Any:
    """Run what a terminal of a server runs."""
    runtime = hub.people[person].home / ".local/share/jupyter/runtime"
    keys = sorted(runtime.glob("*/server.token"), key=lambda each: each.stat().st_mtime)
    env = {
        "PLATFORM_AUTH_BROKER": f"unix://{keys[-1].parent / 'broker.sock'}",
        "PLATFORM_AUTH_BROKER_TOKEN_FILE": str(keys[-1]),
    }
    return hub.people[person].run(program("platform-auth"), "token", "prod", **env)


def test_one_sign_in_serves_every_server_of_a_person(
    hub: Hub, ada: HubUser, callback_url: str, oidc: OidcProvider, canary: Callable[[], Canary]
) -> None:
    start = _begin(ada)
    asked = parse_qs(urlsplit(start.headers["location"]).query)
    assert asked["redirect_uri"] == [callback_url]
    with ScriptedPerson() as person:
        page = ada.come_back(person.answer(start.headers["location"]))
    assert (page.status_code, ADA.email in page.text) == (200, True)
    assert ada.session("prod")["signed_in_as"] == ADA.email
    printed = _token(hub, "ada")
    assert canary().search_text(printed.stdout) == ["access_token"], printed.stderr
    hub.start_server("ada", "work")
    try:
        ada.visit(f"{hub.server_url('ada', 'work')}tree")
        assert ada.session("prod", "work")["signed_in_as"] == ADA.email
    finally:
        hub.stop_server("ada", "work")
    assert [entry["outcome"] for entry in oidc.log("token")] == ["ok"]
