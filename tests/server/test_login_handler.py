from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

import pytest
import stamina

if TYPE_CHECKING:
    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox

LOGIN = "platform-auth/login"


def _flow_cookie(answer: Any) -> Any:
    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if "platform-auth-" in c]
    return cookie


def _hidden(page: Any) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))


async def test_sends_the_browser_to_the_provider(
    browser: Any, sandbox: Sandbox, query: Any, jp_http_port: int
) -> None:
    answer = await browser.get(f"{LOGIN}?profile=demo")
    asked = query(answer.headers["location"])

    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{sandbox.issuer}/")
    assert asked["redirect_uri"] == (
        f"http://127.0.0.1:{jp_http_port}/a%40b/platform-auth/callback"
    )
    assert asked["code_challenge_method"] == "S256"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await browser.session())["state"] == "signing_in"


async def test_the_escape_of_the_base_url_survives(browser: Any) -> None:
    answer = await browser.get(f"{LOGIN}?profile=demo")

    assert "%2Fa%2540b%2Fplatform-auth%2Fcallback" in answer.headers["location"]


async def test_the_cookie_is_bound_to_the_pages_and_safe_from_scripts(browser: Any) -> None:
    answer = await browser.get(f"{LOGIN}?profile=demo")
    cookie = _flow_cookie(answer)
    name, value = re.split(r"; |=", cookie)[:2]

    assert re.fullmatch(r"platform-auth-[0-9a-f]{8}", name)
    assert len(value) >= 43
    assert "Path=/a%40b/platform-auth/" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=600" in cookie
    assert "Secure" not in cookie
    assert value not in answer.headers["location"]


async def test_two_tabs_do_not_share_a_cookie(browser: Any, query: Any) -> None:
    first, second = await browser.begin(), await browser.begin()

    assert query(first)["state"] != query(second)["state"]
    assert len(browser.flow_cookies()) == 2


async def test_both_tabs_can_finish(browser: Any, sandbox: Sandbox) -> None:
    first, second = await browser.begin(), await browser.begin()

    for url in (second, first):
        page = await browser.get(sandbox.sign_in_scripted(url))
        assert page.status_code == 200, page.text
    assert (await browser.session())["signed_in_as"] == "ada@example.com"


async def test_without_a_name_the_default_profile_is_meant(browser: Any, sandbox: Sandbox) -> None:
    answer = await browser.get(LOGIN)

    assert answer.headers["location"].startswith(sandbox.issuer)


class TestSignedIn:
    async def test_says_so_and_begins_nothing(self, browser: Any, sandbox: Sandbox) -> None:
        await browser.get(sandbox.sign_in_scripted(await browser.begin()))
        answer = await browser.get(f"{LOGIN}?profile=demo")

        assert answer.status_code == 200
        assert "You are already signed in" in answer.text
        assert "ada@example.com" in answer.text
        assert len(browser.flow_cookies()) == 1  # of the sign-in that is over

    async def test_begins_anew_where_that_is_asked_for(
        self, browser: Any, sandbox: Sandbox
    ) -> None:
        await browser.get(sandbox.sign_in_scripted(await browser.begin()))
        answer = await browser.get(f"{LOGIN}?profile=demo&force=1")

        assert answer.headers["location"].startswith(sandbox.issuer)


class TestOtherSites:
    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    async def test_must_not_begin_a_sign_in(
        self, browser: Any, sandbox: Sandbox, site: str
    ) -> None:
        answer = await browser.get(
            f"{LOGIN}?profile=demo&force=1", headers={"Sec-Fetch-Site": site}
        )

        assert answer.status_code == 200
        assert browser.flow_cookies() == []
        assert (await browser.session())["state"] == "signed_out"
        (link,) = re.findall(r'href="([^"]+)"', answer.text)
        assert link == "/a%40b/platform-auth/login?profile=demo&amp;force=1"
        assert "Continue to sign in" in answer.text

        own = {"Sec-Fetch-Site": "same-origin"}
        followed = await browser.get(link.replace("&amp;", "&"), headers=own)
        assert followed.headers["location"].startswith(sandbox.issuer)

    @pytest.mark.parametrize("site", ["same-origin", "none"])
    async def test_are_not_suspected_in_vain(self, browser: Any, site: str) -> None:
        assert await browser.begin(headers={"Sec-Fetch-Site": site})


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose"])
async def test_a_guess_of_the_browser_begins_nothing(browser: Any, header: str) -> None:
    answer = await browser.get(f"{LOGIN}?profile=demo", headers={header: "prefetch;prerender"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert browser.flow_cookies() == []


async def test_head_begins_nothing(browser: Any) -> None:
    answer = await browser.http.head(f"{LOGIN}?profile=demo")

    assert answer.status_code == 405
    assert browser.flow_cookies() == []


async def test_a_stranger_is_sent_to_jupyters_login_first(stranger: Any) -> None:
    answer = await stranger.get(f"{LOGIN}?profile=demo")

    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/a%40b/login?next=")


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("nobody", 404, "no profile"),
        ("%3Cscript%3Ealert(1)%3C/script%3E", 404, "&lt;script&gt;"),
        ("%ff", 400, "400 Bad Request"),
    ],
)
async def test_an_unknown_profile_is_explained(
    browser: Any, name: str, status: int, says: str
) -> None:
    answer = await browser.get(f"{LOGIN}?profile={name}")

    assert answer.status_code == status
    assert says in answer.text
    assert "<script>" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


class TestAddress:
    @pytest.fixture
    def settings(self) -> Any:
        return {"redirect_base_url": "https://jupyter.example.com/hub/user-redirect/"}

    @pytest.fixture
    def server_settings(self) -> Any:
        return {"allow_remote_access": True}

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1"])
    async def test_a_forged_host_changes_nothing(
        self, stranger: Any, query: Any, jp_auth_header: Any, host: str
    ) -> None:
        headers = {**jp_auth_header, "Host": host}
        answer = await stranger.get(f"{LOGIN}?profile=demo", headers=headers)
        assert query(answer.headers["location"])["redirect_uri"] == (
            "https://jupyter.example.com/hub/user-redirect/platform-auth/callback"
        )
        assert "; Secure" in _flow_cookie(answer)

    async def test_programs_of_this_server_know_it_too(self, broker: Broker) -> None:
        public = "https://jupyter.example.com/hub/user-redirect/platform-auth/callback"
        assert broker.redirects.callback_url() == public


class TestTlsEndsAtTheProxy:
    @pytest.fixture
    def server_settings(self) -> Any:
        return {"trust_xheaders": True, "allow_remote_access": True}

    async def test_the_proxys_scheme_is_the_addresss(
        self, stranger: Any, query: Any, jp_auth_header: Any
    ) -> None:
        proxy = {"X-Forwarded-Proto": "https", "Host": "jupyter.example.com"}
        headers = {**jp_auth_header, **proxy}
        answer = await stranger.get(f"{LOGIN}?profile=demo", headers=headers)

        assert query(answer.headers["location"])["redirect_uri"] == (
            "https://jupyter.example.com/a%40b/platform-auth/callback"
        )
        assert "; Secure" in _flow_cookie(answer)


async def test_a_proxys_word_counts_only_where_it_is_trusted(browser: Any, query: Any) -> None:
    answer = await browser.get(f"{LOGIN}?profile=demo", headers={"X-Forwarded-Proto": "https"})

    assert query(answer.headers["location"])["redirect_uri"].startswith("http://127.0.0.1:")


async def test_the_hubs_public_address_is_used(
    browser: Any, query: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_BASE_URL", "/")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/a%40b/")
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_HUB_URL", "https://hub.example.com/hub/")
    url = await browser.begin()

    assert query(url)["redirect_uri"] == (
        "https://hub.example.com/hub/user-redirect/platform-auth/callback"
    )


class TestOtherWays:
    @pytest.fixture
    def profiles(self, sandbox: Sandbox) -> Any:
        ready = sandbox.profiles()
        paste = {**ready["demo"], "oauth": {**ready["demo"]["oauth"], "redirect": "paste"}}
        return {"paste": paste, "device": ready["demo-device"], "service": ready["demo-service"]}

    async def test_paste_shows_where_to_go_and_takes_what_comes_of_it(
        self, browser: Any, sandbox: Sandbox, query: Any
    ) -> None:
        page = await browser.get(f"{LOGIN}?profile=paste")
        url = (await browser.session("paste"))["challenge"]["url"]

        assert query(url)["redirect_uri"] == "http://localhost:53593/callback"
        assert f'href="{escape(url)}" target="_blank" rel="noopener"' in page.text
        assert "form-action 'self'" in page.headers["content-security-policy"]
        form = {**_hidden(page), "url": f" {sandbox.sign_in_scripted(url)}\n"}
        done = await browser.http.post(f"{LOGIN}?profile=paste", data=form)
        assert done.status_code == 200
        assert "You are signed in" in done.text
        assert "form-action 'none'" in done.headers["content-security-policy"]
        assert (await browser.session("paste"))["state"] == "signed_in"

    async def test_another_address_is_refused_and_can_be_pasted_again(
        self, browser: Any, sandbox: Sandbox
    ) -> None:
        page = await browser.get(f"{LOGIN}?profile=paste")
        url = (await browser.session("paste"))["challenge"]["url"]
        for wrong in ("https://example.com/?code=CANARY&state=<b>", "", "hello"):
            form = {**_hidden(page), "url": wrong}
            page = await browser.http.post(f"{LOGIN}?profile=paste", data=form)
            assert page.status_code == 400
            assert 'role="alert"' in page.text
            assert "CANARY" not in page.text
            assert "<b>" not in page.text
        form = {**_hidden(page), "url": sandbox.sign_in_scripted(url)}
        done = await browser.http.post(f"{LOGIN}?profile=paste", data=form)
        assert "You are signed in" in done.text

    async def test_a_denial_that_is_pasted_is_the_end_of_it(
        self, browser: Any, sandbox: Sandbox
    ) -> None:
        page = await browser.get(f"{LOGIN}?profile=paste")
        url = (await browser.session("paste"))["challenge"]["url"]
        form = {**_hidden(page), "url": sandbox.sign_in_scripted(url, approve=False)}
        done = await browser.http.post(f"{LOGIN}?profile=paste", data=form)
        assert done.status_code == 409
        assert "<form" not in done.text
        assert (await browser.session("paste"))["state"] == "failed"

    async def test_nothing_is_taken_without_the_pages_own_token(
        self, browser: Any, sandbox: Sandbox
    ) -> None:
        await browser.get(f"{LOGIN}?profile=paste")
        url = (await browser.session("paste"))["challenge"]["url"]
        form = {"url": sandbox.sign_in_scripted(url)}
        answer = await browser.http.post(f"{LOGIN}?profile=paste", data=form)
        assert answer.status_code == 403
        assert (await browser.session("paste"))["state"] == "signing_in"

    async def test_nothing_is_taken_where_nothing_is_asked_for(self, browser: Any) -> None:
        page = await browser.get(f"{LOGIN}?profile=paste")
        form = {**_hidden(page), "url": "http://localhost/?code=x&state=y"}
        answer = await browser.http.post(f"{LOGIN}?profile=device", data=form)
        assert answer.status_code == 400
        assert "<form" not in answer.text

    async def test_device_shows_the_code(self, browser: Any) -> None:
        page = await browser.get(f"{LOGIN}?profile=device")
        challenge = (await browser.session("device"))["challenge"]

        assert page.status_code == 200
        assert challenge["user_code"] in page.text
        assert challenge["verification_uri"] in page.text
        again = await browser.get(f"{LOGIN}?profile=device")
        assert challenge["user_code"] in again.text

    async def test_a_service_is_signed_in_at_once(self, browser: Any) -> None:
        page = await browser.get(f"{LOGIN}?profile=service")

        assert page.status_code == 200
        assert "You are signed in" in page.text
        assert (await browser.session("service"))["state"] == "signed_in"


@pytest.mark.parametrize("wish", [{"redirect": "paste"}, {"flow": "device"}])
async def test_a_challenge_that_was_chosen_otherwise_is_kept(browser: Any, wish: Any) -> None:
    path = "platform-auth/api/v1/profiles/demo"
    before = (await browser.post(f"{path}/sign-in", json=wish)).json()["challenge"]
    page = await browser.get(f"{LOGIN}?profile=demo")

    assert (await browser.session())["challenge"] == before
    assert before.get("user_code", escape(before.get("url", ""))) in page.text


class TestProviderDown:
    @pytest.fixture
    def profiles(self, sandbox: Sandbox) -> Any:
        return {"demo": {**sandbox.profiles()["demo"], "oauth": {"issuer": "http://127.0.0.1:9"}}}

    @pytest.fixture(autouse=True)
    def no_second_try(self) -> Any:
        with stamina.set_testing(True):
            yield

    async def test_is_said_on_the_page(self, browser: Any) -> None:
        page = await browser.get(f"{LOGIN}?profile=demo")

        assert page.status_code == 503
        assert "http://127.0.0.1:9 cannot be reached." in page.text
        assert browser.flow_cookies() == []
