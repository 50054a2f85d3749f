from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.broker.pages import CONTENT_SECURITY_POLICY

if TYPE_CHECKING:
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


class TestRefused:
    """Whatever does not belong to the sign-in is refused and uses nothing up."""

    async def _still_works(self, browser: Any, back: Any) -> Any:
        assert (await browser.session())["state"] == "signing_in"
        assert (await browser.get(back)).status_code == 200
        assert (await browser.session())["state"] == "signed_in"

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
