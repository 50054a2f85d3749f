from __future__ import annotations

import asyncio
import queue
import threading

import pytest

from platform_auth.clients.grpc.replay import KEPT, AsyncReplay, Replay


def test_a_second_attempt_begins_with_the_first_request() -> None:
    replay = Replay(iter([b"one", b"two", b"three"]))
    first = replay.attempt()
    assert [next(first), next(first)] == [b"one", b"two"]
    second = replay.attempt()
    assert list(first) == []  # whoever has given up gets no more
    assert list(second) == [b"one", b"two", b"three"]


def test_what_a_given_up_attempt_was_waiting_for_is_the_next_ones() -> None:
    said: queue.Queue[bytes | None] = queue.Queue()
    waiting = threading.Event()

    def get() -> bytes | None:
        waiting.set()
        return said.get(timeout=10)

    replay = Replay(iter(get, None))
    first = replay.attempt()
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.extend(first))
    reader.start()
    waiting.wait(10)
    second = replay.attempt()  # does not wait for the other
    for word in (b"one", b"two", None):
        said.put(word)
    assert list(second) == [b"one", b"two"]
    reader.join(10)
    assert heard == []


def test_what_the_callers_iterator_fails_with_ends_each_attempt() -> None:
    def failing() -> object:
        raise OSError("the file is gone")

    replay = Replay(iter(failing, None))
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            next(replay.attempt())


def test_nothing_is_kept_of_what_was_accepted_or_is_too_much() -> None:
    replay = Replay(iter([b"one", b"two"]))
    reader = replay.attempt()
    next(reader)
    replay.accepted()
    assert not replay.replayable
    assert list(reader) == [b"two"]
    assert len(replay._kept._items) == 0

    long = Replay(iter([b"x" * KEPT, b"y"]))
    reader = long.attempt()
    next(reader)
    assert long.replayable
    next(reader)
    assert not long.replayable
    assert len(long._kept._items) == 0


def test_a_message_is_measured_as_protobuf_does() -> None:
    class Message:
        def ByteSize(self) -> int:  # noqa: N802 - protobuf's name
            return KEPT + 1

    replay = Replay(iter([Message()]))
    next(replay.attempt())
    assert not replay.replayable


def test_on_a_loop_an_attempt_that_is_cancelled_does_not_end_the_requests() -> None:
    async def run() -> list[bytes]:
        said: asyncio.Queue[bytes | None] = asyncio.Queue()
        waiting = asyncio.Event()

        async def words() -> object:
            while True:
                waiting.set()
                word = await said.get()
                if word is None:
                    return
                yield word

        replay = AsyncReplay(words())
        first = asyncio.ensure_future(anext(aiter(replay.attempt())))
        await waiting.wait()
        first.cancel()
        second = replay.attempt()
        for word in (b"one", b"two", None):
            said.put_nowait(word)
        return [word async for word in second]

    assert asyncio.run(run()) == [b"one", b"two"]


def test_on_a_loop_nothing_waits_for_requests_of_a_call_that_is_over() -> None:
    async def run() -> None:
        async def never() -> object:
            await asyncio.Event().wait()
            yield b""

        replay = AsyncReplay(never())
        attempt = asyncio.ensure_future(anext(aiter(replay.attempt())))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        replay.close()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
