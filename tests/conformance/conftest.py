"""What a relying party must do in each of the tables' rows: take it, or leave it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.watched import *  # noqa: F403 - worlds, and a watch that no secret shows in them
from fakes.world import World, failure
from platform_auth.broker.session import State
from platform_auth.clients.http import async_http_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_auth.broker.access_token import AccessToken
    from platform_auth.errors import PlatformAuthError


class RelyingParty:
    """Signs in at a provider that does as a row says.

    Attributes
    ----------
    world, provider
        Those.

    """

    def __init__(self, world: World) -> None:
        self.world, self.provider = world, world.provider

    def accepts(self, **callback: str | None) -> None:
        """Sign in, be ada, and use the platform: one token request, one call with its token."""

        async def work() -> None:
            session = await self.world.sign_in(**callback)
            assert session.state is State.SIGNED_IN
            assert session.identity is not None
            assert session.identity.subject == "ada"
            await self._call(await self.world.broker.token("prod"))

        self.world.run(work)
        assert self.world.asked() == 1
        self.uses_header()

    def refuses(self, kind: type[PlatformAuthError], words: str = "", **callback: Any) -> None:
        """Sign in and get this error: nobody is signed in, nothing is kept, nothing is called."""

        async def work() -> None:
            error = await failure(self.world.sign_in(**callback))
            assert type(error) is kind
            assert words in str(error)
            session = await self.world.broker.session("prod")
            assert (session.state, session.record, session.identity) == (State.FAILED, None, None)
            await failure(self.world.broker.token("prod"))

        self.world.run(work)
        assert not self.world.asked("userinfo")
        assert not self.world.asked("me")

    def stops(self, kind: type[PlatformAuthError], words: str = "", **callback: Any) -> None:
        """Be refused before any endpoint is called with what came back."""
        self.refuses(kind, words, **callback)
        assert not self.world.asked()

    def keeps_what_it_had(self, words: str) -> None:
        """Refresh, and keep nothing of the reply: the old token serves while it lives."""

        async def work() -> None:
            token = await self.world.signed_in()
            session = await self.world.broker.session("prod")
            before = session.record
            error = await failure(self.world.refreshed(token))
            assert words in error.why
            assert session.record is before
            assert (await self.world.broker.token("prod")).fingerprint == token.fingerprint

        self.world.run(work)
        assert not self.world.asked("me")

    def refreshes(self) -> None:
        """Refresh twice: each time with the newest refresh token, and use the new access token."""

        async def work() -> None:
            token = await self.world.signed_in()
            for _ in range(2):
                token = await self.world.refreshed(token)
            await self._call(token)

        self.world.run(work)
        sent = [request.body for request in self.provider.sent_to("token")]
        assert [f"rt-{n}-CANARY" in body for n, body in enumerate(sent, 1)] == [True, True]
        assert "at-3-CANARY" in self.provider.sent_to("me")[0].headers["authorization"]

    def uses_header(self) -> None:
        """See that the platform got the token in a header, and neither in a body nor an address."""
        [call] = self.provider.sent_to("me")
        assert call.headers["authorization"].startswith("Bearer at-")
        assert "CANARY" not in call.url + call.body

    async def _call(self, token: AccessToken) -> None:
        class Source:
            async def token_async(self, *, stale: str | None = None) -> AccessToken:
                return token

        config = (await self.world.broker.session("prod")).profile.config
        async with async_http_client(config, Source()) as http:
            assert (await http.get("/me")).status_code == 200


@pytest.fixture
def new_party(new_world: Callable[..., World]) -> Callable[..., RelyingParty]:
    """Makes relying parties, with settings of their own."""
    return lambda **settings: RelyingParty(new_world(platform=True, **settings))


@pytest.fixture
def party(new_party: Callable[..., RelyingParty]) -> RelyingParty:
    return new_party()
