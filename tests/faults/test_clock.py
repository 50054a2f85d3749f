"""Faults of clocks: that of the wall jumps or is wrong, and machines sleep."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from fakes.bench import HERE
from fakes.provider import NOW, reply
from fakes.world import failure
from platform_auth.broker.access_token import AccessToken
from platform_auth.broker.clock import Clock
from platform_auth.broker.session import State
from platform_auth.errors import IdentityError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from fakes.leaks import Watch
    from fakes.world import World

MINUTE, HOUR = 60.0, 3600.0


def date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


@pytest.mark.parametrize("seconds", [-10 * MINUTE, -HOUR, -24 * HOUR])
def test_a_wall_clock_that_is_set_back_prolongs_no_token(world: World, seconds: float) -> None:
    async def work() -> None:
        token = await world.signed_in()
        world.clock.jump(seconds)
        assert (await world.broker.token("prod")).fingerprint == token.fingerprint
        assert world.asked() == 0
        world.clock.advance(301)
        assert (await world.broker.token("prod")).fingerprint != token.fingerprint
        assert world.asked() == 1

    world.run(work)


@pytest.mark.parametrize("seconds", [10 * MINUTE, 8 * HOUR])
def test_after_a_wall_clock_has_jumped_ahead_the_token_is_renewed_once(
    world: World, seconds: float
) -> None:
    """Nobody waits for that: by the clock that only grows it lives."""

    async def work() -> None:
        token = await world.signed_in()
        world.clock.jump(seconds)
        assert (await world.broker.token("prod")).fingerprint == token.fingerprint
        await world.background()
        assert world.asked() == 1
        for _ in range(5):
            await world.broker.token("prod")
            await world.background()
        assert world.asked() == 1

    world.run(work)


def test_a_jump_is_not_forced_on_a_provider_that_is_down(world: World) -> None:
    async def work() -> None:
        token = await world.signed_in()
        world.provider.next["token"].extend([reply({}, 503)] * 3)
        world.clock.jump(10 * MINUTE)
        for _ in range(5):
            assert (await world.broker.token("prod")).fingerprint == token.fingerprint
            await world.background()
        assert world.asked() == 1
        assert (await world.broker.session("prod")).state is State.SIGNED_IN

    world.run(work)


def test_summer_time_and_small_corrections_change_nothing(world: World) -> None:
    async def work() -> None:
        await world.signed_in()
        for seconds in (30, -30, 59, -59):
            world.clock.jump(seconds)
            await world.broker.token("prod")
            await world.background()
            world.clock.jump(-seconds)
        assert world.asked() == 0

    world.run(work)


def test_a_night_of_sleep_costs_one_refresh(world: World) -> None:
    async def work() -> None:
        token = await world.signed_in()
        world.clock.advance(8 * HOUR)
        assert (await world.broker.token("prod")).fingerprint != token.fingerprint
        assert world.asked() == 1

    world.run(work)


@pytest.mark.skipif(sys.platform != "linux", reason="each system has its own such clock")
def test_a_token_ages_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux lets ``CLOCK_MONOTONIC`` stand still then, and ``CLOCK_BOOTTIME`` go on."""
    slept = 0.0
    real = time.clock_gettime
    monkeypatch.setattr(
        time, "clock_gettime", lambda id_: real(id_) + (slept if id_ == time.CLOCK_BOOTTIME else 0)
    )
    before = Clock().monotonic()
    token = AccessToken(Secret("CANARY"), 0, before + 300)
    slept = 8 * HOUR
    assert Clock().monotonic() - before >= 8 * HOUR
    assert token.remaining < 0


@pytest.mark.parametrize("seconds", [60, -60])
def test_a_minute_of_difference_is_forgiven(world: World, seconds: float) -> None:
    async def work() -> None:
        back = await world.back()
        world.provider.claims = {"iat": int(NOW - seconds), "exp": int(NOW - seconds) + 59}
        session = await world.broker.complete(back, HERE)
        assert session.state is State.SIGNED_IN

    world.run(work)


@pytest.mark.parametrize(("ours", "words"), [(900, "899 s ahead of"), (-900, "900 s behind")])
def test_a_proof_refused_for_a_wrong_clock_says_by_how_much_it_is_wrong(
    world: World, ours: float, words: str
) -> None:
    """The provider's second is cut off, so that it may be one less."""

    async def work() -> IdentityError:
        back = await world.back()
        world.clock.jump(ours)
        world.provider.now = lambda: NOW  # which goes right
        world.wire.date = date(NOW)
        error = await failure(world.broker.complete(back, HERE))
        assert isinstance(error, IdentityError)
        return error

    error = world.run(work)
    assert f"This machine's clock is {words} that of {world.wire.address}." in error.why
    assert error.fix.startswith("Set the clock")


def test_a_proof_refused_while_clocks_agree_speaks_of_none(world: World) -> None:
    async def work() -> str:
        back = await world.back()
        world.provider.claims = {"exp": int(NOW) - 600}
        world.wire.date = date(NOW)
        return str(await failure(world.broker.complete(back, HERE)))

    assert "clock" not in world.run(work)


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_a_date_that_is_far_off_is_warned_of_once_and_decides_nothing(
    world: World, watch: Watch, ahead: float
) -> None:
    async def work() -> None:
        token = await world.signed_in()
        for _ in range(3):
            world.clock.advance(301)
            world.wire.date = date(world.clock.time() + ahead)
            fresh = await world.broker.token("prod")
            assert fresh.fingerprint != token.fingerprint
            token = fresh
        assert (await world.broker.session("prod")).remaining == 300

    world.run(work)
    said = [line for line in watch.log if line.startswith("This machine's clock is")]
    assert len(said) == 1
    assert f"that of {world.wire.address}" in said[0]


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Foo 2026 00:00:00 GMT", "9" * 400])
def test_a_date_that_is_none_harms_nothing(world: World, watch: Watch, date: str) -> None:
    async def work() -> None:
        token = await world.signed_in()
        world.wire.date = date
        assert (await world.refreshed(token)).fingerprint != token.fingerprint

    world.run(work)
    assert not any("clock is" in line for line in watch.log)
