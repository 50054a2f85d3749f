from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.bench import until
from fakes.served import served
from load.crowd import crowd
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.listener import Listener
from platform_auth.broker.source import TokenSource
from platform_auth.errors import (
    BrokerRefusedError,
    BrokerUnavailableError,
    PolicyError,
    SignInRequiredError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fakes.bench import Bench
    from platform_auth.broker.handles import Handle

PLACES = ("PLATFORM_AUTH_BROKER", "PLATFORM_AUTH_BROKER_TOKEN_FILE")


@asynccontextmanager
async def listening(bench: Bench, directory: Path, *, tcp: bool) -> AsyncIterator[Listener]:
    listener = Listener(bench.broker, directory, tcp=tcp)
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()


def with_listener(
    bench: Bench, directory: Path, look: Callable[[Listener], Any], *, tcp: bool = False
) -> Any:
    """Let a thread look at a listener."""

    async def work() -> Any:
        async with listening(bench, directory, tcp=tcp) as listener:
            return await asyncio.to_thread(look, listener)

    return bench.run(work)


def client(listener: Listener) -> BrokerClient:
    return BrokerClient(SocketChannel(*(listener.environment[name] for name in PLACES)))


def secret(listener: Listener) -> str:
    return Path(listener.environment[PLACES[1]]).read_text(encoding="ascii")


def raw(
    listener: Listener, method: str = "GET", path: str = "/v1/profiles", **given: Any
) -> http.client.HTTPResponse:
    """Send a request by hand over loopback TCP."""
    host, _, port = listener.address.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    headers = {"Authorization": f"Bearer {secret(listener)}", **given.pop("headers", {})}
    with contextlib.closing(connection):
        connection.request(method, path, given.pop("body", None), headers)
        with connection.getresponse() as answer:
            answer.text = answer.read()  # type: ignore[attr-defined]
    return answer


@pytest.mark.parametrize("tcp", [False, True])
def test_a_whole_life(bench: Bench, tmp_path: Path, tcp: bool) -> None:
    def look(listener: Listener) -> None:
        broker = client(listener)
        assert broker.profiles()["version"] == 1
        with pytest.raises(SignInRequiredError, match="not signed in"):
            broker.token("prod")
        challenge = broker.sign_in("prod", redirect="paste")["challenge"]
        assert broker.complete("prod", bench.provider.authorize(challenge["url"]))
        token = broker.token("prod")
        assert token.value.reveal() == "at-1-CANARY"
        assert broker.token("prod", stale=token.fingerprint).value.reveal() == "at-2-CANARY"
        view = broker.session("prod")
        assert view["config"]["admin"]["endpoint"] == "flyte.example.com"
        assert broker.session("prod", since=view["revision"], wait=0.01)["state"] == "signed_in"
        assert broker.cancel("prod")["state"] == "signed_in"
        assert broker.put("mine", view["config"])["profile"] == "mine"
        assert broker.sign_out("prod")["state"] == "signed_out"

    with_listener(bench, tmp_path, look, tcp=tcp)


def test_the_socket_and_the_secret_are_their_owners_alone(bench: Bench, tmp_path: Path) -> None:
    directory = tmp_path / "made"

    def look(listener: Listener) -> None:
        path = Path(listener.address.removeprefix("unix://"))
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(Path(listener.environment[PLACES[1]]).stat().st_mode) == 0o600
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700

    with_listener(bench, directory, look)
    assert list(directory.iterdir()) == []


def test_the_environment_names_places_and_no_secret(bench: Bench, tmp_path: Path) -> None:
    def look(listener: Listener) -> None:
        assert set(listener.environment) == set(PLACES)
        assert len(secret(listener)) >= 43
        assert secret(listener) not in str(listener.environment)

    with_listener(bench, tmp_path, look)


def test_a_path_too_long_for_a_socket(bench: Bench, tmp_path: Path) -> None:
    def look(listener: Listener) -> Path:
        path = Path(listener.address.removeprefix("unix://"))
        assert len(str(path)) < 100
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert client(listener).profiles()["version"] == 1
        return path

    path = with_listener(bench, tmp_path / ("x" * 120), look)
    assert not path.parent.exists()


def test_a_path_with_odd_letters(bench: Bench, tmp_path: Path) -> None:
    def look(listener: Listener) -> None:
        assert client(listener).profiles()["version"] == 1

    directory = Path(f"/tmp/{tmp_path.name[-12:]}?a#b%20")  # noqa: S108 - short, and odd
    with_listener(bench, directory, look)
    directory.rmdir()


@pytest.mark.parametrize("identity", ["", "the same server, started twice"])
def test_two_listeners_do_not_meet(bench: Bench, tmp_path: Path, identity: str) -> None:
    async def work() -> None:
        listeners = [Listener(bench.broker, tmp_path, identity=identity) for _ in range(2)]
        for each in listeners:
            each.start()
        one, other = listeners
        assert one.address != other.address
        assert secret(one) != secret(other)
        other.stop()
        assert (await asyncio.to_thread(client(one).profiles))["version"] == 1
        one.stop()

    bench.run(work)


@pytest.mark.parametrize("long", ["", "x" * 120])
def test_who_outlives_a_server_finds_the_next_one(bench: Bench, tmp_path: Path, long: str) -> None:
    """A terminal's environment cannot change any more; the places stay, the key is another one."""

    async def work() -> None:
        places, keys = [], []
        for _ in range(2):
            listener = Listener(bench.broker, tmp_path / long, identity="jupyter at port 8888")
            listener.start()
            places.append(listener.environment)
            keys.append(secret(listener))
            broker = BrokerClient(SocketChannel(*(places[0][name] for name in PLACES)))
            assert (await asyncio.to_thread(broker.profiles))["version"] == 1
            listener.stop()
        assert places[0] == places[1]
        assert keys[0] != keys[1]

    bench.run(work)


class TestHandles:
    def test_each_has_a_key_of_its_own(self, bench: Bench, tmp_path: Path) -> None:
        def look(listener: Listener) -> None:
            handle = listener.grant("kernel 1")
            environment = listener.environment_of(handle)
            assert set(environment) == set(PLACES)
            assert stat.S_IMODE(handle.file.stat().st_mode) == 0o600
            assert handle.file.read_text() != secret(listener)
            assert handle.file.read_text() not in str(environment) + repr(handle)
            assert kernel(listener, handle).profiles()["version"] == 1

        with_listener(bench, tmp_path, look)

    def test_one_ends_and_the_others_do_not(self, bench: Bench, tmp_path: Path) -> None:
        def look(listener: Listener) -> None:
            handles = [listener.grant(f"kernel {number}") for number in range(2)]
            (tmp_path / "copy").write_text(handles[0].file.read_text())
            copied = BrokerClient(SocketChannel(listener.address, str(tmp_path / "copy")))
            assert copied.profiles()["version"] == 1
            listener.revoke(handles[0])
            assert not handles[0].file.exists()
            with pytest.raises(BrokerRefusedError, match="does not know"):
                copied.profiles()
            assert kernel(listener, handles[1]).profiles()["version"] == 1
            assert client(listener).profiles()["version"] == 1

        with_listener(bench, tmp_path, look)

    def test_one_may_be_good_for_some_profiles_only(self, bench: Bench, tmp_path: Path) -> None:
        def look(listener: Listener) -> None:
            broker = kernel(listener, listener.grant("kernel 1", ["dev"]))
            assert [view["profile"] for view in broker.profiles()["profiles"]] == ["dev"]
            view = broker.session("dev")
            for call in (
                lambda: broker.token("prod"),
                lambda: broker.session("prod"),
                lambda: broker.session("nobody"),
                lambda: broker.put("dev", view["config"]),
                lambda: broker.sign_out("prod"),
            ):
                with pytest.raises(PolicyError, match="may not use") as caught:
                    call()
                assert "dev" in caught.value.fix
            assert broker.sign_in("dev", redirect="paste")["challenge"]

        with_listener(bench, tmp_path, look)


def kernel(listener: Listener, handle: Handle) -> BrokerClient:
    return BrokerClient(SocketChannel(*(listener.environment_of(handle)[name] for name in PLACES)))


class TestStrangers:
    @pytest.mark.parametrize(
        "authorization", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic x", "bearer \xe4"]
    )
    def test_without_the_secret(self, bench: Bench, tmp_path: Path, authorization: str) -> None:
        def look(listener: Listener) -> None:
            answer = raw(listener, headers={"Authorization": authorization})
            assert answer.status == 401
            assert json.loads(answer.text)["error"]["code"] == "broker_refused"  # type: ignore[attr-defined]

        with_listener(bench, tmp_path, look, tcp=True)

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
    def test_under_another_name(self, bench: Bench, tmp_path: Path, host: str) -> None:
        """A web page may let its own name resolve to this machine."""

        def look(listener: Listener) -> None:
            assert raw(listener, headers={"Host": host}).status == 403
            assert raw(listener, headers={"Host": "localhost:1"}).status == 200

        with_listener(bench, tmp_path, look, tcp=True)

    def test_a_web_page_is_told_nothing(self, bench: Bench, tmp_path: Path) -> None:
        def look(listener: Listener) -> None:
            for name, value in (("Origin", "https://evil.example"), ("Sec-Fetch-Site", "none")):
                answer = raw(listener, headers={name: value})
                assert answer.status == 403
                assert answer.headers["Access-Control-Allow-Origin"] is None
            assert raw(listener, "OPTIONS").status == 404

        with_listener(bench, tmp_path, look, tcp=True)

    def test_on_another_address(self, bench: Bench, tmp_path: Path) -> None:
        def look(listener: Listener) -> None:
            assert listener.address.startswith("http://127.0.0.1:")

        with_listener(bench, tmp_path, look, tcp=True)


class TestBadCalls:
    @pytest.mark.parametrize("body", ["[]", "{", "null", "\xff"])
    def test_a_body_that_is_no_object(self, bench: Bench, tmp_path: Path, body: str) -> None:
        def look(listener: Listener) -> None:
            answer = raw(listener, "POST", "/v1/profiles/prod/cancel", body=body)
            assert answer.status == 400
            assert answer.headers["Cache-Control"] == "no-store"

        with_listener(bench, tmp_path, look, tcp=True)

    @pytest.mark.parametrize("length", [70_000, 10_000_000])
    def test_a_body_that_is_too_large(self, bench: Bench, tmp_path: Path, length: int) -> None:
        def look(listener: Listener) -> None:
            body = json.dumps({"url": "x" * length})
            answer = raw(listener, "POST", "/v1/profiles/prod/complete", body=body)
            assert answer.status == 413
            assert json.loads(answer.text)["error"]["code"] == "broker_refused"  # type: ignore[attr-defined]
            chunked = raw(listener, "POST", "/v1/profiles/prod/complete", body=[b"x" * length])
            assert chunked.status == 413
            assert raw(listener).status == 200

        with_listener(bench, tmp_path, look, tcp=True)

    def test_a_call_that_does_not_exist(self, bench: Bench, tmp_path: Path) -> None:
        def look(listener: Listener) -> None:
            assert raw(listener, path="/").status == 404
            assert raw(listener, path="/v1/profiles/nobody").status == 404

        with_listener(bench, tmp_path, look, tcp=True)


def test_who_waits_when_it_ends_is_not_left_to_wait(bench: Bench, tmp_path: Path) -> None:
    async def work() -> None:
        async with listening(bench, tmp_path, tcp=False) as listener:
            broker = client(listener)
            view = await asyncio.to_thread(broker.session, "prod")
            wait = partial(broker.session, "prod", since=view["revision"], wait=30)
            waiting = asyncio.create_task(asyncio.to_thread(wait))
            await until(lambda: listener._exchanges._running)
        with pytest.raises(BrokerUnavailableError):
            await asyncio.wait_for(waiting, 5)

    bench.run(work)


def test_after_its_end_nobody_is_there(bench: Bench, tmp_path: Path) -> None:
    def look(listener: Listener) -> int:
        return int(listener.address.rpartition(":")[2])

    port = with_listener(bench, tmp_path, look, tcp=True)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("kernels", [1, 20])
def test_a_crowd_on_an_expired_token_costs_one_request(short: Path, kernels: int) -> None:
    """Threads, and tasks of several loops; in one kernel, and in kernels of their own."""
    with served(short) as server:
        server.sign_in()
        sources = [
            TokenSource(server.client(server.grant(f"kernel {number}")), "prod")
            for number in range(kernels)
        ]
        server.bench.clock.advance(301)
        before = server.bench.refreshes()
        with ThreadPoolExecutor(kernels) as pool:
            ask = partial(crowd, threads=200 // kernels, loops=5, tasks=200 // kernels)
            got = [token for tokens in pool.map(ask, sources) for token in tokens]
        assert len(got) == 400
        assert len({token.fingerprint for token in got}) == 1
        assert server.bench.refreshes() == before + 1
