"""Every flow but PKCE through the broker, with real programs, real providers and real kernels."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.broker.broker import Broker
from platform_auth.broker.clock import Clock
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.session import State
from platform_auth.config import Policy, Profiles
from platform_auth.errors import PlatformAuthError, PolicyError, ProviderError
from platform_auth.oauth.flows.command import FAILURE_AGE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the commands are shell scripts")


class SettableClock(Clock):
    """A clock that a test puts forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Program:
    """A shell script that counts how often it is started."""

    def __init__(self, directory: Path, name: str = "get-token") -> None:
        self.path = directory / name
        self._starts = directory / f"{name}.starts"

    def says(self, text: str) -> str:
        """Write it, and return its path."""
        lines = ("#!/bin/sh", f"echo >>'{self._starts}'", text, "")
        self.path.write_text("\n".join(lines))
        self.path.chmod(0o755)
        return str(self.path)

    @property
    def starts(self) -> int:
        return len(self._starts.read_bytes()) if self._starts.exists() else 0


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def command_profile(*argv: str) -> dict[str, Any]:
    return {
        "admin": {
            "endpoint": "https://platform.example",
            "authType": "ExternalCommand",
            "command": list(argv),
        }
    }


def with_broker(
    profiles: dict[str, Any],
    case: Callable[[Broker, SettableClock], Awaitable[None]],
    **options: Any,
) -> None:
    async def main() -> None:
        clock = SettableClock()
        known = Profiles(admin=profiles, user_file=None, flyte=False, **options)
        broker = Broker(known, Redirects(), clock=clock)
        try:
            await case(broker, clock)
        finally:
            await broker.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


async def at_once(count: int, call: Callable[[], Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*(call() for _ in range(count)), return_exceptions=True)


# Command


def test_twenty_callers_at_once_start_the_command_once(program: Program) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        calls = [lambda: broker.token("tool"), lambda: broker.sign_in("tool")] * 10
        answers = await asyncio.gather(*(call() for call in calls))
        assert {each.value.reveal() for each in answers[::2]} == {"the-token"}
        assert {each.state for each in answers[1::2]} == {State.SIGNED_IN}
        assert program.starts == 1

    with_broker({"tool": command_profile(program.says("echo the-token"))}, case)


@pytest.mark.parametrize("way", ["token", "sign_in"])
def test_its_failure_is_shared_and_lasts_a_while(program: Program, way: str) -> None:
    async def case(broker: Broker, clock: SettableClock) -> None:
        errors = await at_once(20, lambda: getattr(broker, way)("tool"))
        assert {str(each) for each in errors} == {str(errors[0])}
        assert isinstance(errors[0], ProviderError)
        assert errors[0].why == "It said: no network"
        with pytest.raises(ProviderError, match="no network"):
            await broker.token("tool")
        assert program.starts == 1
        clock.ahead += FAILURE_AGE + 1
        program.says("echo the-token")
        assert (await broker.token("tool")).value.reveal() == "the-token"
        assert program.starts == 2

    with_broker({"tool": command_profile(program.says("echo no network >&2; exit 1"))}, case)


def test_a_person_who_repaired_it_need_not_wait(program: Program) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        with pytest.raises(ProviderError):
            await broker.token("tool")
        program.says("echo the-token")
        session = await broker.sign_in("tool")
        assert session.state is State.SIGNED_IN

    with_broker({"tool": command_profile(program.says("exit 1"))}, case)


def test_its_token_serves_until_it_expires(program: Program) -> None:
    async def case(broker: Broker, clock: SettableClock) -> None:
        token = (await broker.token("tool")).value.reveal()
        clock.ahead += 290
        assert (await broker.token("tool")).value.reveal() == token
        assert program.starts == 1
        clock.ahead += 300
        assert (await broker.token("tool")).value.reveal() != token
        assert program.starts == 2

    count = f"$(wc -c <'{program.path}.starts' | tr -d ' ')"
    shape = f'printf \'{{"access_token": "token-%s", "expires_in": 600}}\' "{count}"'
    with_broker({"tool": command_profile(program.says(shape))}, case)


def test_a_token_that_the_platform_refuses_is_made_anew(program: Program) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        first = await broker.token("tool")
        await at_once(20, lambda: broker.token("tool", stale=first.fingerprint))
        assert program.starts == 2

    with_broker({"tool": command_profile(program.says("date +%s%N"))}, case)


def test_calling_it_off_ends_the_command(program: Program, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    async def case(broker: Broker, _clock: SettableClock) -> None:
        asking = asyncio.create_task(broker.sign_in("tool"))
        with await asyncio.to_thread(fifo.open) as held_open:
            await broker.cancel("tool")
            with pytest.raises(PlatformAuthError, match="called off"):
                await asking
            assert await asyncio.to_thread(held_open.read) == ""  # whoever held it is gone

    with_broker({"tool": command_profile(program.says(f"exec 3>'{fifo}'; sleep 1000"))}, case)


@pytest.mark.parametrize("setting", ["command", "proxyCommand"])
def test_the_administrator_can_forbid_commands(program: Program, setting: str) -> None:
    async def case(broker: Broker, _clock: SettableClock) -> None:
        profile = command_profile(program.says("echo the-token"))
        profile["admin"][setting] = profile["admin"].pop("command")
        with pytest.raises(PolicyError, match="would run a program"):
            await broker.put("mine", profile)
        assert (await broker.token("tool")).value.reveal() == "the-token"  # the admin's own
        assert program.starts == 1

    policy = Policy(allow_commands=False)
    with_broker({"tool": command_profile(program.says("echo the-token"))}, case, policy=policy)
