from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from platform_auth.broker.attempt import Binding
from platform_auth.broker.broker import Broker
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.session import State
from platform_auth.config import Profiles
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CALLBACK = "http://127.0.0.1:8888/platform-auth/callback"
HERE = Binding("browser", "ada")


def run(case: Callable[[Broker, Sandbox], Awaitable[None]]) -> None:
    async def main() -> None:
        profiles = Profiles(admin=sandbox.profiles(), user_file=None, flyte=False)
        broker = Broker(profiles, Redirects("/platform-auth/login"))
        try:
            await case(broker, sandbox)
        finally:
            await broker.close()

    with Sandbox() as sandbox:
        asyncio.run(main())


def test_a_second_notebook_joins_the_sign_in_that_is_under_way() -> None:
    async def case(broker: Broker, sandbox: Sandbox) -> None:
        await broker.sign_in("demo")
        url = await broker.begin("demo", CALLBACK, HERE)
        await broker.sign_in("demo")  # while the person is on the provider's pages
        back = await asyncio.to_thread(sandbox.sign_in_scripted, url)
        session = await broker.complete(back, HERE)
        assert session.state is State.SIGNED_IN

    run(case)


@pytest.mark.parametrize("wish", [{"force": True}, {"flow": "pkce"}, {"redirect": "paste"}])
def test_whoever_wants_it_otherwise_starts_anew(wish: dict[str, bool | str]) -> None:
    async def case(broker: Broker, _sandbox: Sandbox) -> None:
        await broker.sign_in("demo", redirect="paste")
        first = (await broker.session("demo")).challenge
        second = (await broker.sign_in("demo", **wish)).challenge  # type: ignore[arg-type]
        assert first is not None
        assert second is not None
        assert _state(first["url"]) != _state(second["url"])

    run(case)


def _state(url: str) -> list[str] | None:
    return parse_qs(urlsplit(url).query).get("state")
