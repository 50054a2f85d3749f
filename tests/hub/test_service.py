from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from fakes.hub_service import ACCESS, BASE, PREFIX, ServiceRun
from platform_auth.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[ServiceRun]:
    running = ServiceRun(tmp_path)
    yield running
    running.close()


class TestSignIn:
    def test_a_person_signs_in_with_the_hubs_login(self, run: ServiceRun) -> None:
        page = run.sign_in(run.browser("ada"))
        view = run.call("GET", "profiles/prod", run.hub.new_token("ada")).json()

        assert page.status_code == 200
        assert "Signed in as ada@example.com to flyte.example.com." in page.text
        assert (view["state"], view["signed_in_as"]) == ("signed_in", "ada@example.com")
        assert view["sign_in_url"] == f"{PREFIX}login?profile=prod"

    def test_the_redirect_uri_is_the_same_for_everybody(self, run: ServiceRun) -> None:
        sent = [run.browser(user).begin() for user in ("ada", "grace+")]
        asked = {re.search(r"redirect_uri=([^&]+)", url)[1] for url in sent}  # type: ignore[index]

        assert len(asked) == 1
        assert asked.pop().endswith("%2Fh%2540b%2Fservices%2Fplatform-auth%2Fcallback")

    def test_behind_tls_it_begins_with_https(self, run: ServiceRun) -> None:
        proxies = {"X-Forwarded-Proto": "https,http", "Host": "hub.example.com"}
        browser = run.browser("ada")
        browser.open()
        # A cookie for https only does not come back to this http, so the Hub is asked once more.
        answer = browser.get("login?profile=prod", headers=OWN | proxies)

        assert "redirect_uri=https%3A%2F%2Fhub.example.com%2Fh%2540b" in answer.headers["location"]
        assert "; Secure" in answer.headers["set-cookie"]

    def test_the_way_back_is_on_the_same_hub_only(self, run: ServiceRun) -> None:
        browser = run.browser("ada")
        pages = {}
        for there in (f"{BASE}user/ada/lab", "https://evil.example/", "//evil.example/x", "/other"):
            url = browser.open(f"login?profile=prod&force=1&next={quote(there)}").headers[
                "location"
            ]
            pages[there] = browser.get(run.provider.authorize(url)).text

        assert [f'href="{there}"' in text for there, text in pages.items()] == [
            True,
            False,
            False,
            False,
        ]
        assert "Back to Jupyter" in pages[f"{BASE}user/ada/lab"]
        assert "evil" not in "".join(pages.values())

    def test_another_site_cannot_begin_it(self, run: ServiceRun) -> None:
        browser = run.browser("ada")
        browser.open()
        answer = browser.get("login?profile=prod", headers=FOREIGN)

        assert answer.status_code == 200
        assert "Another site has sent you here." in answer.text
        assert run.provider.requests == []

    def test_who_logs_in_to_the_hub_on_the_way_has_not_come_from_another_site(
        self, run: ServiceRun
    ) -> None:
        browser = run.browser("ada")
        leaving = browser.get("login?profile=prod", headers=OWN)
        back = browser.get(f"{run.hub.origin}{leaving.headers['location']}")
        # The Hub's own provider is another site, and so is then the whole chain of redirects.
        logged_in = browser.get(f"{run.origin}{back.headers['location']}", headers=FOREIGN)
        answer = browser.get(f"{run.origin}{logged_in.headers['location']}", headers=FOREIGN)
        other = browser.get("login?profile=dev", headers=FOREIGN)

        assert answer.headers["location"].startswith("https://id.example.com/authorize")
        assert "Another site has sent you here." in other.text

    def test_what_a_browser_only_guesses_begins_nothing(self, run: ServiceRun) -> None:
        browser = run.browser("ada")
        browser.open()

        assert (
            browser.open("login?profile=prod", headers={"Sec-Purpose": "prefetch"}).status_code
            == 204
        )
        assert run.provider.requests == []

    def test_a_browser_may_come_back_to_another_replica(self, run: ServiceRun) -> None:
        """The Hub's login and the provider's both end elsewhere than they began."""
        other = run.replica()
        browser = run.browser("ada")
        leaving = browser.get("login?profile=prod", headers=OWN)
        back = browser.get(f"{run.hub.origin}{leaving.headers['location']}")
        logged_in = browser.get(f"{other}{back.headers['location']}", headers=OWN)
        url = browser.get(f"{run.origin}{logged_in.headers['location']}", headers=OWN).headers
        page = browser.get(run.provider.authorize(url["location"]).replace(run.origin, other))

        assert "You are signed in" in page.text


class TestPrograms:
    def test_get_their_own_users_token(self, run: ServiceRun) -> None:
        run.sign_in(run.browser("ada"))
        answer = run.call("GET", "profiles/prod/token", run.hub.new_token("ada"))

        assert answer.status_code == 200
        assert answer.json()["access_token"] in run.provider.secrets
        assert answer.headers["cache-control"] == "no-store"

    def test_both_forms_of_the_header_are_taken(self, run: ServiceRun) -> None:
        token = run.hub.new_token("ada")
        answers = [
            run.call("GET", "profiles", None, headers={"Authorization": f"{form} {token}"})
            for form in ("token", "Bearer", "bearer")
        ]
        assert [answer.status_code for answer in answers] == [200] * 3

    def test_of_another_user_get_nothing(self, run: ServiceRun) -> None:
        run.sign_in(run.browser("ada"))
        answer = run.call("GET", "profiles/prod/token", run.hub.new_token("grace+"))

        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "sign_in_required"

    def test_of_a_new_user_with_an_old_name_get_nothing_of_the_earlier_one(
        self, run: ServiceRun
    ) -> None:
        run.sign_in(run.browser("ada"))
        run.hub.created = "2026-05-06T07:08:09Z"
        answers = [
            run.call("GET", "profiles/prod/token", run.hub.new_token(name))
            for name in ("grace+", "ada")
        ]
        assert [answer.json()["error"]["code"] for answer in answers] == ["sign_in_required"] * 2

    def test_in_a_browser_a_new_user_with_an_old_name_sees_nothing_of_the_earlier_one(
        self, run: ServiceRun
    ) -> None:
        run.sign_in(run.browser("ada"))
        assert "ada@example.com" in run.browser("ada").open().text
        run.hub.created = "2026-05-06T07:08:09Z"
        assert "ada@example.com" not in run.browser("ada").open().text

    @pytest.mark.parametrize("token", [None, "nobody's", "x" * 5000, "é"])
    def test_without_a_good_token_are_told_so(self, run: ServiceRun, token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"token {token}".encode()}
        answer = run.call("GET", "profiles", None, headers=headers)

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "broker_refused"

    @pytest.mark.parametrize(
        "scopes",
        [
            ("access:servers!server=ada/", "read:users:name!user=ada"),  # of JupyterLab's page
            ("access:services!service=other",),
            ("access:services!service=platform-auth-2",),
        ],
    )
    def test_need_the_services_own_scope(self, run: ServiceRun, scopes: tuple[str, ...]) -> None:
        run.sign_in(run.browser("ada"))
        answer = run.call("GET", "profiles/prod/token", run.hub.new_token("ada", *scopes))

        assert answer.status_code == 403
        assert ACCESS in answer.json()["error"]["why"]
        assert not run.provider.secrets & {answer.text}

    def test_of_a_service_that_is_called_as_a_user_is_get_nothing(self, run: ServiceRun) -> None:
        run.sign_in(run.browser("ada"))
        answer = run.call("GET", "profiles/prod/token", run.hub.new_token("ada", kind="service"))

        assert answer.status_code == 403

    @pytest.mark.parametrize(
        "headers",
        [
            {"Cookie": "service-platform-auth=x"},
            {"Sec-Fetch-Site": "same-origin"},
            {"Origin": "http://127.0.0.1"},
            {"Referer": "http://127.0.0.1/user/ada/lab"},
        ],
    )
    def test_in_a_browser_get_nothing(self, run: ServiceRun, headers: dict[str, str]) -> None:
        run.sign_in(run.browser("ada"))
        token = run.hub.new_token("ada")
        answer = run.call("GET", "profiles/prod/token", token, headers=headers)

        assert answer.status_code == 403
        assert "no token is given to one" in answer.json()["error"]["what"]

    def test_may_not_name_the_token_in_the_address(self, run: ServiceRun) -> None:
        token = run.hub.new_token("ada")
        assert run.call("GET", f"profiles?token={token}", None).status_code == 401

    def test_may_not_make_profiles_where_the_administrator_does_not_let_them(
        self, run: ServiceRun
    ) -> None:
        config = {"admin": {"endpoint": "evil.example.com"}}
        answer = run.call("PUT", "profiles/mine", run.hub.new_token("ada"), json={"config": config})

        assert answer.status_code == 403
        error = answer.json()["error"]
        assert error["code"] == "policy_refused"
        who = "Ask the Hub's administrator, who sets allow_user_profiles for its service"
        assert error["fix"] == f"{who} platform-auth."

    def test_never_see_a_client_secret(self, run: ServiceRun) -> None:
        token = run.hub.new_token("ada")
        paths = ("profiles", "profiles/service", "profiles/service?explain=1")
        shown = [run.call("GET", path, token).text for path in paths]

        assert "ClientSecret" in shown[2]
        assert "secret-CANARY" not in "".join(shown)

    def test_that_send_no_json_are_told_so(self, run: ServiceRun) -> None:
        path = "profiles/prod/sign-in"
        answer = run.call("POST", path, run.hub.new_token("ada"), content="[1]")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")

    def test_wait_for_a_change(self, run: ServiceRun) -> None:
        token = run.hub.new_token("ada")
        view = run.call("GET", "profiles/prod", token).json()
        answers: list[Any] = []
        path = f"profiles/prod?since={view['revision']}&wait=20"
        waiting = threading.Thread(target=lambda: answers.append(run.call("GET", path, token)))
        waiting.start()
        run.sign_in(run.browser("ada"))
        waiting.join(20)

        assert answers[0].json()["revision"] > view["revision"]

    def test_ask_the_hub_once_a_minute_and_once_for_a_crowd(self, run: ServiceRun) -> None:
        token = run.hub.new_token("ada")
        run.run(_set(run.hub.gate.clear))
        answers: list[int] = []
        crowd = [
            threading.Thread(
                target=lambda: answers.append(run.call("GET", "profiles", token).status_code)
            )
            for _ in range(8)
        ]
        for each in crowd:
            each.start()
        run.run(run.hub.asked_for(1))
        run.run(_set(run.hub.gate.set))
        for each in crowd:
            each.join(20)

        assert answers == [200] * 8
        # Whose it is, and since when that has been somebody's name.
        assert [path.rpartition("/api/")[2] for path in run.hub.asked] == ["user", "users/ada"]

    def test_go_on_while_the_hub_is_restarted(
        self, run: ServiceRun, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known, new = run.hub.new_token("ada"), run.hub.new_token("ada")
        run.call("GET", "profiles", known)
        now = run.service.owners._clock()
        monkeypatch.setattr(run.service.owners, "_clock", lambda: now + 100)
        run.hub.is_away = True
        answers = [run.call("GET", "profiles", token) for token in (known, new)]
        monkeypatch.setattr(run.service.owners, "_clock", lambda: now + 1000)
        late = run.call("GET", "profiles", known)

        assert [answer.status_code for answer in (*answers, late)] == [200, 503, 503]
        assert answers[1].json()["error"]["retryable"] is True
        assert answers[1].headers["retry-after"] == "2"

    def test_whose_token_was_revoked_are_refused_within_a_minute(
        self, run: ServiceRun, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = run.hub.new_token("ada")
        run.call("GET", "profiles", token)
        del run.hub.tokens[token]
        now = run.service.owners._clock()
        monkeypatch.setattr(run.service.owners, "_clock", lambda: now + 61)

        assert run.call("GET", "profiles", token).status_code == 401

    def test_are_told_when_to_ask_again_while_the_database_is_away(self, run: ServiceRun) -> None:
        run.persons.error = BrokerUnavailableError("The database is away.")
        answer = run.call("GET", "profiles", run.hub.new_token("ada"))

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"


async def _set(change: Any) -> None:
    change()


class TestCallback:
    """Whoever is not the browser and user who began gets nothing, and uses nothing up."""

    def test_of_another_user_is_refused(self, run: ServiceRun) -> None:
        ada, grace = run.browser("ada"), run.browser("grace+")
        grace.open()
        back = run.provider.authorize(ada.begin())
        replayed = grace.get(back)

        assert replayed.status_code == 400
        assert "Start again" in replayed.text
        assert "You are signed in" in ada.get(back).text

    def test_in_another_browser_of_the_same_user_is_refused(self, run: ServiceRun) -> None:
        ada, second = run.browser("ada"), run.browser("ada")
        second.open()
        back = run.provider.authorize(ada.begin())

        assert second.get(back).status_code == 400
        assert "You are signed in" in ada.get(back).text

    def test_of_another_user_with_the_cookie_itself_is_refused(self, run: ServiceRun) -> None:
        ada, grace = run.browser("ada"), run.browser("grace+")
        grace.open()
        back = run.provider.authorize(ada.begin())
        for name, value in ada.cookies.items():
            if name.startswith("platform-auth-"):
                grace.cookies.set(name, value, domain="127.0.0.1", path=PREFIX)

        assert grace.get(back).status_code == 400
        assert "You are signed in" in ada.get(back).text

    def test_of_nobody_is_not_sent_on_with_the_code(self, run: ServiceRun) -> None:
        answer = run.browser().get(run.provider.authorize(run.browser("ada").begin()))

        assert answer.status_code == 403
        assert "You are not logged in to JupyterHub in this browser." in answer.text
        assert "set-cookie" not in answer.headers

    def test_serves_once(self, run: ServiceRun) -> None:
        ada = run.browser("ada")
        back = run.provider.authorize(ada.begin())
        ada.get(back)
        requests = len(run.provider.sent_to("token"))
        again = ada.get(back)

        assert "You are signed in" in again.text
        assert len(run.provider.sent_to("token")) == requests

    def test_logs_no_code(self, run: ServiceRun, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        ada, grace = run.browser("ada"), run.browser("grace+")
        grace.open()
        back = run.provider.authorize(ada.begin())
        run.browser().get(back)
        grace.get(back)
        ada.get(back)
        ours = [each.getMessage() for each in caplog.records if "httpcore" not in each.name]
        ours = [each for each in ours if "HTTP Request" not in each]

        assert any("callback" in each for each in ours)
        assert not [each for each in ours if "CANARY" in each or "code=" in each]


class TestPage:
    def test_for_browsers_gives_no_token(self, run: ServiceRun) -> None:
        browser = run.browser("ada")
        run.sign_in(browser)
        answers = [
            browser.get(f"{face}v1/profiles/prod/token", headers=OWN) for face in ("", "api/")
        ]

        assert [answer.status_code for answer in answers] == [403, 404]
        assert not [
            each for each in run.provider.secrets if each in answers[0].text + answers[1].text
        ]

    def test_takes_no_token_in_place_of_the_login(self, run: ServiceRun) -> None:
        """JupyterLab's page holds one, and scripts of anybody's may run there."""
        headers = {"Authorization": f"token {run.hub.new_token('ada')}"}
        with run.browser() as browser:
            answers = [
                browser.get("api/v1/profiles", headers=headers),
                browser.get("", headers=headers),
                browser.get("login?profile=prod", headers=headers),
                browser.post("api/v1/profiles/prod/sign-out", headers=headers),
            ]

        assert [answer.status_code for answer in answers] == [403, 302, 302, 403]

    def test_of_a_script_needs_the_xsrf_token(self, run: ServiceRun) -> None:
        browser = run.browser("ada")
        run.sign_in(browser)
        home = browser.open()
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', home.text)[1]  # type: ignore[index]
        script = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
        path = "api/v1/profiles"
        with_it = script | {"X-XSRFToken": xsrf}

        assert browser.get(path, headers=script).status_code == 403
        assert browser.get(path, headers=with_it).status_code == 200
        assert browser.post(f"{path}/prod/cancel", headers=script).status_code == 403
        assert browser.post(f"{path}/prod/cancel", headers=with_it).status_code == 200

    def test_of_another_users_login_has_another_xsrf_token(self, run: ServiceRun) -> None:
        ada, grace = run.browser("ada"), run.browser("grace+")
        run.sign_in(ada)
        grace.open()
        stolen = grace.submit(ada.open(), "", all="1")

        assert stolen.status_code == 403

    def test_shows_ones_own_sign_ins_and_ends_them(self, run: ServiceRun) -> None:
        browser = run.browser("ada")
        run.sign_in(browser)
        home = browser.open()
        done = browser.submit(home, profile="prod")
        token = run.hub.new_token("ada")

        assert "ada@example.com" in home.text
        assert done.status_code == 303
        assert "You are signed out." in browser.open(f"{run.origin}{done.headers['location']}").text
        assert run.call("GET", "profiles/prod", token).json()["state"] == "signed_out"
        assert run.provider.revoked

    def test_ends_all_of_them(self, run: ServiceRun) -> None:
        browser = run.browser("ada")
        run.sign_in(browser)
        run.sign_in(browser, "dev")
        browser.submit(browser.open(), all="1")
        views = run.call("GET", "profiles", run.hub.new_token("ada")).json()["profiles"]

        assert {view["state"] for view in views} == {"signed_out"}

    def test_can_be_put_into_no_frame_and_runs_nothing(self, run: ServiceRun) -> None:
        headers = run.browser("ada").open().headers
        policy = headers["content-security-policy"].split("; ")

        assert {"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} <= set(policy)
        assert not [part for part in policy if "script" in part or "unsafe" in part]
        assert headers["x-frame-options"] == "DENY"

    def test_of_a_user_whom_the_hub_does_not_let_in_says_so(self, run: ServiceRun) -> None:
        browser = run.browser("ada")
        browser.open()
        for model in run.hub.tokens.values():
            model["scopes"] = ["access:services!service=other"]
        run.service.oauth.cache.clear()
        answer = browser.get("", headers=OWN)

        assert answer.status_code == 403
        assert "location" not in answer.headers

    def test_that_does_not_exist_says_so(self, run: ServiceRun) -> None:
        answer = run.browser("ada").get("nowhere?code=x")
        assert answer.status_code == 404
        assert "code=x" not in answer.text
        assert "Your sign-ins" in answer.text

    @pytest.mark.parametrize("path", ["", "nowhere", "health", "metrics", "v1/profiles"])
    def test_says_what_it_is_for_and_not_which_server_it_comes_from(
        self, run: ServiceRun, path: str
    ) -> None:
        headers = run.browser("ada").get(path).headers
        assert "server" not in headers
        assert (headers["x-content-type-options"], headers["cache-control"]) == (
            "nosniff",
            "no-store",
        )


class TestLife:
    def test_load_balancers_are_told_whether_it_takes_requests(self, run: ServiceRun) -> None:
        with run.browser() as browser:
            assert browser.get("health").json() == {"status": "ok"}
            assert browser.head("health").status_code == 200

    def test_metrics_name_nobody(self, run: ServiceRun) -> None:
        run.sign_in(run.browser("ada"))
        with run.browser() as browser:
            text = browser.get("metrics").text

        assert "platform_auth_refreshes_total" in text
        assert "ada" not in text

    def test_who_waits_is_answered_when_it_ends(self, run: ServiceRun) -> None:
        token = run.hub.new_token("ada")
        revision = run.call("GET", "profiles/prod", token).json()["revision"]
        answers: list[Any] = []
        path = f"profiles/prod?since={revision}&wait=30"
        waiting = threading.Thread(target=lambda: answers.append(run.call("GET", path, token)))
        waiting.start()
        run.run(_until(lambda: run.service._under_way))
        run.run(run.service.leave(10))
        waiting.join(10)

        assert answers[0].status_code == 200
        assert answers[0].json()["revision"] == revision

    def test_cookies_outlive_a_change_of_keys(self, run: ServiceRun) -> None:
        browser = run.browser("ada")
        browser.open()
        run.new_key()
        begun = len(run.hub.asked)

        assert browser.get("", headers=OWN).status_code == 200
        assert not [path for path in run.hub.asked[begun:] if "oauth2" in path]
        run.service.oauth.cache.clear()
        run.new_key(keep=False)
        assert browser.get("", headers=OWN).status_code == 302


async def _until(condition: Any) -> None:
    import asyncio

    while not condition():  # noqa: ASYNC110 - the thing itself does not announce itself
        await asyncio.sleep(0)
