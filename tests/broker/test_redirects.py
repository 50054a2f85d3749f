from __future__ import annotations

import asyncio

import pytest

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
