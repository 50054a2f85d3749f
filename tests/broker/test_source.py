from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.bench import until
from platform_auth.broker import source as module
from platform_auth.broker.access_token import AccessToken
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.monotonic import monotonic
from platform_auth.broker.source import TokenSource
from platform_auth.errors import (
    BrokerRefusedError,
    BrokerUnavailableError,
    PlatformAuthError,
    SignInRequiredError,
    TransportError,
)
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable


class Broker:
    """A broker's client that gives a new token when the old one is refused or nearly dead."""

    def __init__(self, lifetime: float = 300) -> None:
        self.lifetime = lifetime
        self.asked: list[tuple[float, str | None]] = []
        self.fault: PlatformAuthError | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.current = self.new()

    def new(self) -> AccessToken:
        number = len(getattr(self, "asked", ()))
        return AccessToken(
            Secret(f"at-{number}"), 0, monotonic() + self.lifetime, lifetime=self.lifetime
        )

    def token(self, _profile: str, *, min_ttl: float, stale: str | None) -> AccessToken:
        self.asked.append((min_ttl, stale))
        self.gate.wait(20)
        if self.fault is not None:
            raise self.fault
        if stale == self.current.fingerprint or self.current.remaining < self.lifetime / 4:
            self.current = self.new()
        return self.current


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def source(broker: Broker) -> TokenSource:
    return TokenSource(broker, "prod")  # type: ignore[arg-type]


class Hands:
    """Hands of a clock that tests turn."""

    def __init__(self) -> None:
        self.passed = 0.0
        self._monotonic = time.monotonic

    def __call__(self) -> float:
        return self._monotonic() + self.passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Hands:
    hands = Hands()
    # Whichever of them this machine has for what goes on while it sleeps.
    monkeypatch.setattr(time, "monotonic", hands)
    monkeypatch.setattr(time, "clock_gettime", lambda _clock: hands())
    return hands


class TestKept:
    def test_a_token_is_fetched_once(self, source: TokenSource, broker: Broker) -> None:
        for _ in range(100):
            assert source.header() == ("authorization", "Bearer at-0")
            assert source.token().value.reveal() == "at-0"
        assert broker.asked == [(60, None)]

    def test_it_is_asked_about_again_halfway_to_when_it_must_be(
        self, source: TokenSource, broker: Broker, clock: Hands
    ) -> None:
        """So that the broker renews it in the background and nobody ever waits."""
        source.header()
        clock.passed = 110  # of 240 that there are to spare
        source.header()
        assert len(broker.asked) == 1
        clock.passed = 125
        source.header()
        source.header()
        asked_ahead(source)
        assert len(broker.asked) == 2
        clock.passed = 185
        source.header()
        asked_ahead(source)
        assert len(broker.asked) == 3

    def test_nobody_waits_for_the_answer(
        self, source: TokenSource, broker: Broker, clock: Hands
    ) -> None:
        """The server may be busy, or the token's renewal slow: what there is still serves."""
        before = source.header()
        broker.gate.clear()
        clock.passed = 230
        for _ in range(100):
            assert source.header() == before
            assert source.token(min_ttl=60).authorization == before[1]
        broker.gate.set()
        asked_ahead(source)
        assert source.header() != before
        assert len(broker.asked) == 2

    def test_whoever_needs_more_gets_more(
        self, source: TokenSource, broker: Broker, clock: Hands
    ) -> None:
        source.token()
        clock.passed = 100
        source.token(min_ttl=70)
        assert len(broker.asked) == 1
        clock.passed = 110
        broker.lifetime = 1200
        broker.current = broker.new()
        source.forget()
        source.token()
        clock.passed = 400
        source.token(min_ttl=250)
        assert len(broker.asked) == 2
        clock.passed = 110 + 1200 - 299
        source.token(min_ttl=299)
        assert broker.asked[-1] == (299, None)

    @pytest.mark.parametrize("lifetime", [30.0, 59.0, 100.0])
    def test_tokens_that_live_shortly_are_no_reason_to_ask_every_time(
        self, lifetime: float
    ) -> None:
        broker = Broker(lifetime)
        source = TokenSource(broker, "prod")  # type: ignore[arg-type]
        for _ in range(100):
            source.token(min_ttl=60)
            source.header()
        assert len(broker.asked) == 1

    def test_nor_are_tokens_that_are_as_good_as_dead(self, clock: Hands) -> None:
        """A broker whose provider is away has nothing better for a while."""
        broker = Broker(10)
        source = TokenSource(broker, "prod")  # type: ignore[arg-type]
        clock.passed = 7.4
        for _ in range(100):
            source.header()
        assert len(broker.asked) == 1
        clock.passed = 9.0
        source.header()
        assert len(broker.asked) == 2

    def test_a_dead_one_is_never_handed_out(
        self, source: TokenSource, broker: Broker, clock: Hands
    ) -> None:
        first = source.token()
        clock.passed = 301
        assert source.token() != first
        clock.passed = 603
        assert source.header() != ("authorization", first.authorization)
        assert len(broker.asked) == 3

    def test_forgotten(self, source: TokenSource, broker: Broker) -> None:
        source.header()
        source.forget()
        source.header()
        assert len(broker.asked) == 2

    def test_the_hot_path_does_not_look_at_the_token(
        self, source: TokenSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source.header()
        monkeypatch.setattr(source, "token", None)
        assert source.header() == ("authorization", "Bearer at-0")


class TestRefused:
    def test_a_refused_token_is_replaced_once(self, source: TokenSource, broker: Broker) -> None:
        stale = source.token().fingerprint
        fresh = [source.token(stale=stale) for _ in range(20)]
        assert {each.value.reveal() for each in fresh} == {"at-2"}
        assert broker.asked == [(60, None), (60, stale)]
        assert source.header() == ("authorization", "Bearer at-2")

    def test_by_however_many(self, source: TokenSource, broker: Broker) -> None:
        stale = source.token().fingerprint
        broker.gate.clear()
        results = in_threads(200, lambda: source.token(stale=stale), broker, source)
        assert {token.value.reveal() for token in results} == {"at-2"}
        assert len(broker.asked) == 2


class TestThreads:
    def test_two_hundred_ask_once(self, source: TokenSource, broker: Broker) -> None:
        broker.gate.clear()
        results = in_threads(200, lambda: source.header()[1], broker, source)
        assert set(results) == {"Bearer at-0"}
        assert len(broker.asked) == 1

    def test_two_hundred_share_one_failure(self, source: TokenSource, broker: Broker) -> None:
        broker.gate.clear()
        broker.fault = SignInRequiredError("You are not signed in.", fix="Sign in.")
        results = in_threads(200, lambda: failure(source), broker, source)
        assert {type(each) for each in results} == {SignInRequiredError}
        assert {str(each) for each in results} == {str(broker.fault)}
        assert len(broker.asked) == 1

    def test_whoever_asks_later_is_not_told_of_an_old_failure(
        self, source: TokenSource, broker: Broker
    ) -> None:
        broker.fault = BrokerUnavailableError("It is not there.")
        with pytest.raises(BrokerUnavailableError):
            source.token()
        broker.fault = None
        assert source.token().value.reveal() == "at-0"

    def test_tasks_of_many_loops(self, source: TokenSource, broker: Broker) -> None:
        async def tasks() -> set[str]:
            tokens = await asyncio.gather(*(source.token_async() for _ in range(40)))
            return {token.value.reveal() for token in tokens}

        results = in_threads(5, lambda: asyncio.run(tasks()))
        assert results == [{"at-0"}] * 5
        assert len(broker.asked) == 1

    def test_a_loop_goes_on_while_a_token_is_fetched(
        self, source: TokenSource, broker: Broker
    ) -> None:
        async def both() -> str:
            broker.gate.clear()
            fetching = asyncio.create_task(source.token_async(stale="x"))
            await until(lambda: broker.asked)
            broker.gate.set()
            return (await fetching).value.reveal()

        assert asyncio.run(asyncio.wait_for(both(), 10)) == "at-0"


class TestFault:
    @pytest.mark.parametrize("fault", [BrokerUnavailableError("gone"), TransportError("down")])
    def test_a_live_token_outlasts_it(
        self, source: TokenSource, broker: Broker, clock: Hands, fault: PlatformAuthError
    ) -> None:
        source.header()
        broker.fault = fault
        clock.passed = 250
        for _ in range(50):
            assert source.header() == ("authorization", "Bearer at-0")
        assert len(broker.asked) == 2  # and the broker is not pestered
        clock.passed = 252
        source.header()
        assert len(broker.asked) == 3
        clock.passed = 300
        with pytest.raises(type(fault)):
            source.header()

    def test_a_refused_one_does_not(self, source: TokenSource, broker: Broker) -> None:
        stale = source.token().fingerprint
        broker.fault = BrokerUnavailableError("gone")
        with pytest.raises(BrokerUnavailableError):
            source.token(stale=stale)

    @pytest.mark.parametrize(
        "fault",
        [BrokerRefusedError("no such kernel"), BrokerUnavailableError("version", retryable=False)],
    )
    def test_what_is_wrong_with_the_broker_says_nothing_about_the_token(
        self, source: TokenSource, broker: Broker, clock: Hands, fault: PlatformAuthError
    ) -> None:
        source.header()
        broker.fault = fault
        clock.passed = 130
        source.header()
        asked_ahead(source)
        clock.passed = 250
        assert source.header() == ("authorization", "Bearer at-0")
        clock.passed = 300
        with pytest.raises(type(fault)):
            source.header()

    def test_a_broker_that_is_away_is_asked_less_and_less(
        self, source: TokenSource, broker: Broker, clock: Hands
    ) -> None:
        source.header()
        broker.fault = BrokerUnavailableError("gone")
        asked_at = []
        for second in range(121, 239):
            clock.passed = second
            before = len(broker.asked)
            source.header()
            asked_ahead(source)
            asked_at += [second] * (len(broker.asked) - before)
        assert asked_at == [121, 123, 127, 135, 151, 181, 211]
        broker.fault = None
        clock.passed = 245
        source.header()
        broker.fault = BrokerUnavailableError("gone")
        clock.passed += 130
        source.header()
        asked_ahead(source)
        assert source._kept is not None
        assert source._kept.pause == 2

    def test_what_only_a_person_can_mend_is_said_soon(
        self, source: TokenSource, broker: Broker, clock: Hands
    ) -> None:
        source.header()
        broker.fault = SignInRequiredError("You are not signed in.")
        clock.passed = 130
        source.header()
        asked_ahead(source)
        for _ in range(2):
            with pytest.raises(SignInRequiredError):
                source.header()

    def test_and_at_once_where_the_token_will_not_do(
        self, source: TokenSource, broker: Broker, clock: Hands
    ) -> None:
        source.header()
        broker.fault = SignInRequiredError("You are not signed in.")
        clock.passed = 250
        with pytest.raises(SignInRequiredError):
            source.header()


class TestLoops:
    def test_a_thousand_tasks_wait_for_one_thread(
        self, source: TokenSource, broker: Broker
    ) -> None:
        broker.gate.clear()

        async def work() -> int:
            tasks = [asyncio.create_task(source.token_async()) for _ in range(1000)]
            await until(lambda: broker.asked)
            threads = threading.active_count()
            broker.gate.set()
            assert len({token.fingerprint for token in await asyncio.gather(*tasks)}) == 1
            return threads

        before = threading.active_count()
        assert asyncio.run(work()) == before + 1

    def test_a_task_that_is_cancelled_takes_no_other_along(
        self, source: TokenSource, broker: Broker
    ) -> None:
        broker.gate.clear()

        async def work() -> None:
            tasks = [asyncio.create_task(source.token_async()) for _ in range(3)]
            await until(lambda: broker.asked)
            tasks[0].cancel()
            await asyncio.gather(tasks[0], return_exceptions=True)
            broker.gate.set()
            assert (await asyncio.gather(*tasks[1:]))[0].value.reveal() == "at-0"

        asyncio.run(work())

    def test_a_failure_reaches_every_task_with_frames_of_its_own(
        self, source: TokenSource, broker: Broker
    ) -> None:
        broker.fault = SignInRequiredError("You are not signed in.")

        async def work() -> list[Any]:
            calls = (source.token_async() for _ in range(20))
            return await asyncio.gather(*calls, return_exceptions=True)

        errors = asyncio.run(work())
        assert {type(error) for error in errors} == {SignInRequiredError}
        assert len({id(error) for error in errors}) == 20

    def test_a_loop_that_ends_does_not_wait(
        self, source: TokenSource, broker: Broker, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A cell that is interrupted while the server is away, for example."""
        broker.gate.clear()

        async def work() -> None:
            asking = asyncio.create_task(source.token_async())
            await until(lambda: broker.asked)
            asking.cancel()

        asyncio.run(work())
        assert not broker.gate.is_set()
        broker.gate.set()
        assert source.token().value.reveal() == "at-0"
        assert caplog.records == []

    def test_a_loop_that_is_closed_without_a_word_is_no_trouble(
        self, source: TokenSource, broker: Broker, caplog: pytest.LogCaptureFixture
    ) -> None:
        broker.gate.clear()
        loop = asyncio.new_event_loop()
        asking = loop.create_task(source.token_async())
        while not broker.asked:
            loop.run_until_complete(asyncio.sleep(0))
        (flight,) = source._flights.values()
        loop.close()
        broker.gate.set()
        assert flight.result(20).value.reveal() == "at-0"
        asking._log_destroy_pending = False  # type: ignore[attr-defined]  # our own doing
        assert caplog.records == []


class TestReference:
    def test_a_pickle_holds_no_token(self, source: TokenSource, broker: Broker) -> None:
        channel = SocketChannel("unix:///somewhere/broker.sock", "/somewhere/key")
        source = TokenSource(BrokerClient(channel), "prod", min_ttl=7)
        source._kept = module._Kept(broker.current, ("authorization", "Bearer at-0"), 1e12)
        pickled = pickle.dumps(source)
        assert b"at-0" not in pickled
        assert b"/somewhere/key" in pickled
        again = pickle.loads(pickled)  # noqa: S301 - our own
        assert again._kept is None
        assert (again.profile, again._min_ttl) == ("prod", 7)
        assert again.client._channel.address == "unix:///somewhere/broker.sock"


FORKED = """
import os, sys, threading
from platform_auth.broker.source import TokenSource
sys.path[:0] = [{tests!r}, {support!r}]
from test_source import Broker

source = TokenSource(Broker(), "prod")
inside, done = threading.Event(), threading.Event()

def hold():
    with source._own_lock():
        inside.set()
        done.wait()

threading.Thread(target=hold, daemon=True).start()
inside.wait()
child = os.fork()
if child == 0:
    source.token()
    os._exit(7)
done.set()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_fork_while_somebody_fetches_does_not_hang_the_child() -> None:
    here = Path(__file__).parent
    script = FORKED.format(tests=str(here), support=str(here.parent / "support"))
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert found.stdout.strip() == "7"


def asked_ahead(source: TokenSource) -> None:
    """Wait until what is asked in the background has been answered."""
    if source._asking is not None:
        source._asking.join(20)


def in_threads(
    count: int,
    work: Callable[[], Any],
    broker: Broker | None = None,
    source: TokenSource | None = None,
) -> list[Any]:
    """Run work in threads that begin together; the broker answers once all of them wait."""
    results: list[Any] = []
    waiting: list[int] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait(20)
        results.append(work())

    def own_lock() -> threading.Lock:
        waiting.append(1)
        return lock

    if source is not None:
        lock = source._lock
        source._own_lock = own_lock  # type: ignore[method-assign]
    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while source is not None and len(waiting) < count and time.monotonic() < deadline:
        time.sleep(0.001)
    if broker is not None:
        broker.gate.set()
    for thread in threads:
        thread.join(20)
    return results


def failure(source: TokenSource) -> PlatformAuthError | None:
    try:
        source.token()
    except PlatformAuthError as error:
        return error
    return None


def test_the_pause_is_short() -> None:
    assert module._PAUSE <= 1
