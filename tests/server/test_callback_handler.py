from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from platform_auth.broker.pages import CONTENT_SECURITY_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox

CALLBACK = "platform-auth/callback"

RUBBISH = [
    "",
    "?",
    "?code=x",
    "?state=",
    "?state=x&state=y&code=z",
    "?code=%00&state=%ff%fe",
    "?state=" + "x" * 5000,
    "?" + "&".join(f"a{n}=b" for n in range(500)),
    "?error=access_denied&state=nobody",
    "?%5B%5D[[[=]]]&code",
    "?state=\u00e9;code=\u00e9",
    "#code=x&state=y",
]
HEADERS = {
    "cache-control": "no-store",
    "content-type": "text/html; charset=utf-8",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


async def test_signs_in(browser: Any, sandbox: Sandbox) -> None:
    page = await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    view = await browser.session()

    assert page.status_code == 200
    assert "Signed in as ada@example.com to " + view["platform"] in page.text
    assert "You can close this tab." in page.text
    assert "window.close()" in page.text
    assert (view["state"], view["signed_in_as"]) == ("signed_in", "ada@example.com")


async def test_the_headers_let_nothing_in_or_out(browser: Any, sandbox: Sandbox) -> None:
    page = await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    policy = page.headers["content-security-policy"].split("; ")

    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    assert policy[0] == "default-src 'none'"
    assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} < set(policy)
    assert not [part for part in policy if "unsafe" in part or "*" in part]
    assert "etag" not in page.headers


class TestLooseServer:
    @pytest.fixture
    def server_settings(self) -> dict[str, Any]:
        policy = "default-src * 'unsafe-inline'; frame-ancestors *"
        return {"tornado_settings": {"headers": {"Content-Security-Policy": policy}}}

    async def test_does_not_loosen_the_pages(self, browser: Any) -> None:
        page = await browser.get(CALLBACK)

        assert page.headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]


async def test_a_denial_is_said_calmly(browser: Any, sandbox: Sandbox) -> None:
    page = await browser.get(sandbox.sign_in_scripted(await browser.begin(), approve=False))
    view = await browser.session()

    assert page.status_code == 200
    assert "You are not signed in" in page.text
    assert 'class="bad"' not in page.text
    assert (view["state"], view["error"]["code"]) == ("failed", "access_denied")


async def test_the_page_loaded_again_says_the_same(browser: Any, sandbox: Sandbox) -> None:
    back = sandbox.sign_in_scripted(await browser.begin())
    first = await browser.get(back)
    exchanged = len(sandbox.requests)
    again = await browser.get(back)

    assert (first.status_code, again.status_code) == (200, 200)
    assert "ada@example.com" in again.text
    assert len(sandbox.requests) == exchanged


async def test_another_browser_is_told_nothing_afterwards(
    browser: Any, new_browser: Callable[[], Any], sandbox: Sandbox
) -> None:
    other = new_browser()
    await other.log_in(browser.token)
    back = sandbox.sign_in_scripted(await browser.begin())
    await browser.get(back)
    page = await other.get(back)

    assert page.status_code == 400
    assert "ada@example.com" not in page.text


class TestRefused:
    """Whatever does not belong to the sign-in is refused and uses nothing up."""

    async def _still_works(self, browser: Any, back: Any) -> Any:
        assert (await browser.session())["state"] == "signing_in"
        assert (await browser.get(back)).status_code == 200
        assert (await browser.session())["state"] == "signed_in"

    async def test_another_state(self, browser: Any, sandbox: Sandbox, query: Any) -> None:
        back = sandbox.sign_in_scripted(await browser.begin())
        page = await browser.get(back.replace(query(back)["state"], "x" * 43))

        assert page.status_code == 400
        assert "Start again" in page.text
        await self._still_works(browser, back)

    async def test_another_browser(
        self, browser: Any, new_browser: Callable[[], Any], sandbox: Sandbox
    ) -> None:
        other = new_browser()
        await other.log_in(browser.token)
        back = sandbox.sign_in_scripted(await browser.begin())
        page = await other.get(back)

        assert page.status_code == 400
        assert "Start again" in page.text
        await self._still_works(browser, back)

    async def test_a_browser_with_another_cookie(
        self, browser: Any, new_browser: Callable[[], Any], sandbox: Sandbox
    ) -> None:
        other = new_browser()
        await other.log_in(browser.token)
        back = sandbox.sign_in_scripted(await browser.begin())
        (name,) = browser.flow_cookies()
        other.http.cookies.set(name, "x" * 43, domain="127.0.0.1", path="/")
        page = await other.get(back)

        assert page.status_code == 400
        await self._still_works(browser, back)

    async def test_a_guess_of_the_browser(self, browser: Any, sandbox: Sandbox) -> None:
        back = sandbox.sign_in_scripted(await browser.begin())
        page = await browser.get(back, headers={"Sec-Purpose": "prefetch"})

        assert (page.status_code, page.content) == (204, b"")
        await self._still_works(browser, back)

    async def test_head(self, browser: Any, sandbox: Sandbox) -> None:
        back = sandbox.sign_in_scripted(await browser.begin())

        assert (await browser.http.head(back)).status_code == 405
        await self._still_works(browser, back)

    async def test_a_stranger(self, browser: Any, stranger: Any, sandbox: Sandbox) -> None:
        back = sandbox.sign_in_scripted(await browser.begin())
        page = await stranger.get(back)

        assert page.status_code == 302
        assert page.headers["location"].startswith("/a%40b/login?next=")
        await self._still_works(browser, back)

    async def test_rubbish(self, browser: Any, sandbox: Sandbox) -> None:
        back = sandbox.sign_in_scripted(await browser.begin())
        for text in RUBBISH:
            page = await browser.get(CALLBACK + text)
            assert (page.status_code, "Start again" in page.text) == (400, True), text
        await self._still_works(browser, back)


async def test_a_state_serves_once_even_for_a_failure(
    browser: Any, sandbox: Sandbox, query: Any
) -> None:
    back = sandbox.sign_in_scripted(await browser.begin())
    wrong = await browser.get(back.replace(query(back)["code"], "wrong"))
    again = await browser.get(back)

    assert wrong.status_code >= 400
    assert again.status_code == 400
    assert (await browser.session())["state"] == "failed"


async def test_what_a_provider_says_is_never_markup(
    browser: Any, sandbox: Sandbox, query: Any
) -> None:
    state = query(await browser.begin())["state"]
    payload = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    page = await browser.get(
        f"{CALLBACK}?error=server_error&error_description={quote(payload)}"
        f"&state={state}&iss={quote(sandbox.issuer, safe='')}"
    )

    assert page.status_code >= 400
    assert "<script>alert" not in page.text
    assert "<img" not in page.text


async def test_a_sign_in_that_took_too_long_is_over(
    browser: Any, sandbox: Sandbox, broker: Broker
) -> None:
    back = sandbox.sign_in_scripted(await browser.begin())
    broker._sign_ins._expire(await broker.session("demo"))  # as its timer does
    page = await browser.get(back)
    view = await browser.session()

    assert page.status_code == 400
    assert (view["state"], view["error"]["code"]) == ("failed", "sign_in_expired")


async def test_a_restarted_server_knows_of_no_sign_in(
    browser: Any, sandbox: Sandbox, broker: Broker
) -> None:
    back = sandbox.sign_in_scripted(await browser.begin())
    await broker.cancel("demo")
    page = await browser.get(back)

    assert page.status_code == 400
    assert "Start the sign-in again" in page.text


async def test_two_callbacks_at_once_exchange_the_code_once(browser: Any, sandbox: Sandbox) -> None:
    back = sandbox.sign_in_scripted(await browser.begin())
    exchanged = len(sandbox.requests)
    pages = await asyncio.gather(browser.get(back), browser.get(back))

    assert 200 in [page.status_code for page in pages]
    assert len(sandbox.requests) == exchanged + 1
    assert (await browser.session())["state"] == "signed_in"


class TestUsers:
    """Where the server knows its users, a sign-in is its user's alone."""

    @pytest.fixture
    def server_settings(self, named_users: Any) -> Any:
        return {"identity_provider_class": named_users}

    async def test_another_user_of_the_same_browser_is_refused(
        self, stranger: Any, sandbox: Sandbox, broker: Broker
    ) -> None:
        ada, grace = {"X-Remote-User": "ada"}, {"X-Remote-User": "grace"}
        back = sandbox.sign_in_scripted(await stranger.begin(headers=ada))

        assert (await stranger.get(back, headers=grace)).status_code == 400
        assert (await broker.session("demo")).record is None

        assert (await stranger.get(back, headers=ada)).status_code == 200
        assert (await stranger.get(back, headers=ada)).status_code == 200
        assert (await stranger.get(back, headers=grace)).status_code == 400
