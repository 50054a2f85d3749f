"""Two brokers on one store: what one does, the other knows."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.broker.attempt import Binding
from platform_auth.broker.broker import Broker
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.sessions import UNUSED_SECONDS
from platform_auth.broker.stores.file import FileStore
from platform_auth.config import Profiles
from platform_auth.errors import SignInRequiredError
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

ADA = Binding("browser")
PROCESSES = 6


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@asynccontextmanager
async def brokers(
    directory: Path, *profiles: dict[str, Any], count: int = 2
) -> AsyncIterator[list[Broker]]:
    found = [
        Broker(
            Profiles(admin={"demo": profile}, user_file=None, flyte=False),
            Redirects("/platform-auth/login"),
            store=FileStore(directory, keyring=False),
        )
        for profile in (profiles * count)[: max(count, len(profiles))]
    ]
    try:
        yield found
    finally:
        for broker in found:
            await broker.close()


async def sign_in(broker: Broker, sandbox: Sandbox) -> None:
    url = await broker.begin("demo", "http://127.0.0.1:8888/platform-auth/callback", ADA)
    back = await asyncio.to_thread(sandbox.sign_in_scripted, url)
    await broker.complete(back, ADA)


def refreshes(sandbox: Sandbox) -> int:
    return sum(request.grant_type == "refresh_token" for request in sandbox.requests)


def test_a_sign_in_of_one_is_the_others(sandbox: Sandbox, tmp_path: Path) -> None:
    async def work() -> None:
        async with brokers(tmp_path / "s", sandbox.profiles()["demo"]) as (one, other):
            with pytest.raises(SignInRequiredError):
                await other.token("demo")
            await sign_in(one, sandbox)
            assert (await other.token("demo")).value == (await one.token("demo")).value
            session = await other.session("demo")
            assert session.identity is not None
            assert session.identity.email == "ada@example.com"

    asyncio.run(work())


def test_a_sign_in_outlives_the_broker(sandbox: Sandbox, tmp_path: Path) -> None:
    async def work() -> None:
        async with brokers(tmp_path / "s", sandbox.profiles()["demo"], count=1) as (one,):
            await sign_in(one, sandbox)
            token = await one.token("demo")
        async with brokers(tmp_path / "s", sandbox.profiles()["demo"], count=1) as (later,):
            assert (await later.token("demo")).value == token.value

    asyncio.run(work())


def test_many_refresh_once(sandbox: Sandbox, tmp_path: Path) -> None:
    async def work() -> None:
        async with brokers(tmp_path / "s", sandbox.profiles()["demo"], count=8) as all_of_them:
            await sign_in(all_of_them[0], sandbox)
            stale = (await all_of_them[0].token("demo")).fingerprint
            for broker in all_of_them:
                await broker.session("demo")
            before = refreshes(sandbox)
            tokens = await asyncio.gather(*(b.token("demo", stale=stale) for b in all_of_them))
            assert refreshes(sandbox) == before + 1
            assert len({token.fingerprint for token in tokens}) == 1
            assert tokens[0].fingerprint != stale

    asyncio.run(work())


def refresh_in_a_process(
    directory: Path, profile: dict[str, Any], stale: str, ready: Any, found: Any
) -> None:
    async def work() -> None:
        async with brokers(directory, profile, count=1) as (broker,):
            await broker.session("demo")
            ready.wait(60)
            found.put((await broker.token("demo", stale=stale)).fingerprint)

    asyncio.run(work())


def test_many_processes_refresh_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """The provider rotates and takes a second use of a refresh token for theft."""
    directory, profile = tmp_path / "s", sandbox.profiles()["demo"]

    async def prepare() -> str:
        async with brokers(directory, profile, count=1) as (broker,):
            await sign_in(broker, sandbox)
            return (await broker.token("demo")).fingerprint

    stale, before = asyncio.run(prepare()), refreshes(sandbox)
    context = multiprocessing.get_context("spawn")
    ready, found = context.Barrier(PROCESSES), context.Queue()
    processes = [
        context.Process(target=refresh_in_a_process, args=(directory, profile, stale, ready, found))
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    fingerprints = {found.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
    assert refreshes(sandbox) == before + 1
    assert len(fingerprints) == 1
    assert fingerprints != {stale}


def test_a_sign_out_of_one_is_the_others(sandbox: Sandbox, tmp_path: Path) -> None:
    async def work() -> None:
        async with brokers(tmp_path / "s", sandbox.profiles()["demo"]) as (one, other):
            await sign_in(one, sandbox)
            await other.token("demo")
            await one.sign_out("demo")
            with pytest.raises(SignInRequiredError):
                await other.token("demo")
            assert (await other.session("demo")).state == "signed_out"

    asyncio.run(work())


def test_tokens_do_not_follow_a_name_to_another_platform(sandbox: Sandbox, tmp_path: Path) -> None:
    profile = sandbox.profiles()["demo"]
    moved = {**profile, "admin": {**profile["admin"], "endpoint": "http://127.0.0.1:9"}}

    async def work() -> None:
        async with brokers(tmp_path / "s", profile, moved) as (one, other):
            await sign_in(one, sandbox)
            with pytest.raises(SignInRequiredError):
                await other.token("demo")
            assert (await one.token("demo")).remaining > 0

    asyncio.run(work())


def test_what_a_profile_was_is_forgotten_once_nobody_uses_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A process that still has the old configuration keeps its sign-in as long as it is in use."""
    profile = sandbox.profiles()["demo"]
    moved = {**profile, "admin": {**profile["admin"], "endpoint": "http://127.0.0.1:9"}}

    async def work() -> None:
        async with brokers(tmp_path / "s", profile, moved) as (old, new):
            await sign_in(old, sandbox)
            record = (await old.session("demo")).record
            assert record is not None
            for unused, expected in ((UNUSED_SECONDS - 60, 1), (UNUSED_SECONDS + 60, 0)):
                issued_at = time.time() - record.tokens.expires_in - unused
                store = FileStore(tmp_path / "s", keyring=False)
                await store.save(replace(record, issued_at=issued_at))
                with pytest.raises(SignInRequiredError):
                    await new.token("demo")
                assert len(list((tmp_path / "s").glob("*.session"))) == expected

    asyncio.run(work())
