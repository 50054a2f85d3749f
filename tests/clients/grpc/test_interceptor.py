from __future__ import annotations

import queue
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from fakes.grpc_platform import GrpcPlatform, grpc_platform
from fakes.token_source import RenewingSource
from platform_auth.clients.grpc import call_auth, channel
from platform_auth.clients.grpc.replay import KEPT
from platform_auth.config import PlatformConfig
from platform_auth.errors import SignInRequiredError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def platform() -> Iterator[GrpcPlatform]:
    with grpc_platform() as served:
        served.accepted = {"token-2"}
        yield served


@pytest.fixture
def source() -> RenewingSource:
    return RenewingSource()


@pytest.fixture
def made(platform: GrpcPlatform, source: RenewingSource) -> Iterator[grpc.Channel]:
    with channel(PlatformConfig(platform.target, insecure=True), source) as opened:
        yield opened


def tokens(platform: GrpcPlatform) -> list[str]:
    return [call["authorization"] for call in platform.calls]


def words() -> Iterator[bytes]:
    return iter([b"one", b"two", b"three"])


def answer(made: grpc.Channel, kind: str) -> bytes:
    method = getattr(made, kind)(f"/echo/{kind}")
    request = words() if kind.startswith("stream") else b"one"
    response = method(request, timeout=10)
    return b" ".join(response) if kind.endswith("stream") else response


EXPECTED = {
    "unary_unary": b"one",
    "unary_stream": b"one one",
    "stream_unary": b"one two three",
    "stream_stream": b"one two three",
}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", EXPECTED)
def test_a_refused_call_is_made_again_with_the_token_that_replaces_it(
    made: grpc.Channel, platform: GrpcPlatform, source: RenewingSource, kind: str, late: bool
) -> None:
    platform.refuse_late = late
    first = source.current.fingerprint
    assert answer(made, kind) == EXPECTED[kind]
    assert source.refused == [first]
    assert tokens(platform) == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_call_that_is_refused_twice_stays_refused(
    made: grpc.Channel, platform: GrpcPlatform, kind: str
) -> None:
    platform.accepted = {"another"}
    with pytest.raises(grpc.RpcError) as raised:
        answer(made, kind)
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert len(platform.calls) == 2


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_call_is_not_made_again_with_the_same_token(platform: GrpcPlatform, kind: str) -> None:
    stuck = RenewingSource(can_renew=False)
    with (
        channel(PlatformConfig(platform.target, insecure=True), stuck) as made,
        pytest.raises(grpc.RpcError),
    ):
        answer(made, kind)
    assert len(platform.calls) == 1


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_missing_sign_in_is_said_as_it_is(
    made: grpc.Channel, source: RenewingSource, kind: str
) -> None:
    source.fault = SignInRequiredError("Nobody is signed in.")
    with pytest.raises(SignInRequiredError):
        answer(made, kind)


def test_other_failures_cost_no_refresh(
    made: grpc.Channel, platform: GrpcPlatform, source: RenewingSource
) -> None:
    platform.accepted = set()
    with pytest.raises(grpc.RpcError) as raised:
        made.unary_unary("/echo/unary_unary")(b"missing", timeout=10)
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND
    assert source.refused == []


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
def test_a_future_is_not_waited_for_and_is_made_again(
    made: grpc.Channel, platform: GrpcPlatform, kind: str
) -> None:
    ended: queue.Queue[Any] = queue.Queue()
    method = getattr(made, kind)(f"/echo/{kind}")
    request = words() if kind.startswith("stream") else b"one"
    future = method.future(request, timeout=10)
    future.add_done_callback(ended.put)
    assert future.result(10) == EXPECTED[kind]
    assert ended.get(timeout=10) is not None
    assert future.done()
    assert not future.running()
    assert not future.cancelled()
    assert future.exception() is None
    assert future.traceback() is None
    assert future.code() is grpc.StatusCode.OK
    assert len(platform.calls) == 2


def test_a_future_says_that_a_sign_in_is_missing(
    made: grpc.Channel, platform: GrpcPlatform, source: RenewingSource
) -> None:
    source.may_renew = threading.Event()
    future = made.unary_unary("/echo/unary_unary").future(b"one", timeout=10)
    source.fault = SignInRequiredError("Nobody is signed in.")
    source.may_renew.set()
    assert isinstance(future.exception(10), SignInRequiredError)
    assert future.traceback(10) is not None
    with pytest.raises(SignInRequiredError):
        future.result(10)


def test_a_future_has_a_time_limit_of_its_own(
    made: grpc.Channel, platform: GrpcPlatform, source: RenewingSource
) -> None:
    source.may_renew = threading.Event()
    future = made.unary_unary("/echo/unary_unary").future(b"one", timeout=10)
    with pytest.raises(grpc.FutureTimeoutError):
        future.result(0.05)
    with pytest.raises(grpc.FutureTimeoutError):
        future.exception(0.05)
    source.may_renew.set()
    assert future.result(10) == b"one"


def test_the_second_attempt_has_what_is_left_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(call_auth, "time", SimpleNamespace(monotonic=lambda: now[0]))
    asked = SimpleNamespace(timeout=10, metadata=None)
    auth = call_auth.CallAuth(asked, RenewingSource().current)
    now[0] += 7
    assert auth.timeout() == 3
    now[0] += 7
    assert auth.timeout() == 0
    asked.timeout = None
    assert call_auth.CallAuth(asked, RenewingSource().current).timeout() is None


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("Received http2 header with status: 407", ["proxy"]),
        ("Received http2 header with status: 302", ["proxy"]),
        ("Received http2 header with status: 502", []),
        ("token parse error", []),
    ],
)
def test_what_a_proxy_refuses_is_the_proxys(text: str, refused: list[str]) -> None:
    token = replace(RenewingSource().current, proxy_authorization=Secret("Bearer proxy"))
    auth = call_auth.CallAuth(SimpleNamespace(timeout=None, metadata=None), token)
    names = {token.fingerprints[1]: "proxy", token.fingerprint: "platform", None: None}
    answers = [auth.refused(grpc.StatusCode.UNKNOWN, text) for _ in range(2)]
    assert [names[each] for each in answers if each] == refused  # once each
    assert names[auth.refused(grpc.StatusCode.UNAUTHENTICATED, "token parse error")] == "platform"


def test_a_stream_outlives_its_token(
    made: grpc.Channel, platform: GrpcPlatform, source: RenewingSource
) -> None:
    platform.accepted = {"token-1"}
    stream = made.unary_stream("/echo/unary_stream")(b"wait", timeout=10)
    assert next(stream) == b"wait"
    platform.accepted = {"token-2"}  # the platform looks at the beginning of a call alone
    assert made.unary_unary("/echo/unary_unary")(b"one", timeout=10) == b"one"
    platform.go_on.set()
    assert list(stream) == [b"wait"]
    assert len(source.refused) == 1


def test_a_stream_that_is_refused_half_way_is_not_begun_anew(
    made: grpc.Channel, platform: GrpcPlatform, source: RenewingSource
) -> None:
    platform.accepted = set()
    stream = made.unary_stream("/echo/unary_stream")(b"break", timeout=10)
    assert next(stream) == b"break"
    with pytest.raises(grpc.RpcError):
        next(stream)
    assert source.refused == []
    assert stream.code() is grpc.StatusCode.UNAUTHENTICATED


def test_a_conversation_goes_on_with_the_second_attempt(
    made: grpc.Channel, platform: GrpcPlatform
) -> None:
    said: queue.Queue[bytes | None] = queue.Queue()
    said.put(b"one")
    talk = made.stream_stream("/echo/stream_stream")(iter(said.get, None), timeout=10)
    for word in (b"two", b"three", None):
        assert next(talk) is not None
        said.put(word)
    assert list(talk) == []
    assert len(platform.calls) == 2


def test_a_stream_that_is_too_long_to_keep_is_sent_once(
    made: grpc.Channel, platform: GrpcPlatform
) -> None:
    platform.refuse_late = True
    long = (b"x" * (KEPT // 4) for _ in range(8))
    platform.accepted = set()
    response = made.stream_unary("/echo/stream_unary")(long, timeout=10)
    assert len(response) == 8 * (KEPT // 4) + 7
    assert len(platform.calls) == 1


def test_a_stream_is_cancelled(made: grpc.Channel, platform: GrpcPlatform) -> None:
    stream = made.unary_stream("/echo/unary_stream")(b"wait", timeout=10)
    assert next(stream) == b"wait"
    stream.cancel()
    with pytest.raises(grpc.RpcError):
        next(stream)
    assert stream.code() is grpc.StatusCode.CANCELLED
    assert not stream.is_active()


def test_the_callers_own_metadata_goes_along(made: grpc.Channel, platform: GrpcPlatform) -> None:
    made.unary_unary("/echo/unary_unary")(
        b"one", metadata=(("x-request-id", "7"), ("authorization", "Basic mine")), timeout=10
    )
    assert platform.calls[1]["x-request-id"] == "7"
    assert tokens(platform)[1] == "Bearer token-2"
