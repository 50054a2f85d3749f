"""Faults of the device flow: what a provider says while a person looks for their phone."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from fakes.bad_server import hangs, resets
from fakes.bench import until
from fakes.provider import reply
from fakes.world import World, failure
from platform_auth.broker.session import State
from platform_auth.errors import (
    AccessDeniedError,
    PlatformAuthError,
    ProviderError,
    SignInExpiredError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_auth.broker.session import Session

PENDING = reply({"error": "authorization_pending"}, 400)
SLOW_DOWN = reply({"error": "slow_down"}, 400)


def prepare(world: World, *polls: Any, **changes: Any) -> None:
    """Let the provider give out a code, changed so, and answer the polls for it."""
    world.provider.next["device"].append(reply({**world.provider.device(), **changes}))
    world.provider.next["token"].extend(polls)


def ended(world: World, *polls: Any, **changes: Any) -> Session:
    """Sign in against these answers to the end; `World.waits` holds what was waited."""
    prepare(world, *polls, **changes)

    async def work() -> Session:
        session = await world.broker.sign_in("device")
        await until(lambda: session.state is not State.SIGNING_IN)
        return session

    session: Session = world.run(work)
    return session


def failed(world: World, *polls: Any, **changes: Any) -> PlatformAuthError:
    """Return the error that a sign-in ends with; nothing is tried again by itself."""
    session = ended(world, *polls, **changes)
    assert session.state is State.FAILED
    assert session.error is not None
    assert world.asked("device") == 1
    return session.error


# -- how often is asked --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "waited"),
    [(None, 5), (0, 5), (-1, 5), ("5", 5), ("soon", 5), ([], 5), (7, 7), (0.001, 1), (300, 300)],
)
def test_an_interval_is_five_seconds_unless_it_is_a_sensible_other_one(
    world: World, interval: Any, waited: float
) -> None:
    assert ended(world, PENDING, interval=interval).state is State.SIGNED_IN
    assert world.waits == [waited, min(waited, 600 - waited)]


def test_an_interval_of_an_hour_is_kept_to_and_the_code_still_asked_for_once(world: World) -> None:
    """What a person sees is the code's own countdown; the interval is for us alone."""
    assert ended(world, interval=3600).state is State.SIGNED_IN
    assert world.waits == [600]


def test_each_slow_down_adds_five_seconds_for_good(world: World) -> None:
    """No factor on top of it: waits are added up here, so that no clock can drift."""
    assert ended(world, PENDING, SLOW_DOWN, SLOW_DOWN, PENDING, PENDING).state is State.SIGNED_IN
    assert world.waits == [5, 5, 10, 15, 15, 15]


def test_a_storm_of_slow_downs_ends_with_the_code(world: World) -> None:
    error = failed(world, *[SLOW_DOWN] * 99)
    assert isinstance(error, SignInExpiredError)
    assert sum(world.waits) == 600
    assert world.asked() < 20


@pytest.mark.parametrize(
    ("poll", "kind"),
    [
        (reply({"error": "expired_token"}, 400), SignInExpiredError),
        (reply({"error": "access_denied"}, 400), AccessDeniedError),
    ],
)
def test_a_final_answer_is_the_end(world: World, poll: Any, kind: type[PlatformAuthError]) -> None:
    error = failed(world, PENDING, poll, PENDING)
    assert isinstance(error, kind)
    assert error.fix
    assert world.asked() == 2


def test_a_code_that_nobody_entered_is_not_replaced_by_another(world: World) -> None:
    error = failed(world, *[PENDING] * 99, expires_in=60)
    assert isinstance(error, SignInExpiredError)
    assert sum(world.waits) == 60


@pytest.mark.parametrize("fault", [resets(), resets(b"HTTP/1.1 200 OK\r\n"), reply({}, 503)])
def test_a_poll_that_is_lost_doubles_the_wait_until_there_is_an_answer(
    world: World, fault: Any
) -> None:
    """RFC 8628 §3.5: for good. Not here: who has entered the code by then should not wait."""
    assert ended(world, fault, fault, PENDING, PENDING).state is State.SIGNED_IN
    assert world.waits == [5, 10, 20, 5, 5]


def test_a_poll_that_is_never_answered_is_given_up_and_asked_again(
    new_world: Callable[..., World],
) -> None:
    world = new_world(total=0.3)
    assert ended(world, hangs).state is State.SIGNED_IN
    assert world.waits == [5, 10]


# -- where people are sent -----------------------------------------------------------------------


def test_googles_older_name_for_the_page_is_known(world: World) -> None:
    page = f"{world.wire.address}/activate"
    said = {"verification_uri": None, "verification_uri_complete": None, "verification_url": page}
    prepare(world, **said)

    async def work() -> dict[str, Any]:
        world.provider.gate.set()
        session = await world.broker.sign_in("device")
        assert session.challenge is not None
        return session.challenge

    challenge = world.run(work)
    assert challenge["verification_uri"] == page
    assert challenge["verification_uri_complete"] is None


@pytest.mark.parametrize("name", ["verification_uri", "verification_uri_complete"])
@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "http://id.example.com/activate",
        "//id.example.com",
        "https://",
        "https://id.example.com/\u202egnp",
        "https://id.example.com/a b",
        5,
    ],
)
def test_a_page_that_nobody_should_open_is_shown_to_nobody(
    world: World, name: str, url: Any
) -> None:
    prepare(world, **{name: url})
    error = world.run(lambda: failure(world.broker.sign_in("device")))
    assert isinstance(error, ProviderError)
    assert error.fix
    assert not world.asked()


@pytest.mark.parametrize("name", ["verification_uri", "user_code", "device_code"])
@pytest.mark.parametrize("value", [None, "", 5, []])
def test_what_is_needed_and_missing_is_named(world: World, name: str, value: Any) -> None:
    prepare(world, **{name: value})
    error = world.run(lambda: failure(world.broker.sign_in("device")))
    assert isinstance(error, ProviderError)
    assert error.fix


def test_a_code_of_control_characters_and_a_thousand_letters_is_one_short_line(
    world: World,
) -> None:
    prepare(world, user_code="AB\x1b[31mCD\n" + "X" * 1000)

    async def work() -> str:
        session = await world.broker.sign_in("device")
        assert session.challenge is not None
        return str(session.challenge["user_code"])

    shown = world.run(work)
    assert shown.isprintable()
    assert len(shown) <= 64


# -- who calls it off ----------------------------------------------------------------------------


@pytest.mark.parametrize("asleep", [True, False], ids=["between polls", "in a poll"])
def test_called_off_it_stops_at_once_and_leaves_nothing_running(world: World, asleep: bool) -> None:
    prepare(world, PENDING, PENDING)
    if asleep:
        world._sleep = asyncio.sleep  # type: ignore[method-assign]

    async def work() -> None:
        before = asyncio.all_tasks()
        session = await world.broker.sign_in("device")
        if not asleep:
            world.provider.gate.clear()
            await until(world.asked)
        began = time.monotonic()
        await world.broker.cancel("device")
        assert session.state is State.SIGNED_OUT
        await until(lambda: not asyncio.all_tasks() - before - world.wire.tasks)
        assert time.monotonic() - began < 1
        polled = world.asked()
        world.provider.gate.set()
        for _ in range(50):
            await asyncio.sleep(0)
        assert world.asked() == polled

    world.run(work)
