from __future__ import annotations

import asyncio
import socket

import pytest

from harness.ports import free_port
from platform_auth.broker.redirects import PASTE_REDIRECT_URI, Redirect, Redirects, Way
from platform_auth.config import Profile, ProfileSource
from platform_auth.errors import ConfigError

LOGIN = "/a%40b/platform-auth/login"


def profile(**oauth: str) -> Profile:
    shape = {"admin": {"endpoint": "flyte.example.com"}, "oauth": oauth}
    return Profile.from_mapping("prod", shape, source=ProfileSource.USER)


async def _nobody(_url: str) -> None:
    """Take an answer that never comes."""


def choose(redirects: Redirects, wish: str | None, **oauth: str) -> Redirect:
    async def chosen() -> Redirect:
        try:
            return await redirects.choose(profile(**oauth), _nobody, wish)
        finally:
            await redirects.close()

    return asyncio.run(chosen())


def test_a_wish_wins_over_the_profile() -> None:
    found = choose(Redirects(LOGIN), "paste", redirect="server")
    assert found == Redirect(Way.PASTE, PASTE_REDIRECT_URI)


def test_a_wish_for_auto_takes_what_is_possible() -> None:
    assert choose(Redirects(LOGIN), "auto", redirect="paste").kind is Way.SERVER
    assert choose(Redirects(), "auto", redirect="paste").kind is Way.LOOPBACK


def test_no_wish_leaves_it_to_the_profile() -> None:
    found = choose(Redirects(LOGIN), None, redirect="paste", redirect_uri="http://localhost:1/cb")
    assert found == Redirect(Way.PASTE, "http://localhost:1/cb")


def test_a_wish_that_is_none_of_the_ways_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="pigeon") as caught:
        choose(Redirects(LOGIN), "pigeon")
    assert "loopback" in caught.value.fix


def test_the_server_is_no_way_where_there_is_none() -> None:
    with pytest.raises(ConfigError, match="none is here"):
        choose(Redirects(), "server")


FLYTE = "http://localhost:53593/callback"
HUB = "https://hub.example.com/hub/user-redirect/platform-auth/callback"


@pytest.mark.parametrize(
    ("registered", "on_a_server", "alone"),
    [
        (None, Way.SERVER, Way.LOOPBACK),
        (FLYTE, Way.PASTE, Way.LOOPBACK),
        ("http://127.0.0.1:9/cb", Way.PASTE, Way.LOOPBACK),
        ("http://[::1]:9/cb", Way.PASTE, Way.LOOPBACK),
        (HUB, Way.SERVER, Way.PASTE),
        ("http://127.0.0.1:8888/a%40b/platform-auth/callback", Way.SERVER, Way.LOOPBACK),
        ("https://console.example.com/callback", Way.PASTE, Way.PASTE),
    ],
)
def test_the_one_address_that_is_registered_decides(
    registered: str | None, on_a_server: Way, alone: Way
) -> None:
    oauth = {"redirect_uri": registered} if registered else {}
    assert Redirects(LOGIN).way(profile(**oauth)) is on_a_server
    assert Redirects().way(profile(**oauth)) is alone


@pytest.mark.parametrize("way", ["server", "loopback", "paste"])
@pytest.mark.parametrize("registered", [FLYTE, HUB])
def test_any_way_can_be_forced(way: str, registered: str) -> None:
    assert Redirects(LOGIN).way(profile(redirect_uri=registered), way) is Way(way)
    assert Redirects(LOGIN).way(profile(redirect_uri=registered, redirect=way)) is Way(way)


class TestListening:
    """What is listened on, while a sign-in waits."""

    def choose(
        self, redirects: Redirects, uri: str, wish: str | None = None
    ) -> tuple[Redirect, bool]:
        """Return the way, and whether somebody listened."""

        async def chosen() -> tuple[Redirect, bool]:
            found = await redirects.choose(profile(redirect_uri=uri), _nobody, wish)
            heard = _is_listened_on(uri)
            if found.release is not None:
                found.release()
                assert not _is_listened_on(uri)
            return found, heard

        return asyncio.run(chosen())

    @pytest.fixture
    def uri(self) -> str:
        return f"http://localhost:{free_port()}/callback"

    def test_alone_on_the_registered_port(self, uri: str) -> None:
        found, heard = self.choose(Redirects(), uri)
        assert (found, heard) == (Redirect(Way.LOOPBACK, uri), True)
        assert f"comes back by itself, to {uri}" in found.sentence

    def test_where_another_program_has_that_port_it_is_pasted(self, uri: str) -> None:
        with _taken(uri):
            found, _ = self.choose(Redirects(), uri)
            assert found == Redirect(Way.PASTE, uri)
            assert found.release is None
            with pytest.raises(ConfigError, match="cannot be listened on"):
                self.choose(Redirects(), uri, "loopback")

    def test_on_a_server_nobody_listens_for_a_browser_that_is_elsewhere(self, uri: str) -> None:
        found, heard = self.choose(Redirects(LOGIN), uri)
        assert (found, heard) == (Redirect(Way.PASTE, uri), False)
        assert f"It ends on an address that cannot be reached ({uri})" in found.sentence

    def test_on_a_server_a_browser_that_may_be_here_may_come_back_by_itself(self, uri: str) -> None:
        redirects = Redirects(LOGIN)
        redirects.browser_may_be_here = True
        found, heard = self.choose(redirects, uri)
        assert (found, heard) == (Redirect(Way.PASTE, uri), True)
        assert "If it ends on an address that cannot be reached" in found.sentence
        assert "paste" in found.sentence

    def test_if_not_for_another_program_on_that_port(self, uri: str) -> None:
        redirects = Redirects(LOGIN)
        redirects.browser_may_be_here = True
        with _taken(uri):
            found, _ = self.choose(redirects, uri)
        assert (found.kind, found.release) == (Way.PASTE, None)

    def test_nobody_can_listen_on_another_machines_address(self) -> None:
        redirects = Redirects(LOGIN)
        redirects.browser_may_be_here = True
        chosen = choose(redirects, None, redirect_uri="https://console.example.com/callback")
        assert (chosen.kind, chosen.release) == (Way.PASTE, None)


def _port(uri: str) -> int:
    return int(uri.rpartition(":")[2].partition("/")[0])


def _taken(uri: str) -> socket.socket:
    return socket.create_server(("127.0.0.1", _port(uri)))


def _is_listened_on(uri: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", _port(uri))) == 0


def test_a_sentence_holds_no_query() -> None:
    assert "secret" not in Redirect(Way.PASTE, "https://a.example/cb?code=secret").sentence


def test_a_servers_own_page_needs_no_address() -> None:
    assert "comes back to Jupyter" in Redirect(Way.SERVER).sentence


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        (None, "/a%40b/platform-auth/callback"),
        ("https://hub.example.com/x/", "https://hub.example.com/x/platform-auth/callback"),
    ],
)
def test_a_servers_redirect_uri(base_url: str | None, expected: str) -> None:
    assert Redirects("/a%40b/platform-auth/login", base_url).callback_url() == expected


def test_no_redirect_uri_without_a_server() -> None:
    assert Redirects().callback_url() is None
