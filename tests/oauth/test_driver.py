from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from fakes.clock import FakeClock
from fakes.provider import ISSUER, Provider, config, reply
from platform_auth.errors import (
    ConfigError,
    DiscoveryError,
    MissingExtraError,
    PlatformAuthError,
    ProviderError,
    SignInRequiredError,
    TransportError,
)
from platform_auth.oauth.discovery import discover
from platform_auth.oauth.driver import Driver
from platform_auth.oauth.steps import (
    Ask,
    AuthorizeChallenge,
    Request,
    Response,
    Rpc,
    RpcReply,
    Run,
    Step,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Generator

ASK = Ask(AuthorizeChallenge("https://id.example.com/a", "state"))
WELL_KNOWN = "openid-configuration"


def one(step: Step) -> Generator[Step, Any, Any]:
    return (yield step)


def drive(steps: Generator[Step, Any, Any], provider: Provider, **options: Any) -> Any:
    person = options.pop("person", None)
    return asyncio.run(Driver(provider, **options).drive(steps, person))


def test_a_request_is_sent_and_its_answer_handed_back(provider: Provider) -> None:
    answer = drive(one(Request("GET", f"{ISSUER}/jwks")), provider)
    assert isinstance(answer, Response)
    assert answer.status == 200


def test_a_person_is_asked(provider: Provider) -> None:
    async def person(ask: Ask) -> str:
        assert ask is ASK
        return "answer"

    assert drive(one(ASK), provider, person=person) == "answer"


def test_time_passes(provider: Provider) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    assert drive(one(Wait(5)), provider, sleep=sleep) is None
    assert slept == [5]


def test_a_command_is_run(provider: Provider) -> None:
    async def run(step: Run) -> str:
        return " ".join(step.argv)

    assert drive(one(Run(("a", "b"))), provider, run=run) == "a b"


@pytest.mark.parametrize(("step", "kind"), [(ASK, SignInRequiredError), (Run(("a",)), ConfigError)])
def test_what_nobody_can_do_is_an_error(
    provider: Provider, step: Step, kind: type[PlatformAuthError]
) -> None:
    with pytest.raises(kind):
        drive(one(step), provider)


def test_a_fault_is_thrown_into_the_flow_which_may_go_on(provider: Provider) -> None:
    def steps() -> Generator[Step, Any, str]:
        try:
            yield Request("GET", f"{ISSUER}/jwks")
        except TransportError:
            yield Request("GET", f"{ISSUER}/jwks")
            return "went on"
        return "no fault"

    provider.next["jwks"].append(TransportError("down"))
    assert drive(steps(), provider) == "went on"


def test_a_fault_that_the_flow_does_not_take_ends_it(provider: Provider) -> None:
    provider.next["jwks"].append(TransportError("down"))
    with pytest.raises(TransportError, match="down"):
        drive(one(Request("GET", f"{ISSUER}/jwks")), provider)


@pytest.mark.parametrize("where", ["flow", "sender"])
def test_what_nobody_foresaw_is_an_error_of_ours_and_logged(
    provider: Provider, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    def steps() -> Generator[Step, Any, None]:
        yield Request("GET", f"{ISSUER}/jwks")
        raise ZeroDivisionError

    if where == "sender":
        provider.next["jwks"].append(ZeroDivisionError())
    with caplog.at_level(logging.ERROR), pytest.raises(ProviderError, match="could not be dealt"):
        drive(steps(), provider)
    assert "ZeroDivisionError" in caplog.text


class TestKept:
    """Documents that may be some time old."""

    async def twice(self, provider: Provider, seconds: float) -> None:
        clock = FakeClock()
        driver = Driver(provider, monotonic=clock.monotonic)
        request = Request("GET", f"{ISSUER}/jwks", max_age=60)
        await driver.drive(one(request))
        clock.advance(seconds)
        await driver.drive(one(request))

    @pytest.mark.parametrize(("seconds", "sent"), [(0, 1), (60, 1), (61, 2)])
    def test_for_as_long_as_the_request_allows(
        self, provider: Provider, seconds: float, sent: int
    ) -> None:
        asyncio.run(self.twice(provider, seconds))
        assert len(provider.requests) == sent

    @pytest.mark.parametrize(
        "answer",
        [
            Response(200, {"content-type": "text/html"}, b"<html>portal"),
            reply([]),
            reply({}, 500),
            reply({}, 404),
            reply({"error": "x"}, 400),
        ],
    )
    def test_only_if_it_is_a_document(self, provider: Provider, answer: Response) -> None:
        provider.next["jwks"].append(answer)
        asyncio.run(self.twice(provider, 0))
        assert len(provider.requests) == 2

    def test_not_for_a_request_that_wants_it_new(self, provider: Provider) -> None:
        async def twice() -> None:
            driver = Driver(provider)
            for _ in range(2):
                await driver.drive(one(Request("GET", f"{ISSUER}/jwks")))

        asyncio.run(twice())
        assert len(provider.requests) == 2

    def test_not_for_a_post(self, provider: Provider) -> None:
        async def both() -> None:
            driver = Driver(provider)
            await driver.drive(one(Request("GET", f"{ISSUER}/jwks", max_age=60)))
            await driver.drive(one(Request("POST", f"{ISSUER}/jwks", max_age=60)))

        asyncio.run(both())
        assert [each.method for each in provider.requests] == ["GET", "POST"]

    def test_metadata_that_did_not_serve_is_asked_for_anew(self, provider: Provider) -> None:
        """So that correcting the provider helps at once, not in an hour."""

        async def repaired() -> None:
            driver = Driver(provider)
            provider.next[WELL_KNOWN].append(reply({"issuer": "https://wrong.example"}))
            with pytest.raises(DiscoveryError):
                await driver.drive(discover(config()))
            assert (await driver.drive(discover(config()))).metadata.issuer == ISSUER

        asyncio.run(repaired())


class TestGrpc:
    RPC = Rpc("/package.Service/Method", b"hello")

    def test_a_call_is_made(self, provider: Provider) -> None:
        seen: list[tuple[Rpc, Any]] = []

        async def call(rpc: Rpc, metadata: Any) -> RpcReply:
            seen.append((rpc, metadata))
            return RpcReply("OK", b"there")

        assert drive(one(self.RPC), provider, call=call) == RpcReply("OK", b"there")
        assert seen == [(self.RPC, {})]

    def test_where_nobody_speaks_it_that_is_an_error_of_its_own(self, provider: Provider) -> None:
        with pytest.raises(MissingExtraError):
            drive(one(self.RPC), provider)


def test_the_same_question_in_another_way_is_another_question(provider: Provider) -> None:
    def steps() -> Generator[Step, Any, None]:
        for method in ("GET", "POST", "GET", "POST"):
            yield Request(method, f"{ISSUER}/.well-known/{WELL_KNOWN}", max_age=60)

    drive(steps(), provider)
    assert [each.method for each in provider.requests] == ["GET", "POST"]


def test_what_is_kept_can_be_forgotten(provider: Provider) -> None:
    question = Request("GET", f"{ISSUER}/.well-known/{WELL_KNOWN}", max_age=60)

    async def main() -> None:
        driver = Driver(provider)
        await driver.drive(one(question))
        driver.forget()
        await driver.drive(one(question))

    asyncio.run(main())
    assert len(provider.requests) == 2
