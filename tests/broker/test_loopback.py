from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx2
import pytest

from platform_auth.broker.loopback import LoopbackListener
from platform_auth.broker.redirects import Redirects
from platform_auth.config import Profile, ProfileSource
from platform_auth.errors import AccessDeniedError, ConfigError
from platform_auth.oauth import redaction


def answer_to(outcome: Exception | None) -> httpx2.Response:
    """Come back with a browser while the listener is closed as soon as it knows the answer."""

    async def visited() -> httpx2.Response:
        known, finished = asyncio.Event(), asyncio.Event()

        async def answered(_url: str) -> None:
            known.set()
            for _ in range(5):
                await asyncio.sleep(0)  # others get their turn, among them who closes
            finished.set()
            if outcome is not None:
                raise outcome

        listener = LoopbackListener(answered)
        uri = await listener.start()
        async with httpx2.AsyncClient(trust_env=False) as browser:
            page = asyncio.create_task(browser.get(f"{uri}?code=x&state=y"))
            await known.wait()
            await listener.close()
            assert finished.is_set()
            return await page

    return asyncio.run(visited())


def test_closing_waits_for_the_page_that_says_it_went_well() -> None:
    page = answer_to(None)
    assert page.status_code == 200
    assert "You are signed in" in page.text


def test_closing_waits_for_the_page_that_says_it_failed() -> None:
    page = answer_to(AccessDeniedError("They said no.", fix="Ask <them>."))
    assert page.status_code == 400
    assert "Ask &lt;them&gt;." in page.text


def visit(*paths: str, outcome: Exception | None = None, method: str = "GET") -> list[Any]:
    """Visit a listener on these paths; return what it was told, then its pages."""

    async def visited() -> list[Any]:
        told: list[str] = []

        async def answered(url: str) -> None:
            told.append(url)
            if outcome is not None:
                raise outcome

        listener = LoopbackListener(answered)
        home = (await listener.start()).removesuffix("/callback")
        async with httpx2.AsyncClient(trust_env=False) as browser:
            pages = [await browser.request(method, home + path) for path in paths]
        await listener.close()
        return [told, *pages]

    return asyncio.run(visited())


def test_it_listens_on_this_machine_alone_on_a_port_of_its_own() -> None:
    async def started() -> str:
        listener = LoopbackListener(_nobody)
        try:
            return await listener.start()
        finally:
            await listener.close()

    assert asyncio.run(started()).startswith("http://127.0.0.1:")


@pytest.mark.parametrize("path", ["/favicon.ico", "/", "/callback/x", "/callback2?code=x"])
def test_other_paths_are_not_the_callback(path: str) -> None:
    told, page = visit(path)
    assert page.status_code == 404
    assert told == []


def test_it_hands_over_the_address_as_it_came() -> None:
    told, page = visit("/callback?code=a%2Bb+c&state=%C3%A4")
    assert told == ["/callback?code=a%2Bb+c&state=%C3%A4"]
    assert page.status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_a_browser_comes_back_by_get_alone(method: str) -> None:
    told, page = visit("/callback?code=x&state=y", method=method)
    assert page.status_code == 405
    assert told == []


def test_its_pages_are_open_to_nothing() -> None:
    _told, page = visit("/callback?code=x&state=y", outcome=AccessDeniedError("<b>no</b>"))
    assert "<b>no</b>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


def test_what_nobody_foresaw_shows_and_logs_no_code(caplog: pytest.LogCaptureFixture) -> None:
    redaction.install()
    told, page = visit("/callback?code=CANARY&state=y", outcome=ZeroDivisionError("oops"))
    assert page.status_code == 500
    assert told
    assert "oops" not in page.text
    assert "ZeroDivisionError" in caplog.text
    assert "CANARY" not in caplog.text + page.text


@pytest.mark.parametrize(
    "uri",
    [
        "http://10.0.0.1:53593/callback",
        "http://0.0.0.0:53593/callback",
        "http://example.com/callback",
        "https://127.0.0.1:53593/callback",
        "http://127.0.0.1:53593",
    ],
)
def test_an_address_that_is_not_of_this_machine_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="no address a program here can listen on"):
        asyncio.run(LoopbackListener(_nobody).start(uri))


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}/callback"
        with pytest.raises(ConfigError, match="cannot be listened on") as caught:
            asyncio.run(LoopbackListener(_nobody).start(uri))
    assert "paste" in caught.value.fix


def test_it_listens_until_the_last_holder_lets_go() -> None:
    async def held() -> None:
        listener = LoopbackListener(_nobody)
        await listener.start()
        first, second = listener.hold(), listener.hold()
        first()
        assert listener.is_listening
        second()
        assert not listener.is_listening
        assert not listener.is_busy

    asyncio.run(held())


def test_two_profiles_with_one_registered_address_share_a_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        uri = f"http://127.0.0.1:{free.getsockname()[1]}/callback"

    def named(name: str) -> Profile:
        shape = {"admin": {"endpoint": "a.example.com"}, "oauth": {"redirect_uri": uri}}
        return Profile.from_mapping(name, shape, source=ProfileSource.USER)

    async def chosen() -> None:
        redirects = Redirects()
        one = await redirects.choose(named("one"), _nobody)
        other = await redirects.choose(named("other"), _nobody)
        assert one.redirect_uri == other.redirect_uri == uri
        (listener,) = redirects._listeners
        assert one.release is not None
        assert other.release is not None
        one.release()
        assert listener.is_listening
        other.release()
        assert not listener.is_listening
        again = await redirects.choose(named("one"), _nobody)
        assert again.redirect_uri == uri
        await redirects.close()

    asyncio.run(chosen())


async def _nobody(_url: str) -> None:
    """Take an answer that never comes."""


def test_localhost_is_both_of_its_addresses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def visited() -> list[int]:
        listener = LoopbackListener(_nobody)
        await listener.start(f"http://localhost:{port}/callback")
        async with httpx2.AsyncClient(trust_env=False) as browser:
            hosts = (
                ["127.0.0.1", "[::1]"] if socket.has_ipv6 and _has_loopback6() else ["127.0.0.1"]
            )
            pages = [await browser.get(f"http://{host}:{port}/callback?code=x") for host in hosts]
        await listener.close()
        return [page.status_code for page in pages]

    assert set(asyncio.run(visited())) == {200}


def _has_loopback6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
