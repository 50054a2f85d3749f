from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING

import httpx2
import pytest
import yaml

from platform_auth.config import Profile, ProfileSource
from platform_auth.errors import ConfigError, SignInError
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import Application


EVERYWHERE = "0.0.0.0"  # noqa: S104 - must be refused


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "", "192.0.2.1", "x" * 64])
def test_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Sandbox(host=host).start()
    assert "without a password" in refused.value.why


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_its_addresses_name_the_host_as_given(host: str, http: httpx2.Client) -> None:
    with Sandbox(host=host) as sandbox:
        assert sandbox.issuer.startswith(f"http://{host}:")
        assert http.get(f"{sandbox.platform_url}/healthz").is_success
        document = f"{sandbox.issuer}/.well-known/openid-configuration"
        assert http.get(document).json()["issuer"] == sandbox.issuer


def test_a_taken_port_is_an_error_that_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for ports in ({"port": port}, {"platform_port": port}):
            with pytest.raises(ConfigError, match=str(port)):
                Sandbox(**ports).start()


def test_a_given_port_is_used_and_an_outage_forgets_nothing(app: Application) -> None:
    sandbox = Sandbox()
    with sandbox:
        issuer = sandbox.issuer
        ours = type(app)(sandbox, app.http)
        token = ours.sign_in()["refresh_token"]
    with pytest.raises(httpx2.ConnectError):
        ours.refresh(token)
    with sandbox:
        assert sandbox.issuer == issuer
        assert ours.refresh(token).status_code == 200


def test_starting_and_stopping_twice_is_harmless_and_leaves_no_thread() -> None:
    sandbox = Sandbox()
    sandbox.stop()
    assert sandbox.start() is sandbox.start()
    thread = sandbox._server._thread
    sandbox.stop()
    sandbox.stop()
    assert thread not in threading.enumerate()


def test_the_log_says_what_it_is(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), Sandbox() as sandbox:
        pass
    assert "not for production" in caplog.text
    assert sandbox.issuer in caplog.text


def test_nothing_secret_is_logged(app: Application, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        found = app.callback()
        tokens = app.redeem(found["code"]).json()
        service = app.sandbox.profiles()["demo-service"]["oauth"]["client_secret"]
        app.http.post(
            f"{app.sandbox.issuer}/token",
            data={"grant_type": "client_credentials"},
            auth=("platform-auth-service", service),
        )
        hint = {"id_token_hint": tokens["id_token"]}
        app.http.get(f"{app.sandbox.issuer}/end-session", params=hint)
        # The same connection: when this one is answered, those before it have been logged.
        app.http.get(app.sandbox.issuer)
    ours = "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(("platform_auth", "authlib", "tornado"))
    )
    assert "POST /token" in ours
    assert "GET /end-session" in ours
    for secret in (found["code"], *map(tokens.get, ("access_token", "refresh_token", "id_token"))):
        assert secret not in ours
    assert service not in ours


def test_tokens_requests_are_counted_with_their_outcome_and_without_secrets(
    app: Application,
) -> None:
    before = len(app.sandbox.requests)
    tokens = app.sign_in()
    app.refresh(tokens["refresh_token"])
    app.refresh(tokens["refresh_token"])
    seen = app.sandbox.requests[before:]
    assert [(r.grant_type, r.outcome, r.ok) for r in seen] == [
        ("authorization_code", "ok", True),
        ("refresh_token", "ok", True),
        ("refresh_token", "invalid_grant", False),
    ]
    assert {r.client_id for r in seen} == {"platform-auth-demo"}
    assert tokens["refresh_token"] not in repr(seen)


def test_refresh_tokens_can_be_searched_for_but_do_not_show(app: Application) -> None:
    token = app.sign_in()["refresh_token"]
    known = app.sandbox.refresh_tokens()
    assert token in [each.reveal() for each in known]
    assert token not in repr(known)


def test_profiles_are_what_a_profiles_file_holds(sandbox: Sandbox) -> None:
    found = sandbox.profiles()
    assert yaml.safe_load(yaml.safe_dump(found)) == found
    assert list(found) == ["demo", "demo-device", "demo-service"]
    assert [p["admin"]["authType"] for p in found.values()] == [
        "Pkce",
        "DeviceFlow",
        "ClientSecret",
    ]
    for profile in found.values():
        assert profile["admin"]["endpoint"] == sandbox.platform_url
        assert profile["oauth"]["issuer"] == sandbox.issuer
        assert profile["client"] == "http"


def test_profiles_are_accepted_by_our_own_configuration(sandbox: Sandbox) -> None:
    read = [
        Profile.from_mapping(name, mapping, source=ProfileSource.ADMIN)
        for name, mapping in sandbox.profiles().items()
    ]
    assert [profile.config.flow for profile in read] == ["pkce", "device", "client_credentials"]
    assert {profile.config.base_url for profile in read} == {sandbox.platform_url}
    assert not any(profile.warnings for profile in read)
    assert read[2].config.client_secret()


def test_scripted_people_report_an_error_page_in_its_own_words(app: Application) -> None:
    with pytest.raises(SignInError, match="This sign-in request is not valid"):
        app.sandbox.sign_in_scripted(app.authorize_url(client_id="nobody"))


def test_scripted_people_who_do_not_exist_find_no_button(app: Application) -> None:
    with pytest.raises(SignInError, match="no button"):
        app.sandbox.sign_in_scripted(app.authorize_url(), user="eve")


def test_before_the_start_there_is_no_address_and_nothing_to_revoke() -> None:
    sandbox = Sandbox()
    for use in (lambda: sandbox.issuer, sandbox.profiles, sandbox.revoke_access_tokens):
        with pytest.raises(ConfigError, match="not been started"):
            use()
    assert sandbox.requests == ()
