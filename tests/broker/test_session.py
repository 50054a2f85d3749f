from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fakes.bench import until
from platform_auth.broker.session import State
from platform_auth.errors import SignInRequiredError

if TYPE_CHECKING:
    from fakes.bench import Bench


def test_the_states_are_words_of_the_protocol() -> None:
    assert [str(state) for state in State] == [
        "signed_out",
        "signing_in",
        "signed_in",
        "expired",
        "failed",
    ]


class TestRevision:
    def test_it_grows_with_every_change(self, bench: Bench) -> None:
        async def work() -> None:
            session = await bench.broker.session("prod")
            seen = [session.revision]
            for step in (
                bench.broker.sign_in("prod"),
                bench.sign_in(),
                bench.broker.sign_in("prod", force=True),
                bench.broker.cancel("prod"),
                bench.broker.sign_out("prod"),
            ):
                await step
                seen.append(session.revision)
            assert sorted(set(seen)) == seen

        bench.run(work)

    def test_reading_does_not_change_it(self, bench: Bench) -> None:
        async def work() -> None:
            await bench.signed_in()
            session = await bench.broker.session("prod")
            before = session.revision
            await bench.broker.token("prod")
            await bench.broker.session("prod")
            await bench.broker.sign_in("prod")
            assert session.revision == before

        bench.run(work)

    def test_a_restarted_broker_does_not_repeat_one(self, new_bench: type[Bench]) -> None:
        async def revision(bench: Bench) -> int:
            return (await bench.broker.session("prod")).revision

        first, second = new_bench(), new_bench()
        before = first.run(lambda: revision(first))
        assert 0 < before <= second.run(lambda: revision(second)) < 2**53

    def test_whoever_knows_another_is_answered_at_once(self, bench: Bench) -> None:
        async def work() -> None:
            session = await bench.broker.session("prod")
            await asyncio.wait_for(session.changed(session.revision - 1, 1000), 5)
            await asyncio.wait_for(session.changed(0, 1000), 5)

        bench.run(work)

    def test_whoever_knows_it_waits_for_the_next(self, bench: Bench) -> None:
        async def work() -> None:
            session = await bench.broker.session("prod")
            waiting = [
                asyncio.create_task(session.changed(session.revision, 1000)) for _ in range(20)
            ]
            await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
            await bench.broker.sign_in("prod")
            await asyncio.wait_for(asyncio.gather(*waiting), 5)

        bench.run(work)

    def test_but_not_for_ever(self, bench: Bench) -> None:
        async def work() -> None:
            session = await bench.broker.session("prod")
            await asyncio.wait_for(session.changed(session.revision, 0.01), 5)
            await asyncio.wait_for(session.changed(session.revision, 0), 5)

        bench.run(work)

    def test_a_changed_profile_wakes_whoever_waits(self, bench: Bench) -> None:
        async def work() -> None:
            mapping = {"admin": {"endpoint": "a.example.com", "clientId": "x"}}
            session = await bench.broker.put("mine", mapping)
            await bench.broker.session("mine")
            waiting = asyncio.create_task(session.changed(session.revision, 1000))
            await asyncio.sleep(0)
            mapping["admin"]["endpoint"] = "b.example.com"
            await bench.broker.put("mine", mapping)
            await until(waiting.done)

        bench.run(work)


def test_an_expired_session_remembers_whose_it_was(bench: Bench) -> None:
    async def work() -> None:
        await bench.signed_in()
        session = await bench.broker.session("prod")
        bench.provider.refresh_tokens.clear()
        bench.clock.advance(301)
        assert session.state is State.SIGNED_IN  # as far as anybody knows
        with pytest.raises(SignInRequiredError):
            await bench.broker.token("prod")
        assert session.state is State.EXPIRED
        assert session.identity is not None
        assert session.remaining == 0
        await bench.broker.sign_out("prod")
        assert session.identity is None
        assert session.state is State.SIGNED_OUT

    bench.run(work)
