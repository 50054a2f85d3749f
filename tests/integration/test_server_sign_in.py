"""Signing in through a real Jupyter server, at the certified provider, without a browser."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from harness.broker import broker_client, profile
from harness.jupyter_user import JupyterUser
from harness.people import ADA, GRACE
from harness.polling import wait_until
from harness.scripted import ScriptedPerson
from platform_auth.errors import SignInRequiredError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.canary import Canary
    from harness.jupyter import JupyterServer
    from harness.provider import OidcProvider
    from platform_auth.broker.client import BrokerClient

PLATFORM = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def server(
    module_jupyter_server_process: Callable[..., JupyterServer], oidc_process: OidcProvider
) -> JupyterServer:
    profiles = {"prod": profile(oidc_process.issuer, PLATFORM)}
    return module_jupyter_server_process(config={"profiles": profiles, "sign_in_timeout": 60})


@pytest.fixture
def broker(server: JupyterServer, oidc: OidcProvider) -> BrokerClient:
    oidc.allow_redirects("notebook", [server.callback_url])
    client = broker_client(server)
    client.sign_out("prod")
    return client


@pytest.fixture
def ada(server: JupyterServer, broker: BrokerClient) -> Iterator[JupyterUser]:
    del broker  # the session is as new, and the provider knows the callback
    with closing(JupyterUser(server)) as user:
        yield user


def test_sign_in_and_token(ada: JupyterUser, broker: BrokerClient, oidc: OidcProvider) -> None:
    page = ada.sign_in("prod")
    assert page.status_code == 200
    assert ADA.email in page.text
    view = ada.session("prod")
    assert (view["state"], view["signed_in_as"]) == ("signed_in", ADA.email)
    token = broker.token("prod")
    assert token.value.reveal() in oidc.secrets()["access_token"]
    assert [entry["outcome"] for entry in oidc.log("token")] == ["ok"]


def test_the_redirect_uri_keeps_the_escape_of_the_base_url(ada: JupyterUser) -> None:
    query = parse_qs(urlsplit(ada.begin("prod").headers["location"]).query)
    assert query["redirect_uri"] == [ada.server.callback_url]
    assert "%40" in ada.server.callback_url
    assert query["code_challenge_method"] == ["S256"]


def test_refresh_rotates_and_keeps_the_session(
    ada: JupyterUser, broker: BrokerClient, oidc: OidcProvider
) -> None:
    oidc.settings(access_token_ttl=4)
    ada.sign_in("prod")
    first = broker.token("prod")
    second = broker.token("prod", stale=first.fingerprint)
    # A token that has just replaced a refused one is not given up at once.
    assert broker.token("prod", stale=second.fingerprint).fingerprint == second.fingerprint
    wait_until(
        lambda: broker.token("prod", stale=second.fingerprint).fingerprint != second.fingerprint,
        "a third token",
    )
    grants = [(e["grant_type"], e["outcome"]) for e in oidc.log("token")]
    assert grants[0] == ("authorization_code", "ok")
    assert len(grants) >= 3
    assert set(grants[1:]) == {("refresh_token", "ok")}
    assert ada.session("prod")["signed_in_as"] == ADA.email


def test_an_expired_token_is_replaced_in_time(
    ada: JupyterUser, broker: BrokerClient, oidc: OidcProvider
) -> None:
    oidc.settings(access_token_ttl=2)
    ada.sign_in("prod")
    first = broker.token("prod")
    oidc.settings(access_token_ttl=300)
    # Two seconds of life cannot cover the minute that is asked for, so half of them must do.
    while (second := broker.token("prod", min_ttl=60)).fingerprint == first.fingerprint:
        assert first.remaining > -1
    assert second.remaining > 200


def test_a_revoked_sign_in_asks_for_the_person_once(
    ada: JupyterUser, broker: BrokerClient, oidc: OidcProvider
) -> None:
    ada.sign_in("prod")
    token = broker.token("prod")
    oidc.fault("status", status=400, body={"error": "invalid_grant"})
    with pytest.raises(SignInRequiredError):
        broker.token("prod", stale=token.fingerprint)
    requests = len(oidc.log("token"))
    with pytest.raises(SignInRequiredError):
        broker.token("prod")
    assert len(oidc.log("token")) == requests
    assert ada.session("prod")["state"] == "expired"
    ada.sign_in("prod")
    assert ada.session("prod")["state"] == "signed_in"


def test_denial(ada: JupyterUser, oidc: OidcProvider) -> None:
    with ScriptedPerson(allow=False) as person:
        back = person.answer(ada.begin("prod").headers["location"])
    page = ada.come_back(back)
    assert "cancelled or denied" in page.text
    view = ada.session("prod")
    assert (view["state"], view["error"]["code"]) == ("failed", "access_denied")
    assert oidc.log("token") == []


def test_a_wrong_state_uses_nothing_up(ada: JupyterUser) -> None:
    with ScriptedPerson() as person:
        back = person.answer(ada.begin("prod").headers["location"])
    state = parse_qs(urlsplit(back).query)["state"][0]
    page = ada.come_back(back.replace(state, "x" * len(state)))
    assert page.status_code == 400
    assert ada.session("prod")["state"] == "signing_in"
    assert ada.come_back(back).status_code == 200
    assert ada.session("prod")["state"] == "signed_in"


def test_a_replayed_callback_exchanges_nothing(ada: JupyterUser, oidc: OidcProvider) -> None:
    with ScriptedPerson() as person:
        back = person.answer(ada.begin("prod").headers["location"])
    assert ada.come_back(back).status_code == 200
    page = ada.come_back(back)
    assert "signed in" in page.text.lower()
    assert len(oidc.log("token")) == 1


def test_another_browsers_callback_is_refused(ada: JupyterUser, server: JupyterServer) -> None:
    with ScriptedPerson() as person:
        back = person.answer(ada.begin("prod").headers["location"])
    with closing(JupyterUser(server)) as other:
        assert other.come_back(back).status_code == 400
    assert ada.session("prod")["state"] == "signing_in"
    assert ada.come_back(back).status_code == 200


def test_another_person_does_not_take_a_session_over(
    ada: JupyterUser, broker: BrokerClient
) -> None:
    ada.sign_in("prod")
    page = ada.sign_in("prod", GRACE, force="1")
    assert "Sign out first" in page.text
    assert ada.session("prod")["signed_in_as"] == ADA.email
    assert broker.token("prod").remaining > 0


def test_sign_out_revokes(ada: JupyterUser, broker: BrokerClient, oidc: OidcProvider) -> None:
    ada.sign_in("prod")
    assert ada.post("prod", "sign-out").json()["state"] == "signed_out"
    # The provider cannot take back a JWT; the refresh token it must.
    assert [entry["outcome"] for entry in oidc.log("revocation")][:1] == ["ok"]
    with pytest.raises(SignInRequiredError):
        broker.token("prod")


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "status", "status": 503}])
def test_sign_out_happens_whatever_the_provider_does(
    ada: JupyterUser, broker: BrokerClient, oidc: OidcProvider, fault: dict[str, Any]
) -> None:
    ada.sign_in("prod")
    oidc.fault(endpoint="revocation", count=9, **fault)
    answer = ada.post("prod", "sign-out").json()
    assert (answer["state"], answer["error"]) == ("signed_out", None)
    assert answer["logout_url"].startswith(f"{oidc.issuer}/session/end?client_id=notebook&")
    # Both tokens were tried, the one after the other was refused.
    assert len(oidc.log("revocation")) >= 2
    with pytest.raises(SignInRequiredError):
        broker.token("prod")


def test_tokens_never_reach_a_browser(ada: JupyterUser) -> None:
    ada.sign_in("prod")
    assert ada.http.get("platform-auth/api/v1/profiles/prod/token").status_code == 404


def test_a_restarted_server_still_knows_who_signed_in(
    ada: JupyterUser, server: JupyterServer, oidc: OidcProvider
) -> None:
    ada.sign_in("prod")
    server.restart()
    assert ada.session("prod")["signed_in_as"] == ADA.email
    broker = broker_client(server)
    token = broker.token("prod")
    assert broker.token("prod", stale=token.fingerprint).remaining > 0
    assert [e["outcome"] for e in oidc.log("token")] == ["ok", "ok"]


def test_nothing_secret_is_left_on_the_machine(
    ada: JupyterUser, broker: BrokerClient, canary: Callable[[], Canary], server: JupyterServer
) -> None:
    ada.sign_in("prod")
    token = broker.token("prod")
    broker.token("prod", stale=token.fingerprint)
    places: tuple[Path | str, ...] = (server.directory, server.log_text(), str(ada.session("prod")))
    canary().assert_absent(*places)
