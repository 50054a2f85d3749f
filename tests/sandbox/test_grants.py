from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    import httpx2

    from tests.sandbox.conftest import Application

REDIRECT_URI = "http://127.0.0.1:8888/a%40b/platform-auth/callback"


@pytest.fixture
def service(sandbox: Sandbox) -> tuple[str, str]:
    """Client id and secret of the service client."""
    profile = sandbox.profiles()["demo-service"]
    return profile["admin"]["clientId"], profile["oauth"]["client_secret"]


def error(answer: httpx2.Response) -> str:
    assert answer.status_code in {400, 401}, answer.text
    assert "access_token" not in answer.json()
    return answer.json()["error"]


def claims(app: Application, token: str) -> dict[str, Any]:
    keys = app.http.get(f"{app.sandbox.issuer}/jwks.json").json()
    return jwt.decode(token, KeySet.import_key_set(keys), ["RS256"]).claims


class TestAuthorizationCode:
    def test_gives_tokens_for_the_person_who_signed_in(self, app: Application) -> None:
        found = app.callback("alan", nonce="n-alan")
        assert found["state"] == "xyz"
        assert found["iss"] == app.sandbox.issuer
        tokens = app.redeem(found["code"]).json()
        assert tokens["token_type"] == "Bearer"
        assert tokens["expires_in"] == 300
        assert tokens["scope"] == "openid profile email projects:read offline_access"
        identity = claims(app, tokens["id_token"])
        assert identity["sub"] == "alan"
        assert identity["aud"] == "platform-auth-demo"
        assert identity["nonce"] == "n-alan"
        assert identity["email"] == "alan@example.com"

    def test_a_nonce_is_good_once(self, app: Application) -> None:
        app.callback(nonce="n-twice")
        assert app.callback(nonce="n-twice")["error"] == "invalid_request"

    def test_no_id_token_without_openid_and_no_refresh_without_offline_access(
        self, app: Application
    ) -> None:
        assert not {"id_token", "refresh_token"} & set(app.sign_in(scope="projects:read"))

    def test_asking_for_nothing_gives_everything_the_client_may_have(
        self, app: Application
    ) -> None:
        assert "projects:read" in app.redeem(app.callback(scope=None)["code"]).json()["scope"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"code_challenge": None, "code_challenge_method": None},
            {"code_challenge": None},
            {"code_challenge_method": None},
            {"code_challenge_method": "plain"},
            {"code_challenge": "short"},
        ],
    )
    def test_without_proper_pkce_the_client_gets_an_error_before_anybody_signs_in(
        self, app: Application, changes: dict[str, str | None]
    ) -> None:
        answer = app.http.get(app.authorize_url(**changes))
        assert answer.status_code == 302
        assert answer.headers["location"].startswith(f"{REDIRECT_URI}?error=invalid_request")
        assert "&iss=http" in answer.headers["location"]

    @pytest.mark.parametrize("verifier", ["", "x" * 42, "x" * 43])
    def test_the_wrong_verifier_gets_nothing(self, app: Application, verifier: str) -> None:
        code = app.callback()["code"]
        assert error(app.redeem(code, code_verifier=verifier)) in {
            "invalid_request",
            "invalid_grant",
        }

    def test_the_wrong_redirect_uri_gets_nothing(self, app: Application) -> None:
        code = app.callback()["code"]
        answer = app.redeem(code, redirect_uri="http://127.0.0.1:9999/callback")
        assert error(answer) == "invalid_grant"

    def test_another_client_gets_nothing(self, app: Application, service: tuple[str, str]) -> None:
        code = app.callback()["code"]
        assert error(app.redeem(code, client_id=service[0], client_secret=service[1])) in {
            "unauthorized_client",
            "invalid_grant",
        }

    def test_a_code_redeemed_twice_revokes_what_it_gave(self, app: Application) -> None:
        code = app.callback()["code"]
        tokens = app.redeem(code).json()
        assert app.call("/me", tokens["access_token"]).status_code == 200
        assert error(app.redeem(code)) == "invalid_grant"
        assert app.call("/me", tokens["access_token"]).status_code == 401
        assert error(app.refresh(tokens["refresh_token"])) == "invalid_grant"

    def test_a_code_expires(self, app: Application) -> None:
        code = app.callback()["code"]
        app.sandbox.advance(61)
        assert error(app.redeem(code)) == "invalid_grant"

    @pytest.mark.parametrize("user", ["ada", "grace"])
    def test_denial_goes_back_to_the_client(self, app: Application, user: str) -> None:
        found = app.callback(user, approve=False)
        assert found["error"] == "access_denied"
        assert found["state"] == "xyz"
        assert found["iss"] == app.sandbox.issuer
        assert "code" not in found

    def test_unknown_scope_goes_back_to_the_client(self, app: Application) -> None:
        assert app.callback(scope="openid root")["error"] == "invalid_scope"

    def test_prompt_none_says_that_a_person_is_needed(self, app: Application) -> None:
        assert app.callback(prompt="none")["error"] == "login_required"


class TestRefreshToken:
    def test_rotates_and_keeps_the_person(self, app: Application) -> None:
        first = app.sign_in("grace")
        second = app.refresh(first["refresh_token"]).json()
        assert second["refresh_token"] != first["refresh_token"]
        assert second["access_token"] != first["access_token"]
        before, after = (claims(app, t["id_token"]) for t in (first, second))
        assert after["sub"] == "grace"
        assert (after["sid"], after["auth_time"]) == (before["sid"], before["auth_time"])
        assert app.refresh(second["refresh_token"]).status_code == 200

    def test_reuse_revokes_the_whole_family(self, app: Application) -> None:
        first = app.sign_in()
        second = app.refresh(first["refresh_token"]).json()
        assert error(app.refresh(first["refresh_token"])) == "invalid_grant"
        assert error(app.refresh(second["refresh_token"])) == "invalid_grant"
        assert app.call("/me", second["access_token"]).status_code == 401

    def test_reuse_leaves_other_sign_ins_alone(self, app: Application) -> None:
        ours, theirs = app.sign_in(), app.sign_in()
        app.refresh(ours["refresh_token"])
        app.refresh(ours["refresh_token"])
        assert app.refresh(theirs["refresh_token"]).status_code == 200

    def test_without_rotation_the_token_stays_and_none_is_sent(
        self, app: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(app.sandbox.settings, "rotate", False)
        first = app.sign_in()
        for _ in range(2):
            assert "refresh_token" not in app.refresh(first["refresh_token"]).json()

    def test_expires(self, app: Application) -> None:
        token = app.sign_in()["refresh_token"]
        app.sandbox.advance(app.sandbox.settings.refresh_token_lifetime + 1)
        assert error(app.refresh(token)) == "invalid_grant"

    def test_may_ask_for_less_but_not_for_more(self, app: Application) -> None:
        token = app.sign_in(scope="openid projects:read offline_access")["refresh_token"]
        assert error(app.refresh(token, scope="openid email")) == "invalid_scope"
        less = app.refresh(token, scope="openid").json()
        assert less["scope"] == "openid"
        assert "projects:read" in app.refresh(less["refresh_token"]).json()["scope"]

    def test_of_another_client_is_refused(self, app: Application, service: tuple[str, str]) -> None:
        answer = app.refresh(
            app.sign_in()["refresh_token"], client_id=service[0], client_secret=service[1]
        )
        assert error(answer) == "unauthorized_client"

    def test_unknown_is_refused(self, app: Application) -> None:
        assert error(app.refresh("nonsense")) == "invalid_grant"

    def test_lifetimes_of_access_tokens_can_change_while_it_runs(
        self, app: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(app.sandbox.settings, "access_token_lifetime", 2)
        assert app.sign_in()["expires_in"] == 2


class TestDevice:
    def test_pending_then_approved(self, app: Application) -> None:
        codes = app.begin_device()
        assert codes["verification_uri"] == f"{app.sandbox.issuer}/device"
        assert codes["interval"] == 5
        assert error(app.poll(codes["device_code"])) == "authorization_pending"
        app.sandbox.approve_device_scripted(codes["verification_uri_complete"], "alan")
        tokens = app.poll(codes["device_code"]).json()
        assert claims(app, tokens["id_token"])["sub"] == "alan"
        assert app.call("/api/v1/projects", tokens["access_token"]).status_code == 200
        assert app.refresh(tokens["refresh_token"]).status_code == 200

    def test_polling_early_slows_down_by_five_seconds_for_good(self, app: Application) -> None:
        code = app.begin_device()["device_code"]
        seen = [error(app.poll(code)), error(app.poll(code))]
        app.sandbox.advance(6)
        seen.append(error(app.poll(code)))
        app.sandbox.advance(16)
        seen.append(error(app.poll(code)))
        pending, slow = "authorization_pending", "slow_down"
        assert seen == [pending, slow, slow, pending]

    def test_denied(self, app: Application) -> None:
        codes = app.begin_device()
        app.sandbox.approve_device_scripted(codes["verification_uri_complete"], approve=False)
        assert error(app.poll(codes["device_code"])) == "access_denied"

    def test_expired(self, app: Application) -> None:
        code = app.begin_device()["device_code"]
        app.sandbox.advance(app.sandbox.settings.device_lifetime + 1)
        assert error(app.poll(code)) == "expired_token"

    def test_codes_work_once(self, app: Application) -> None:
        codes = app.begin_device()
        app.sandbox.approve_device_scripted(codes["verification_uri_complete"])
        assert app.poll(codes["device_code"]).status_code == 200
        assert error(app.poll(codes["device_code"])) == "invalid_grant"

    def test_unknown_scope_and_wrong_client_are_refused_at_once(
        self, app: Application, service: tuple[str, str]
    ) -> None:
        assert app.begin_device(scope="root")["error"] == "invalid_scope"
        found = app.begin_device(client_id=service[0], client_secret=service[1])
        assert found["error"] == "unauthorized_client"

    def test_interval_and_lifetime_follow_the_settings(
        self, app: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(app.sandbox.settings, "device_interval", 1)
        monkeypatch.setattr(app.sandbox.settings, "device_lifetime", 30)
        codes = app.begin_device()
        assert (codes["interval"], codes["expires_in"]) == (1, 30)


class TestClientCredentials:
    def test_basic(self, app: Application, service: tuple[str, str]) -> None:
        answer = app.http.post(
            f"{app.sandbox.issuer}/token",
            data={"grant_type": "client_credentials"},
            auth=service,
        )
        tokens = answer.json()
        assert "refresh_token" not in tokens
        assert tokens["scope"] == "projects:read"
        assert app.call("/api/v1/projects", tokens["access_token"]).status_code == 200
        assert app.call("/me", tokens["access_token"]).json() == {"sub": "platform-auth-service"}

    def test_post(self, app: Application, service: tuple[str, str]) -> None:
        answer = app.post(
            "/token",
            grant_type="client_credentials",
            client_id=service[0],
            client_secret=service[1],
            scope="projects:read",
        )
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "changes", [{"client_secret": "wrong"}, {"client_secret": ""}, {"client_id": "who"}]
    )
    def test_the_wrong_secret_is_refused(
        self, app: Application, service: tuple[str, str], changes: dict[str, str]
    ) -> None:
        data = {"client_id": service[0], "client_secret": service[1]} | changes
        answer = app.post("/token", grant_type="client_credentials", **data)
        assert error(answer) == "invalid_client"

    def test_scopes_of_people_are_refused(self, app: Application, service: tuple[str, str]) -> None:
        data = {"client_id": service[0], "client_secret": service[1], "scope": "openid"}
        assert error(app.post("/token", grant_type="client_credentials", **data)) == "invalid_scope"

    def test_public_clients_are_refused(self, app: Application) -> None:
        answer = app.post("/token", grant_type="client_credentials", client_id="platform-auth-demo")
        assert error(answer) == "invalid_client"

    def test_secrets_differ_from_sandbox_to_sandbox(self, service: tuple[str, str]) -> None:
        with Sandbox() as other:
            secret = other.profiles()["demo-service"]["oauth"]["client_secret"]
        assert secret != service[1]
