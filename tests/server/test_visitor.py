"""On a Hub a server is its owner's, whoever else may open it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox

ADA, GRACE = {"X-Remote-User": "ada"}, {"X-Remote-User": "grace"}


@pytest.fixture
def server_settings(named_users: Any) -> Any:
    return {"identity_provider_class": named_users}


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")


async def test_a_visitor_sees_and_changes_nothing(stranger: Any, broker: Broker) -> None:
    stranger.http.cookies.set("_xsrf", "ab" * 16, domain="127.0.0.1", path="/")
    demo = "platform-auth/api/v1/profiles/demo"
    shown = await stranger.get(demo, headers=GRACE)
    begun = await stranger.post(f"{demo}/sign-in", json={}, headers=GRACE)

    for answer in (shown, begun):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "policy_refused"
        assert "ada's" in answer.json()["error"]["what"]
    assert (await broker.session("demo")).state == "signed_out"


async def test_a_visitor_cannot_sign_in(stranger: Any, broker: Broker) -> None:
    for address in ("platform-auth/login?profile=demo", "platform-auth/callback?code=x&state=y"):
        page = await stranger.get(address, headers=GRACE)
        assert page.status_code == 403
        assert "This server is ada&#x27;s" in page.text
    assert stranger.flow_cookies() == []
    assert (await broker.session("demo")).attempts == []


async def test_the_owner_can(stranger: Any, sandbox: Sandbox, broker: Broker) -> None:
    back = sandbox.sign_in_scripted(await stranger.begin(headers=ADA))
    page = await stranger.get(back, headers=ADA)

    assert page.status_code == 200
    assert (await broker.session("demo")).state == "signed_in"
