from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from fakes.grpc_platform import GrpcPlatform, grpc_platform
from fakes.token_source import RenewingSource
from platform_auth.clients.grpc import aio_channel
from platform_auth.config import PlatformConfig
from platform_auth.errors import SignInRequiredError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Conversation = Callable[[grpc.aio.Channel], Awaitable[Any]]

EXPECTED = {
    "unary_unary": b"one",
    "unary_stream": b"one one",
    "stream_unary": b"one two three",
    "stream_stream": b"one two three",
}


@pytest.fixture
def platform() -> Iterator[GrpcPlatform]:
    with grpc_platform() as served:
        served.accepted = {"token-2"}
        yield served


@pytest.fixture
def source() -> RenewingSource:
    return RenewingSource()


@pytest.fixture
def run(platform: GrpcPlatform, source: RenewingSource) -> Callable[[Conversation], Any]:
    async def held(conversation: Conversation) -> Any:
        config = PlatformConfig(platform.target, insecure=True)
        async with aio_channel(config, source) as made, asyncio.timeout(10):
            result = await conversation(made)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.gather(*left, return_exceptions=True)  # nothing of ours waits for ever
        return result

    return lambda conversation: asyncio.run(held(conversation))


async def slowly(*words: bytes) -> AsyncIterator[bytes]:
    for word in words:
        yield word


def call(made: grpc.aio.Channel, kind: str, *, lists: bool = False) -> Any:
    words = (b"one", b"two", b"three")
    several = list(words) if lists else slowly(*words)
    request = several if kind.startswith("stream") else b"one"
    return getattr(made, kind)(f"/echo/{kind}")(request, timeout=9)


async def answer(made: grpc.aio.Channel, kind: str, *, lists: bool = False) -> bytes:
    called = call(made, kind, lists=lists)
    if kind.endswith("stream"):
        return b" ".join([response async for response in called])
    response: bytes = await called
    return response


async def first(called: Any) -> Any:
    return await (called.read() if hasattr(called, "read") else called)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", EXPECTED)
def test_a_refused_call_is_made_again_with_the_token_that_replaces_it(
    run: Any, platform: GrpcPlatform, source: RenewingSource, kind: str, late: bool
) -> None:
    platform.refuse_late = late
    first = source.current.fingerprint
    assert run(lambda made: answer(made, kind)) == EXPECTED[kind]
    assert source.refused == [first]
    tokens = [each["authorization"] for each in platform.calls]
    assert tokens == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
def test_requests_may_be_a_list(run: Any, platform: GrpcPlatform, kind: str) -> None:
    assert run(lambda made: answer(made, kind, lists=True)) == EXPECTED[kind]
    assert len(platform.calls) == 2


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_call_that_is_refused_twice_stays_refused(
    run: Any, platform: GrpcPlatform, kind: str
) -> None:
    platform.accepted = {"another"}

    async def code(made: grpc.aio.Channel) -> Any:
        called = call(made, kind)
        with pytest.raises(grpc.RpcError):
            await first(called)
        assert called.done()
        return await called.code(), await called.details()

    assert run(code) == (grpc.StatusCode.UNAUTHENTICATED, "token parse error")
    assert len(platform.calls) == 2


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_missing_sign_in_is_said_as_it_is(run: Any, source: RenewingSource, kind: str) -> None:
    source.fault = SignInRequiredError("Nobody is signed in.")
    with pytest.raises(SignInRequiredError):
        run(lambda made: answer(made, kind))


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_sign_in_that_is_missing_for_the_second_attempt_is_said(
    run: Any, source: RenewingSource, kind: str
) -> None:
    given = source.token_async

    async def once(*, min_ttl: float | None = None, stale: str | None = None) -> Any:
        if stale is not None:
            raise SignInRequiredError("Nobody is signed in.")
        return await given(min_ttl=min_ttl)

    source.token_async = once  # type: ignore[method-assign]
    with pytest.raises(SignInRequiredError):
        run(lambda made: answer(made, kind))


def test_a_conversation_is_written_and_read(run: Any, platform: GrpcPlatform) -> None:
    async def talk(made: grpc.aio.Channel) -> list[bytes]:
        called = made.stream_stream("/echo/stream_stream")(timeout=9)
        heard = []
        for word in (b"one", b"two"):
            await called.write(word)
            heard.append(await called.read())
        await called.done_writing()
        assert await called.read() is grpc.aio.EOF
        return heard

    assert run(talk) == [b"one", b"two"]
    assert len(platform.calls) == 2


def test_requests_are_written(run: Any, platform: GrpcPlatform) -> None:
    async def send(made: grpc.aio.Channel) -> bytes:
        called = made.stream_unary("/echo/stream_unary")(timeout=9)
        await called.write(b"one")
        await called.write(b"two")
        await called.done_writing()
        response: bytes = await called
        return response

    assert run(send) == b"one two"
    assert len(platform.calls) == 2


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_call_is_cancelled(run: Any, source: RenewingSource, kind: str) -> None:
    async def cancel(made: grpc.aio.Channel) -> bool:
        called = call(made, kind)
        called.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first(called)
        return bool(called.cancelled())

    assert run(cancel)


def test_a_stream_is_cancelled_half_way(run: Any, platform: GrpcPlatform) -> None:
    async def cancel(made: grpc.aio.Channel) -> Any:
        called = made.unary_stream("/echo/unary_stream")(b"wait", timeout=9)
        assert await called.read() == b"wait"
        called.cancel()
        with pytest.raises(asyncio.CancelledError):
            await called.read()
        return await called.code()

    assert run(cancel) is grpc.StatusCode.CANCELLED


def test_all_that_a_call_tells_is_of_the_attempt_that_counts(
    run: Any, platform: GrpcPlatform
) -> None:
    async def ask(made: grpc.aio.Channel) -> tuple[Any, ...]:
        called = call(made, "stream_stream")
        ended = asyncio.Event()
        called.add_done_callback(lambda _: ended.set())
        assert not called.done()
        assert await called.initial_metadata() is not None
        async for _ in called:
            pass
        await ended.wait()
        return await called.code(), await called.trailing_metadata()

    code, trailing = run(ask)
    assert code is grpc.StatusCode.OK
    assert len(trailing) == 0
