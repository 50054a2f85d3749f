"""Faults of the way back: what browsers bring to a Jupyter server's callback page.

The provider is on a socket of its own and sends the browser wherever a test wants; the server is
a whole Jupyter server, seen through its pages, its view of the session and the provider's log.
"""

from __future__ import annotations

import asyncio
import time
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from jupyter_server.serverapp import ServerApp

from fakes.bench import until
from fakes.jupyter import *  # noqa: F403 - its fixtures
from fakes.provider import CLIENT, Provider, form, reply
from fakes.wire import Wire

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterator

    from fakes.jupyter import Browser
    from fakes.leaks import Watch

CALLBACK = "platform-auth/callback"


@pytest.fixture
def wire(jp_asyncio_loop: AbstractEventLoop, watch: Watch) -> Iterator[Wire]:
    wire = Wire()
    wire.provider.now = time.time
    watch.providers.append(wire.provider)
    jp_asyncio_loop.run_until_complete(wire.__aenter__())
    yield wire
    jp_asyncio_loop.run_until_complete(wire.__aexit__(None, None, None))


@pytest.fixture
def provider(wire: Wire) -> Provider:
    return wire.provider


@pytest.fixture
def profiles(wire: Wire) -> dict[str, Any]:
    admin = {
        "endpoint": "flyte.example.com",
        "authType": "Pkce",
        "clientId": CLIENT,
        "scopes": ["openid", "offline_access"],
    }
    return {"demo": {"admin": admin, "oauth": {"issuer": wire.address}}}


class Visit:
    """A person's browser at the server, and what came of it.

    Attributes
    ----------
    browser, provider
        Those.

    """

    def __init__(self, browser: Browser, provider: Provider) -> None:
        self.browser, self.provider = browser, provider

    async def back(self, **changes: str | None) -> str:
        """Begin, sign in at the provider, and return where that sends the browser."""
        return self.provider.authorize(await self.browser.begin(), **changes)

    async def open(self, url: str, status: int, *words: str) -> str:
        """Open a page, which has this status and these words in it."""
        page = await self.browser.get(url)
        text = page.text.partition("</style>")[2]
        assert page.status_code == status, text
        for word in words:
            assert word in text
        return text

    async def refused(self, url: str, *words: str) -> None:
        """Open a page that says to start again, and exchanges nothing."""
        before = self.exchanges()
        await self.open(url, 400, "Start again", *words)
        assert self.exchanges() == before

    async def still_works(self, url: str) -> None:
        """Come back rightly: whatever there was before has used nothing up."""
        assert (await self.browser.session())["state"] == "signing_in"
        await self.open(url, 200, "ada@example.com")
        assert (await self.browser.session())["state"] == "signed_in"

    async def is_over(self, url: str, code: str) -> None:
        """See that the sign-in has ended with this error, and that its state serves no more."""
        session = await self.browser.session()
        assert (session["state"], session["error"]["code"]) == ("failed", code)
        await self.refused(url)

    def exchanges(self) -> int:
        """Return how many codes have been exchanged, or tried to."""
        return len(self.provider.sent_to("token"))


@pytest.fixture
def visit(browser: Browser, provider: Provider) -> Visit:
    return Visit(browser, provider)


@pytest.fixture
def run(jp_asyncio_loop: AbstractEventLoop) -> Callable[[Any], Any]:
    return jp_asyncio_loop.run_until_complete


def swapped(url: str, **changes: str) -> str:
    """Return an address with other parameters."""
    fields = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return f"{url.partition('?')[0]}?{urlencode({**fields, **changes})}"


# -- what the provider says ----------------------------------------------------------------------


def test_a_denial_is_said_calmly_and_asks_for_no_token(visit: Visit, run: Any) -> None:
    async def work() -> None:
        back = await visit.back(code=None, error="access_denied", error_description="no")
        page = await visit.open(back, 200, "You are not signed in", "cancelled or denied")
        assert 'class="bad"' not in page
        assert not visit.exchanges()
        await visit.is_over(back, "access_denied")

    run(work())


@pytest.mark.parametrize("code", [None, ""])
def test_an_answer_without_a_code_or_an_error_is_none(
    visit: Visit, run: Any, code: str | None
) -> None:
    async def work() -> None:
        back = await visit.back(code=code)
        await visit.refused(back, "neither a code nor an error")
        await visit.is_over(back, "callback_invalid")

    run(work())


def test_a_providers_words_are_never_markup(visit: Visit, run: Any) -> None:
    said = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m"

    async def work() -> None:
        back = await visit.back(code=None, error="server_error", error_description=said)
        page = await visit.open(back, 503, "&lt;script&gt;")
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "\x1b" not in page

    run(work())


# -- whose answer it is --------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["x" * 43, "", "%00", "é", "x" * 4097])
def test_an_unknown_state_is_refused_and_uses_nothing_up(
    visit: Visit, run: Any, state: str
) -> None:
    async def work() -> None:
        back = await visit.back()
        await visit.refused(swapped(back, state=state))
        await visit.still_works(back)

    run(work())


class TestExpired:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"sign_in_timeout": 1}

    def test_a_state_that_is_too_old_is_refused_and_the_person_knows_why(
        self, visit: Visit, run: Any
    ) -> None:
        async def work() -> None:
            back = await visit.back()
            while (await visit.browser.session())["state"] == "signing_in":
                revision = (await visit.browser.session())["revision"]
                path = f"platform-auth/api/v1/profiles/demo?since={revision}&wait=5"
                await visit.browser.get(path)
            await visit.refused(back, "has expired")
            await visit.is_over(back, "sign_in_expired")

        run(work())


def test_a_state_serves_once_even_where_the_exchange_fails(visit: Visit, run: Any) -> None:
    async def work() -> None:
        back = await visit.back()
        visit.provider.next["token"].append(reply({"error": "invalid_grant"}, 400))
        await visit.open(back, 502, "no longer accepts")
        await visit.is_over(back, "invalid_grant")

    run(work())


@pytest.mark.parametrize("name", ["state", "code", "iss", "error"])
@pytest.mark.parametrize("value", ["the same", "another"])
def test_a_parameter_that_appears_twice_is_refused(
    visit: Visit, run: Any, name: str, value: str
) -> None:
    async def work() -> None:
        back = await visit.back(error="access_denied" if name == "error" else None)
        first = parse_qs(urlsplit(back).query)[name][0]
        twice = urlencode({name: first if value == "the same" else value})
        await visit.refused(f"{back}&{twice}", f"{name} appears twice")

    run(work())


def test_a_page_that_is_loaded_again_says_the_same_and_exchanges_nothing(
    visit: Visit, run: Any
) -> None:
    async def work() -> None:
        back = await visit.back()
        await visit.open(back, 200, "ada@example.com")
        for _ in range(3):
            await visit.open(back, 200, "ada@example.com")
        assert visit.exchanges() == 1

    run(work())


def test_a_page_that_is_loaded_twice_at_once_exchanges_once(visit: Visit, run: Any) -> None:
    async def work() -> None:
        back = await visit.back()
        visit.provider.gate.clear()
        both = [asyncio.create_task(visit.open(back, 200, "ada@example.com")) for _ in range(2)]
        await until(visit.exchanges)
        visit.provider.gate.set()
        await asyncio.gather(*both)
        assert visit.exchanges() == 1

    run(work())


def test_a_browser_that_only_guesses_uses_nothing_up(visit: Visit, run: Any) -> None:
    async def work() -> None:
        back = await visit.back()
        page = await visit.browser.get(back, headers={"Sec-Purpose": "prefetch"})
        assert (page.status_code, page.content) == (204, b"")
        assert (await visit.browser.http.head(back)).status_code == 405
        await visit.still_works(back)

    run(work())


class TestAnotherBrowser:
    @pytest.fixture
    def other(self, visit: Visit, new_browser: Callable[[], Browser], run: Any) -> Visit:
        """Another browser of the same person's."""
        other = new_browser()
        run(other.log_in(visit.browser.token))
        return Visit(other, visit.provider)

    @pytest.mark.parametrize("cookie", [None, "x" * 43, ""])
    def test_is_refused_whatever_its_cookie_and_uses_nothing_up(
        self, visit: Visit, other: Visit, run: Any, cookie: str | None
    ) -> None:
        async def work() -> None:
            back = await visit.back()
            if cookie is not None:
                (name,) = visit.browser.flow_cookies()
                other.browser.http.cookies.set(name, cookie, domain="127.0.0.1", path="/")
            await other.refused(back)
            await visit.still_works(back)

        run(work())

    def test_is_told_nothing_afterwards(self, visit: Visit, other: Visit, run: Any) -> None:
        async def work() -> None:
            back = await visit.back()
            await visit.open(back, 200, "ada@example.com")
            page = await other.open(back, 400, "Start again")
            assert "ada@example.com" not in page

        run(work())


class TestAnotherUser:
    @pytest.fixture
    def server_settings(self, named_users: Any) -> dict[str, Any]:
        return {"identity_provider_class": named_users}

    def test_of_the_same_browser_is_refused(
        self, stranger: Browser, provider: Provider, run: Any
    ) -> None:
        ada, grace = {"X-Remote-User": "ada"}, {"X-Remote-User": "grace"}

        async def work() -> None:
            back = provider.authorize(await stranger.begin(headers=ada))
            assert (await stranger.get(back, headers=grace)).status_code == 400
            assert not provider.sent_to("token")
            assert (await stranger.get(back, headers=ada)).status_code == 200
            assert (await stranger.get(back, headers=ada)).status_code == 200
            assert (await stranger.get(back, headers=grace)).status_code == 400

        run(work())


class TestIssuer:
    @pytest.fixture(params=[True, False], ids=["promised", "not promised"])
    def promised(self, provider: Provider, request: pytest.FixtureRequest) -> bool:
        provider.metadata["authorization_response_iss_parameter_supported"] = request.param
        return bool(request.param)

    @pytest.mark.parametrize("said", ["https://evil.example", "{issuer}/", "", "{escaped}"])
    def test_another_one_is_refused(
        self, visit: Visit, run: Any, promised: bool, said: str
    ) -> None:
        """Percent-encoded once it is as it should be; ``{escaped}`` is so twice."""
        issuer = visit.provider.metadata["issuer"]

        async def work() -> None:
            iss = said.format(issuer=issuer, escaped=quote(issuer, safe=""))
            await visit.refused(await visit.back(iss=iss), "another identity provider answered")

        run(work())

    def test_is_missed_where_it_was_promised(self, visit: Visit, run: Any, promised: bool) -> None:
        async def work() -> None:
            back = await visit.back(iss=None)
            if promised:
                await visit.refused(back, "did not name itself, though it promised to")
            else:
                await visit.still_works(back)

        run(work())


# -- strange but right, and strange ways to bring it ---------------------------------------------


@pytest.mark.parametrize(
    "code", ["a+b c%2B", "nul\0nul", "ünï-東京", "a&state=evil", "x" * 4096, "'\"<>"]
)
def test_a_code_arrives_as_it_is(visit: Visit, run: Any, code: str) -> None:
    async def work() -> None:
        back = swapped(await visit.back(), code=code)
        codes = visit.provider._codes
        codes[code] = codes.popitem()[1]
        await visit.open(back, 200, "ada@example.com")

    run(work())
    assert form(visit.provider.sent_to("token")[0])["code"] == code


def test_a_code_of_ten_kilobytes_is_refused_unread(visit: Visit, run: Any) -> None:
    async def work() -> None:
        await visit.refused(swapped(await visit.back(), code="x" * 10_000), "code is too long")

    run(work())


@pytest.mark.parametrize("address", ["", "?", "?x=y"])
def test_an_answer_after_a_hash_never_gets_here_and_the_page_says_so(
    visit: Visit, run: Any, address: str
) -> None:
    async def work() -> None:
        back = await visit.back()
        await visit.refused(CALLBACK + address, "after a #", "response_mode")
        await visit.still_works(back)

    run(work())


def test_an_answer_in_a_form_is_not_read(visit: Visit, run: Any) -> None:
    """Nobody can configure it: it would come without the cookie that binds it to its browser."""

    async def work() -> None:
        back = await visit.back()
        fields = parse_qs(urlsplit(back).query)
        page = await visit.browser.http.post(CALLBACK, data=fields)
        assert page.status_code in {403, 405}
        assert "Sign-in failed" in page.text
        await visit.still_works(back)

    run(work())


# -- people who take their time, or two ways at once ---------------------------------------------


def test_of_ever_more_tabs_only_the_last_ones_are_waited_for(visit: Visit, run: Any) -> None:
    async def work() -> None:
        backs = [await visit.back() for _ in range(33)]
        await visit.refused(backs[0])
        await visit.still_works(backs[-1])

    run(work())


def test_of_two_tabs_each_has_its_answer_and_both_say_who_is_signed_in(
    visit: Visit, run: Any
) -> None:
    async def work() -> None:
        one, other = await visit.back(), await visit.back()
        assert parse_qs(urlsplit(one).query)["state"] != parse_qs(urlsplit(other).query)["state"]
        for back in (other, one, other, one):
            await visit.open(back, 200, "ada@example.com")
        assert visit.exchanges() == 2

    run(work())


def test_a_server_that_was_restarted_meanwhile_says_to_start_again(
    visit: Visit,
    run: Any,
    http_server: Any,
    extension: Any,
    jp_configurable_serverapp: Callable[[], ServerApp],
) -> None:
    back = run(visit.back())
    run(extension.stop_extension())
    ServerApp.clear_instance()
    restarted = jp_configurable_serverapp()
    http_server.request_callback = restarted.web_app

    async def work() -> None:
        await visit.browser.log_in(restarted.identity_provider.token)
        await visit.refused(back, "Start the sign-in again")
        await visit.open(await visit.back(), 200, "ada@example.com")

    run(work())


# -- where the way back leads --------------------------------------------------------------------


class TestBehindProxies:
    PUBLIC = "https://hub.example.com/hub/user-redirect/"

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"redirect_base_url": self.PUBLIC}

    @pytest.fixture
    def server_settings(self) -> dict[str, Any]:
        return {"allow_remote_access": True}

    @pytest.mark.parametrize("host", ["127.0.0.1", "evil.example", "hub.example.com:8443"])
    def test_the_configured_address_counts_and_never_the_requests(
        self, visit: Visit, run: Any, host: str, jp_base_url: str
    ) -> None:
        """Nothing warns of a ``Host`` that differs: behind proxies it always does."""
        token = {"Authorization": f"token {visit.browser.token}"}
        forged = {**token, "Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "http"}

        async def work() -> None:
            begun = await visit.browser.get("platform-auth/login?profile=demo", headers=forged)
            # To the browser it is one host all the time.
            for name, cookie in SimpleCookie(begun.headers["set-cookie"]).items():
                visit.browser.http.cookies.set(name, cookie.value, domain="127.0.0.1", path="/")
            back = visit.provider.authorize(begun.headers["location"])
            assert back.startswith(f"{self.PUBLIC}platform-auth/callback?")
            # The Hub sends it on to the person's own server, whatever that is called.
            here = f"{jp_base_url}{CALLBACK}?{urlsplit(back).query}"
            page = await visit.browser.get(here)
            assert "ada@example.com" in page.text

        run(work())
        [exchange] = visit.provider.sent_to("token")
        assert form(exchange)["redirect_uri"] == f"{self.PUBLIC}platform-auth/callback"


class TestOffloadedTls:
    @pytest.fixture
    def server_settings(self) -> dict[str, Any]:
        return {"trust_xheaders": True, "allow_remote_access": True}

    def test_a_proxy_that_ends_tls_is_believed_where_the_server_trusts_it(
        self, visit: Visit, run: Any, jp_base_url: str
    ) -> None:
        token = {"Authorization": f"token {visit.browser.token}"}
        proxy = {**token, "X-Forwarded-Proto": "https", "Host": "jupyter.example.com"}

        async def work() -> None:
            back = visit.provider.authorize(await visit.browser.begin(headers=proxy))
            assert back.startswith(f"https://jupyter.example.com{jp_base_url}{CALLBACK}?")

        run(work())


def test_somebody_else_who_signs_in_does_not_take_over(visit: Visit, run: Any, broker: Any) -> None:
    async def work() -> None:
        await visit.open(await visit.back(), 200, "ada@example.com")
        before = (await broker.token("demo")).fingerprint
        visit.provider.claims |= {"sub": "grace", "email": "grace@example.com"}
        begun = "platform-auth/login?profile=demo&force=1"
        there = (await visit.browser.get(begun)).headers["location"]
        await visit.open(
            visit.provider.authorize(there),
            409,
            "grace@example.com signed in, but this session belongs to ada@example.com",
            "Sign out first to switch accounts",
        )
        session = await visit.browser.session()
        assert session["signed_in_as"] == "ada@example.com"
        assert (await broker.token("demo")).fingerprint == before

    run(work())
