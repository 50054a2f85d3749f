from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from platform_auth.sandbox import Sandbox
    from tests.sandbox.conftest import Application


def test_revoking_a_refresh_token_ends_the_sign_in(app: Application) -> None:
    tokens = app.sign_in()
    answer = app.post("/revoke", token=tokens["refresh_token"], client_id="platform-auth-demo")
    assert answer.status_code == 200
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.call("/me", tokens["access_token"]).status_code == 401


@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token"])
def test_revoking_an_access_token_leaves_the_refresh_token(app: Application, hint: str) -> None:
    tokens = app.sign_in()
    data = {"token": tokens["access_token"], "token_type_hint": hint}
    assert app.post("/revoke", client_id="platform-auth-demo", **data).status_code == 200
    assert app.call("/me", tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("token", ["unknown", "a.b.c", "é"])
def test_revoking_what_is_not_a_token_is_fine(app: Application, token: str) -> None:
    answer = app.post("/revoke", token=token, client_id="platform-auth-demo")
    assert answer.status_code == 200


def test_revoking_needs_a_client_and_the_right_one(app: Application, sandbox: Sandbox) -> None:
    token = app.sign_in()["refresh_token"]
    assert app.post("/revoke", token=token).json()["error"] == "invalid_client"
    profile = sandbox.profiles()["demo-service"]
    service = {
        "client_id": profile["admin"]["clientId"],
        "client_secret": profile["oauth"]["client_secret"],
    }
    assert app.post("/revoke", token=token, **service).json()["error"] == "invalid_grant"
    assert app.refresh(token).status_code == 200


def test_end_session_ends_the_sign_in_and_goes_back(app: Application) -> None:
    app.sandbox.advance(7200)  # what it issues now is of the wall clock's future
    tokens = app.sign_in()
    answer = app.http.get(
        f"{app.sandbox.issuer}/end-session",
        params={
            "id_token_hint": tokens["id_token"],
            "post_logout_redirect_uri": "http://localhost:8888/lab",
            "state": "s",
        },
    )
    assert answer.status_code == 302
    assert answer.headers["location"] == "http://localhost:8888/lab?state=s"
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_end_session_takes_an_expired_hint_but_goes_nowhere_else(app: Application) -> None:
    tokens = app.sign_in()
    app.sandbox.advance(7200)
    answer = app.http.get(
        f"{app.sandbox.issuer}/end-session",
        params={
            "id_token_hint": tokens["id_token"],
            "post_logout_redirect_uri": "https://evil.example/",
        },
    )
    assert answer.status_code == 200
    assert "You are signed out" in answer.text
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_end_session_with_a_forged_hint_ends_nothing(app: Application) -> None:
    tokens = app.sign_in()
    head, body, _ = tokens["id_token"].split(".")
    answer = app.http.get(
        f"{app.sandbox.issuer}/end-session", params={"id_token_hint": f"{head}.{body}.AAAA"}
    )
    assert answer.status_code == 400
    assert app.refresh(tokens["refresh_token"]).status_code == 200
