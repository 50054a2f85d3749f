"""The token for a proxy in front of the platform: who gets it, and how long it serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from fakes.clock import FakeClock
from fakes.provider import config, reply
from platform_auth.errors import PlatformAuthError, ProviderError, ProxyError, TokenResponseError
from platform_auth.oauth.flows.command import FAILURE_AGE, TIMEOUT
from platform_auth.oauth.proxy import ProxyAuthorization
from platform_auth.oauth.proxy_header import PROXY_HEADER, is_from_proxy
from platform_auth.oauth.steps import Request, Response, Rpc, RpcReply, Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

HERE = "https://flyte.example.com"
LIFE = 600


class Command:
    """Prints a new token each time, unless told otherwise."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.next: list[str | Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, step: Run) -> str:
        self.runs.append(step)
        usual = f'{{"access_token": "token-{len(self.runs)}", "expires_in": {LIFE}}}'
        await self.gate.wait()
        said = self.next.pop(0) if self.next else usual
        if isinstance(said, Exception):
            raise said
        return said


class Server:
    """What stands behind the proxy, with the proxy; it takes the tokens listed, or any."""

    def __init__(self) -> None:
        self.taken: set[str] | None = None
        self.refusal = Response(407)
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        refused = self.taken is not None and self.seen[-1] not in self.taken
        return self.refusal if refused else reply({"ok": True})

    @property
    def seen(self) -> list[str | None]:
        return [each.headers.get(PROXY_HEADER) for each in self.requests]


class World:
    def __init__(self, **changes: Any) -> None:
        self.clock, self.command, self.server = FakeClock(), Command(), Server()
        self.proxy = ProxyAuthorization(
            config(**{"proxy_command": ["iap-token", "--aud", "x"], **changes}),
            self.command,
            now=self.clock.time,
            monotonic=self.clock.monotonic,
        )

    async def get(self, url: str = f"{HERE}/token") -> Response:
        return await self.proxy.send(self.server, Request("GET", url))


def play(case: Callable[[World], Awaitable[None]], **changes: Any) -> None:
    async def main() -> None:
        world = World(**changes)
        await case(world)
        await world.proxy.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


async def turns() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("url", [f"{HERE}/token", f"{HERE}:443/a?b=c", "https://FLYTE.example.com"])
def test_requests_to_the_platforms_origin_carry_it(url: str) -> None:
    async def case(world: World) -> None:
        request = Request("POST", url, {"Accept": "x"}, "body", replay=True)
        await world.proxy.send(world.server, request)
        [sent] = world.server.requests
        assert sent.headers == {"Accept": "x", PROXY_HEADER: "Bearer token-1"}
        assert (sent.method, sent.url, sent.body, sent.replay) == ("POST", url, "body", True)
        assert "token-1" not in repr(sent)
        assert world.command.runs == [Run(("iap-token", "--aud", "x"), TIMEOUT)]

    play(case)


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example.com/token",
        "http://flyte.example.com/token",
        "https://flyte.example.com:8443/token",
        "https://flyte.example.com.evil.example/token",
        "https://user@evil.example/https://flyte.example.com",
        "https://[",
    ],
)
def test_nobody_else_gets_it_and_nothing_is_run_for_them(url: str) -> None:
    async def case(world: World) -> None:
        await world.get(url)
        assert world.server.seen == [None]
        assert not world.command.runs

    play(case)


def test_a_port_of_the_platforms_own_counts() -> None:
    async def case(world: World) -> None:
        await world.get("http://127.0.0.1:9400/token")
        await world.get("http://127.0.0.1:9401/token")
        assert world.server.seen == ["Bearer token-1", None]

    play(case, endpoint="http://127.0.0.1:9400", insecure=True)


def test_it_serves_until_it_ages_and_is_made_anew_before_anybody_must_wait() -> None:
    async def case(world: World) -> None:
        await world.get()
        world.clock.advance(LIFE / 2 - 1)
        await world.get()
        world.clock.advance(2)
        world.command.gate.clear()
        await world.get()  # does not wait for the command
        await turns()
        assert len(world.command.runs) == 2
        world.command.gate.set()
        await turns()
        await world.get()
        assert world.server.seen == ["Bearer token-1"] * 3 + ["Bearer token-2"]

    play(case)


def test_one_that_has_expired_is_waited_for() -> None:
    async def case(world: World) -> None:
        await world.get()
        world.clock.advance(LIFE)
        await world.get()
        assert world.server.seen == ["Bearer token-1", "Bearer token-2"]

    play(case)


def test_who_needs_it_longer_gets_a_new_one() -> None:
    async def case(world: World) -> None:
        await world.proxy.token()
        world.clock.advance(LIFE - 100)
        assert world.proxy.remaining(await world.proxy.token(min_ttl=10)) == 100
        await turns()
        assert world.proxy.remaining(await world.proxy.token(min_ttl=120)) == LIFE
        short = await world.proxy.token(min_ttl=10**6)  # longer than any lives
        assert world.proxy.remaining(short) == LIFE
        assert len(world.command.runs) == 2

    play(case)


def test_twenty_at_once_run_the_command_once() -> None:
    async def case(world: World) -> None:
        await asyncio.gather(*(world.get() for _ in range(20)))
        assert world.server.seen == ["Bearer token-1"] * 20
        assert len(world.command.runs) == 1

    play(case)


def test_whoever_gives_up_takes_nobody_along() -> None:
    async def case(world: World) -> None:
        world.command.gate.clear()
        impatient, patient = (asyncio.create_task(world.get()) for _ in range(2))
        await turns()
        impatient.cancel()
        await turns()
        world.command.gate.set()
        assert (await patient).status == 200
        assert len(world.command.runs) == 1

    play(case)


@pytest.mark.parametrize("said", [ProviderError("It failed (1).", fix="Repair it."), "", "a b"])
def test_a_failure_is_told_to_all_for_a_while(said: str | Exception) -> None:
    async def case(world: World) -> None:
        world.command.next.append(said)
        errors = await asyncio.gather(*(world.get() for _ in range(5)), return_exceptions=True)
        kind = ProviderError if isinstance(said, Exception) else TokenResponseError
        assert {type(each) for each in errors} == {kind}
        assert not world.server.requests
        with pytest.raises(kind):
            await world.get()
        assert len(world.command.runs) == 1
        world.clock.advance(FAILURE_AGE + 1)
        assert (await world.get()).status == 200

    play(case)


def test_a_failure_to_renew_costs_nothing_while_the_old_one_lives() -> None:
    async def case(world: World) -> None:
        await world.get()
        world.clock.advance(LIFE - 1)
        world.command.next.append(ProviderError("It failed (1)."))
        assert (await world.get()).status == 200
        world.clock.advance(2)
        with pytest.raises(ProviderError, match="failed"):
            await world.get()

    play(case)


# When the proxy refuses


GOOGLES = Response(401, {"x-goog-iap-generated-response": "true"})


@pytest.mark.parametrize("refusal", [Response(407), GOOGLES])
def test_a_refused_token_is_replaced_and_the_request_sent_once_more(refusal: Response) -> None:
    async def case(world: World) -> None:
        world.server.refusal = refusal
        await world.get()
        world.clock.advance(60)
        world.server.taken = {"Bearer token-2"}
        assert (await world.get()).status == 200
        assert world.server.seen == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]

    play(case)


def test_many_that_are_refused_run_the_command_once() -> None:
    async def case(world: World) -> None:
        await world.get()
        world.clock.advance(60)
        world.server.taken = {"Bearer token-2"}
        answers = await asyncio.gather(*(world.get() for _ in range(20)))
        assert {each.status for each in answers} == {200}
        assert len(world.command.runs) == 2

    play(case)


def test_a_proxy_that_takes_none_ends_it() -> None:
    async def case(world: World) -> None:
        world.server.taken = set()
        with pytest.raises(ProxyError, match=r"front of flyte\.example\.com") as caught:
            await world.get()
        assert not caught.value.retryable
        assert "admin.proxyCommand" in caught.value.fix
        assert world.server.seen == ["Bearer token-1"]  # it was made a moment ago: no other one
        world.clock.advance(60)
        with pytest.raises(ProxyError):
            await world.get()
        assert world.server.seen[1:] == ["Bearer token-1", "Bearer token-2"]

    play(case)


def test_a_command_that_prints_the_same_again_sends_nothing_again() -> None:
    async def case(world: World) -> None:
        world.command.next = ["the-same", "the-same"]
        await world.get()
        world.clock.advance(60)
        world.server.taken = set()
        with pytest.raises(ProxyError):
            await world.get()
        assert world.server.seen == ["Bearer the-same"] * 2

    play(case)


def test_a_refused_token_that_cannot_be_replaced_is_not_used_again() -> None:
    async def case(world: World) -> None:
        await world.get()
        world.clock.advance(60)
        world.server.taken = set()
        world.command.next.append(ProviderError("It failed (1)."))
        for _ in range(2):
            with pytest.raises(ProviderError, match="failed"):
                await world.get()
        assert world.server.seen == ["Bearer token-1"] * 2

    play(case)


@pytest.mark.parametrize(
    "answer", [reply({"error": "invalid_client"}, 401), Response(401), Response(403)]
)
def test_what_the_server_itself_refuses_is_the_servers_answer(answer: Response) -> None:
    async def case(world: World) -> None:
        world.server.taken, world.server.refusal = set(), answer
        assert await world.get() is answer
        assert len(world.command.runs) == 1

    play(case)


def test_ending_it_ends_the_command() -> None:
    async def case(world: World) -> None:
        world.command.gate.clear()
        asking = asyncio.create_task(world.get())
        await turns()
        await world.proxy.close()
        with pytest.raises(PlatformAuthError, match="called off"):
            await asking

    play(case)


def test_who_refuses() -> None:
    assert is_from_proxy(407, {})
    assert not is_from_proxy(401, {"www-authenticate": "Bearer"})
    assert not is_from_proxy(403, {"x-goog-iap-generated-response": "true"})


class TestGrpcCalls:
    """Calls to the platform by gRPC go through the same proxy."""

    RPC = Rpc("/package.Service/Method")

    def call(self, world: World, *statuses: str) -> tuple[RpcReply, list[str]]:
        """Return what came of a call whose attempts end so, and the tokens it carried."""
        seen: list[str] = []

        async def caller(_rpc: Rpc, metadata: Mapping[str, str]) -> RpcReply:
            seen.append(metadata[PROXY_HEADER])
            return RpcReply(statuses[len(seen) - 1])

        async def main() -> RpcReply:
            await world.proxy.token()
            world.clock.advance(60)
            return await world.proxy.call(caller, self.RPC)

        return asyncio.run(main()), seen

    def test_with_the_proxys_token(self) -> None:
        assert self.call(World(), "OK") == (RpcReply("OK"), ["Bearer token-1"])

    @pytest.mark.parametrize("refusal", ["UNAUTHENTICATED", "HTTP 401", "HTTP 407"])
    def test_once_more_where_the_proxy_refuses(self, refusal: str) -> None:
        reply, seen = self.call(World(), refusal, "OK")
        assert (reply.status, seen) == ("OK", ["Bearer token-1", "Bearer token-2"])

    def test_not_for_any_other_answer(self) -> None:
        assert self.call(World(), "UNIMPLEMENTED")[1] == ["Bearer token-1"]

    def test_not_where_the_command_prints_the_same_again(self) -> None:
        world = World()
        same = '{"access_token": "token-1", "expires_in": 600}'
        world.command.next = [same, same]
        reply, seen = self.call(world, "UNAUTHENTICATED")
        assert (reply.status, seen) == ("UNAUTHENTICATED", ["Bearer token-1"])
