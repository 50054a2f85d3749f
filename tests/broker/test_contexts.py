"""What a platform says holds for a session: its sign-in, its refreshes and its sign-out."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fakes.bench import CALLBACK, HERE, Bench
from fakes.flyte import AUTHORIZATION_SERVER, CLIENT, FLYTE_CLIENT, FLYTE_METADATA, FlytePlatform
from fakes.provider import ISSUER, form, reply
from platform_auth.broker.protocol import Protocol
from platform_auth.broker.record import record_from_dict, record_to_dict
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.stores.memory import MemoryStore
from platform_auth.config import Policy, Profiles
from platform_auth.errors import (
    AccessDeniedError,
    DiscoveryError,
    PolicyError,
    SignInRequiredError,
    TransportError,
)

HUB = "https://hub.example.com/hub/user-redirect/platform-auth/callback"
GONE = TransportError("It cannot be reached.")
HOUR = 3600


class World:
    """A broker that knows no more than an endpoint, and the platform there."""

    def __init__(
        self, store: MemoryStore | None = None, policy: Policy | None = None, **oauth: Any
    ) -> None:
        shape = {"admin": {"endpoint": "flyte.example.com"}, "oauth": oauth}
        profiles = Profiles(
            admin={"prod": shape}, user_file=None, flyte=False, policy=policy or Policy()
        )
        self.bench = Bench(
            profiles, redirects=Redirects("/platform-auth/login"), store=store or MemoryStore()
        )
        self.platform = FlytePlatform({AUTHORIZATION_SERVER: FLYTE_METADATA, CLIENT: FLYTE_CLIENT})
        self.platform.now, self.platform.with_id_token = self.bench.clock.time, False
        self.platform.metadata.pop("revocation_endpoint")
        self.bench.provider = self.platform
        self.broker = self.bench.broker

    async def sign_in(self, **changes: str | None) -> None:
        session = await self.broker.sign_in("prod")
        assert session.challenge is not None
        await self.broker.complete(self.platform.authorize(session.challenge["url"], **changes))

    def sent(self) -> list[dict[str, str]]:
        """Return the forms that the token endpoint got."""
        return [form(each) for each in self.platform.sent_to("token")]


def test_all_of_it_is_used_in_every_request() -> None:
    world = World()

    async def work() -> None:
        session = await world.broker.sign_in("prod")
        assert session.challenge is not None
        assert session.challenge["kind"] == "paste"
        assert "http://localhost:53593/callback" in session.challenge["sentence"]
        asked = world.platform.authorize(session.challenge["url"])
        assert asked.startswith("http://localhost:53593/callback?")
        await world.broker.complete(asked)
        token = await world.broker.token("prod")
        assert token.header == "flyte-authorization"
        assert token.headers == {"flyte-authorization": "Bearer at-1-CANARY"}
        assert session.record is not None
        assert session.record.tokens.scopes == ("all", "offline")
        world.bench.clock.advance(299)
        assert (await world.broker.token("prod")).headers == {
            "flyte-authorization": "Bearer at-2-CANARY"
        }

    world.bench.run(work)
    code, refresh = world.sent()
    assert (code["client_id"], code["redirect_uri"]) == (
        "flytectl",
        "http://localhost:53593/callback",
    )
    assert (refresh["grant_type"], refresh["client_id"]) == ("refresh_token", "flytectl")


def test_more_scopes_are_more_than_the_platforms_own() -> None:
    world = World()

    async def work() -> tuple[str, ...]:
        body = {"like": "prod", "scopes": ["api", "all"]}
        protocol = Protocol(world.broker, private=True)
        answer = await protocol.answer("PUT", "/v1/profiles/more", {}, body)
        assert answer.status == 200, answer.body
        return (await world.broker.session("more")).profile.config.scopes

    assert world.bench.run(work) == ("all", "offline", "api")


def test_a_token_that_was_saved_goes_in_its_header_without_anybody_being_asked() -> None:
    store = MemoryStore()
    before, after = World(store), World(store)
    before.bench.run(before.sign_in)
    after.platform.refresh_tokens = before.platform.refresh_tokens

    async def work() -> None:
        assert (await after.broker.token("prod")).header == "flyte-authorization"
        assert not after.platform.requests
        after.bench.clock.advance(299)
        assert (await after.broker.token("prod")).header == "flyte-authorization"

    after.bench.run(work)
    assert after.sent()[0]["client_id"] == "flytectl"


def test_what_is_saved_says_which_header_and_who_issued_it() -> None:
    world = World()

    async def work() -> None:
        await world.sign_in()
        record = (await world.broker.session("prod")).record
        assert record is not None
        saved = json.loads(json.dumps(record_to_dict(record)))
        again = record_from_dict(saved, world.bench.clock)
        assert (again.header, again.authority) == ("flyte-authorization", f"{ISSUER}/token")
        older = {name: saved[name] for name in saved if name not in {"header", "authority"}}
        again = record_from_dict(older, world.bench.clock)
        assert (again.header, again.authority) == ("authorization", "")

    world.bench.run(work)


def test_the_profiles_own_header_wins() -> None:
    world = World(authorization_metadata_key="x-mine")

    async def work() -> None:
        await world.sign_in()
        assert (await world.broker.token("prod")).header == "x-mine"

    world.bench.run(work)


def test_what_changes_meanwhile_is_seen_after_an_hour_and_not_before() -> None:
    world = World()

    async def work() -> None:
        await world.sign_in()
        world.platform.pages[CLIENT] = {**FLYTE_CLIENT, "authorization_metadata_key": "x-new"}
        world.platform.lifetime = HOUR
        world.bench.clock.advance(299)
        assert (await world.broker.token("prod")).header == "flyte-authorization"
        world.bench.clock.advance(HOUR - 1)
        assert (await world.broker.token("prod")).header == "x-new"

    world.bench.run(work)


def test_what_was_said_outlives_a_platform_that_is_away() -> None:
    world = World()

    async def work() -> None:
        await world.sign_in()
        world.platform.pages = dict.fromkeys(
            ["/.well-known/oauth-protected-resource", AUTHORIZATION_SERVER, CLIENT], GONE
        )
        world.bench.clock.advance(HOUR + 1)
        token = await world.broker.token("prod")
        assert (token.value.reveal(), token.header) == ("at-2-CANARY", "flyte-authorization")

    world.bench.run(work)


class TestAnotherServer:
    """A platform that comes to name another server gets nothing of the first one's."""

    @staticmethod
    def moves(world: World) -> None:
        named = {"token_endpoint": "https://evil.example/token"}
        world.platform.pages[AUTHORIZATION_SERVER] = named
        world.bench.clock.advance(HOUR + 1)
        world.platform.requests.clear()

    def test_a_refresh_token_is_not_shown_to_it(self) -> None:
        world = World()

        async def work() -> None:
            await world.sign_in()
            self.moves(world)
            with pytest.raises(SignInRequiredError) as caught:
                await world.broker.token("prod")
            assert "another identity provider" in caught.value.why

        world.bench.run(work)
        assert not any("evil" in each.url for each in world.platform.requests)

    def test_nor_is_one_that_was_saved(self) -> None:
        store = MemoryStore()
        before, after = World(store), World(store)
        before.bench.run(before.sign_in)
        self.moves(after)

        async def work() -> None:
            with pytest.raises(SignInRequiredError):
                await after.broker.token("prod")

        after.bench.run(work)
        assert not any("evil" in each.url for each in after.platform.requests)

    def test_nor_to_be_revoked(self) -> None:
        world = World()

        async def work() -> None:
            await world.sign_in()
            self.moves(world)
            named = world.platform.pages[AUTHORIZATION_SERVER]
            named["revocation_endpoint"] = "https://evil.example/revoke"
            await world.broker.sign_out("prod")

        world.bench.run(work)
        assert not any("evil" in each.url for each in world.platform.requests)


class TestPolicy:
    """The administrator lists platforms; a platform on the list names its provider itself."""

    def world(self, allowed: str) -> World:
        return World(policy=Policy(allowed_endpoints=(allowed,)))

    def test_the_provider_of_a_platform_that_is_allowed_is_reached(self) -> None:
        world = self.world("flyte.example.com")

        async def work() -> None:
            await world.sign_in()
            assert (await world.broker.token("prod")).value.reveal() == "at-1-CANARY"

        world.bench.run(work)

    def test_a_platform_that_is_not_is_not_even_asked(self) -> None:
        world = self.world("other.example.com")

        async def work() -> None:
            with pytest.raises(PolicyError):
                await world.broker.sign_in("prod")

        world.bench.run(work)
        assert not world.platform.requests


class TestFailure:
    def test_a_platform_that_says_nothing_is_the_sessions_failure(self) -> None:
        world = World()
        world.platform.pages.clear()

        async def work() -> None:
            with pytest.raises(DiscoveryError):
                await world.broker.sign_in("prod")
            session = await world.broker.session("prod")
            assert session.state == "failed"
            assert isinstance(session.error, DiscoveryError)
            world.platform.pages = {AUTHORIZATION_SERVER: FLYTE_METADATA, CLIENT: FLYTE_CLIENT}
            await world.sign_in()
            assert session.state == "signed_in"

        world.bench.run(work)

    def test_after_a_sign_in_that_failed_the_platform_is_asked_anew(self) -> None:
        world = World()

        async def work() -> None:
            with pytest.raises(AccessDeniedError):
                await world.sign_in(error="access_denied", code=None)
            world.platform.pages[CLIENT] = {**FLYTE_CLIENT, "client_id": "repaired"}
            await world.sign_in()

        world.bench.run(work)
        assert [each["client_id"] for each in world.sent()] == ["repaired"]

    def test_after_one_that_was_called_off_too(self) -> None:
        # A provider that refuses a client says so on a page of its own: nobody comes back.
        world = World()

        async def work() -> None:
            await world.broker.sign_in("prod")
            await world.broker.cancel("prod")
            world.platform.pages[CLIENT] = {**FLYTE_CLIENT, "client_id": "repaired"}
            await world.sign_in()

        world.bench.run(work)
        assert [each["client_id"] for each in world.sent()] == ["repaired"]


class TestServerPage:
    def test_the_browser_of_a_platform_with_a_port_of_its_own_does_not_come_back_here(
        self,
    ) -> None:
        world = World()

        async def work() -> None:
            assert not await world.broker.comes_back_here("prod")

        world.bench.run(work)

    @pytest.mark.parametrize(
        "client",
        [
            {**FLYTE_CLIENT, "redirect_uri": HUB},
            {"client_id": "notebooks"},
        ],
    )
    def test_any_other_does(self, client: dict[str, Any]) -> None:
        world = World()
        world.platform.pages[CLIENT] = client

        async def work() -> None:
            assert await world.broker.comes_back_here("prod")

        world.bench.run(work)

    @pytest.mark.parametrize(
        ("dictated", "own", "used"),
        [
            (FLYTE_CLIENT["redirect_uri"], None, CALLBACK),
            (HUB, None, HUB),
            (HUB, "https://mine.example.com/cb", "https://mine.example.com/cb"),
        ],
    )
    def test_its_address_is_its_own_unless_another_one_of_it_is_registered(
        self, dictated: str, own: str | None, used: str
    ) -> None:
        world = World(**({"redirect_uri": own} if own else {}))
        world.platform.pages[CLIENT] = {**FLYTE_CLIENT, "redirect_uri": dictated}

        async def work() -> None:
            url = await world.broker.begin("prod", CALLBACK, HERE)
            assert parse_qs(urlsplit(url).query)["redirect_uri"] == [used]

        world.bench.run(work)

    def test_whoever_was_sent_to_it_comes_back_to_it(self) -> None:
        world = World()

        async def work() -> None:
            session = await world.broker.sign_in("prod", redirect="server")
            assert session.challenge is not None
            assert session.challenge["kind"] == "open"
            assert await world.broker.comes_back_here("prod")

        world.bench.run(work)

    def test_a_platform_without_a_registered_client_leaves_the_address_to_the_server(self) -> None:
        world = World()
        world.platform.pages[CLIENT] = reply({}, 404)

        async def work() -> None:
            assert await world.broker.comes_back_here("prod")

        world.bench.run(work)
