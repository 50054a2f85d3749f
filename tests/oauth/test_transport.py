from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest
import stamina

from fakes.bad_server import answers, bad_server, drips, hangs, resets, says
from fakes.certificates import authority
from fakes.provider import config
from platform_auth.errors import (
    ConfigError,
    PlatformAuthError,
    TransportError,
)
from platform_auth.oauth.steps import Request, Response
from platform_auth.oauth.transport import Transport

if TYPE_CHECKING:
    from pathlib import Path

REPLAYED = {"GET": 3, "POST": 2}


@pytest.fixture(autouse=True)
def _without_pauses() -> Any:
    """Let attempts follow each other at once, as many as there are."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


def send(*acts: Any, method: str = "POST", replay: bool = False, **options: Any) -> Response:
    return exchange(*acts, method=method, replay=replay, **options)[0]


def exchange(
    *acts: Any,
    method: str = "POST",
    replay: bool = False,
    tls: Any = None,
    total: float = 20,
    path: str = "/token",
    **settings: Any,
) -> tuple[Response, list[bytes]]:
    """Send one request to a server that acts so; return the answer and what the server got."""

    async def main() -> tuple[Response, list[bytes]]:
        async with bad_server(*acts, tls=tls) as server:
            transport = Transport(config(**settings), total=total)
            body = "refresh_token=CANARY" if method == "POST" else ""
            request = Request(method, server.address + path, {"X-Mine": "1"}, body, replay=replay)
            try:
                return await transport.send(request), server.requests
            except PlatformAuthError as error:
                error.attempts = len(server.requests)  # type: ignore[attr-defined]
                raise
            finally:
                await transport.close()

    return asyncio.run(main())


def fails(
    kind: type[PlatformAuthError], *acts: Any, **options: Any
) -> tuple[PlatformAuthError, int]:
    """Send a request that fails in that way; return the error and the number of attempts."""
    with pytest.raises(kind) as caught:
        send(*acts, **options)
    return caught.value, caught.value.attempts  # type: ignore[attr-defined]


class TestAnswers:
    def test_a_request_as_it_is_and_the_answer_as_it_is(self) -> None:
        response, (sent,) = exchange(answers(b'{"a": 1}', X_Thing="y"))
        assert sent.startswith(b"POST /token HTTP/1.1\r\n")
        assert sent.endswith(b"refresh_token=CANARY")
        assert b"x-mine: 1" in sent.lower()
        assert b"user-agent: platform-auth/" in sent.lower()
        assert b"accept-encoding: identity" in sent.lower()
        assert (response.status, response.body) == (200, b'{"a": 1}')
        assert response.headers["x-thing"] == "y"

    @pytest.mark.parametrize("status", ["400 Bad", "401 No", "404 Gone", "503 Busy", "429 Slow"])
    def test_an_error_of_the_servers_is_an_answer_too(self, status: str) -> None:
        response, requests = exchange(answers(b"{}", status), replay=True)
        assert response.status == int(status[:3])
        assert len(requests) == 1

    @pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
    def test_a_redirect_is_not_followed(self, status: str) -> None:
        response, requests = exchange(answers(b"", status, location="/token"), method="GET")
        assert response.status == int(status[:3])
        assert len(requests) == 1

    def test_an_answer_that_ends_with_the_connection(self) -> None:
        assert send(says(b"HTTP/1.0 200 OK\r\n\r\n{}")).body == b"{}"

    def test_cookies_are_not_kept(self) -> None:
        async def twice() -> list[bytes]:
            async with bad_server(answers(set_cookie="a=CANARY")) as server:
                transport = Transport(config())
                for _ in range(2):
                    await transport.send(Request("GET", server.address))
                await transport.close()
                return server.requests

        assert all(b"cookie" not in each.lower() for each in asyncio.run(twice()))


class TestLimits:
    def test_one_megabyte_is_read(self) -> None:
        assert len(send(answers(b"x" * 1024 * 1024)).body) == 1024 * 1024

    def test_more_is_not(self) -> None:
        error, _ = fails(TransportError, answers(b"x" * (1024 * 1024 + 1)))
        assert "without end" in str(error)

    def test_an_answer_without_end(self) -> None:
        endless = drips(b"\r\n" + b"x" * 200_000, 0)
        assert "without end" in str(fails(TransportError, endless)[0])

    def test_a_compressed_answer_is_refused_before_it_can_grow(self) -> None:
        bomb = gzip.compress(b"x" * 10_000_000)
        error, _ = fails(TransportError, answers(bomb, content_encoding="gzip"))
        assert "compresses" in str(error)

    @pytest.mark.parametrize("act", [hangs, drips(b"x: y\r\n", 0.02), drips(b"\r\nx", 0.02)])
    def test_time_is_limited_in_all_however_it_is_spent(self, act: Any) -> None:
        error, _ = fails(TransportError, act, total=0.3)
        assert "in time" in str(error)
        assert error.retryable

    def test_attempts_do_not_add_up(self) -> None:
        _, attempts = fails(TransportError, hangs, total=0.3, method="GET", replay=True)
        assert attempts == 1


class TestAttempts:
    @pytest.mark.parametrize(("method", "most"), [("GET", 3), ("POST", 2)])
    def test_what_may_be_repeated_is(self, method: str, most: int) -> None:
        acts = [resets()] * (most - 1) + [answers(b"[]")]
        response, requests = exchange(*acts, method=method, replay=True)
        assert response.body == b"[]"
        assert len(requests) == most
        assert fails(TransportError, resets(), method=method, replay=True)[1] == most

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_what_must_not_be_is_not(self, method: str) -> None:
        assert fails(TransportError, resets(), answers(), method=method)[1] == 1

    def test_a_reset_in_the_middle_of_an_answer(self) -> None:
        half = says(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
        response, requests = exchange(half, answers(), replay=True)
        assert response.body == b"{}"
        assert requests[0][-20:] == requests[1][-20:] == b"refresh_token=CANARY"
        assert fails(TransportError, half, answers())[1] == 1

    @pytest.mark.parametrize("status", ["429 Slow", "500 Oops", "502 Bad", "503 Busy"])
    def test_a_document_is_asked_for_again_where_the_server_was_busy(self, status: str) -> None:
        busy = answers(b"<h1>", status)
        response, requests = exchange(busy, busy, answers(), method="GET", replay=True)
        assert response.status == 200
        assert len(requests) == 3
        assert fails(TransportError, busy, method="GET", replay=True)[1] == 3

    def test_who_asks_for_a_long_pause_is_asked_another_time(self) -> None:
        busy = answers(b"", "503 Busy", retry_after="60")
        error, attempts = fails(TransportError, busy, method="GET", replay=True)
        assert attempts == 1
        assert error.retry_after == 60

    def test_who_asks_for_a_short_one_gets_it(self) -> None:
        busy = answers(b"", "503 Busy", retry_after="0")
        assert exchange(busy, answers(), method="GET", replay=True)[0].status == 200


class TestFaults:
    @pytest.mark.parametrize(
        "url", ["http://id.example.com/token", "ftp://127.0.0.1/", "http://[", "", "/token"]
    )
    def test_nothing_goes_out_in_clear_or_nowhere(self, url: str) -> None:
        with pytest.raises(ConfigError, match="refused"):
            asyncio.run(Transport(config()).send(Request("GET", url)))

    def test_an_error_holds_nothing_of_the_request(self) -> None:
        error, _ = fails(TransportError, resets())
        assert error.__cause__ is None
        assert error.__context__ is None
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [each for each in report.stack if "platform_auth" in each.filename]
        assert ours
        assert all("CANARY" not in str(each.locals) for each in ours)


class TestTrust:
    def test_an_authority_of_the_environments(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ca = tmp_path / "ca.pem"
        ca.write_bytes(authority().pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(ca))
        assert send(answers(), tls=authority().server(tmp_path)).status == 200

    def test_an_authority_file_of_the_environments_that_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
        with pytest.raises(ConfigError, match="certificates") as caught:
            Transport(config())
        assert "SSL_CERT_FILE" in caught.value.fix


@pytest.mark.usefixtures("_without_pauses")
def test_requests_of_one_transport_do_not_wait_for_each_other() -> None:
    async def main() -> list[int]:
        async with bad_server(answers()) as server:
            transport = Transport(config())
            sent = [transport.send(Request("GET", server.address)) for _ in range(50)]
            statuses = [each.status for each in await asyncio.gather(*sent)]
            await transport.close()
            return statuses

    assert asyncio.run(main()) == [200] * 50


class TestPlain:
    """Over plain http nothing goes to another machine but what may."""

    OTHER = "http://flyte.internal.example/.well-known/x"

    def test_what_may_is_sent(self) -> None:
        async def main() -> None:
            transport = Transport(config())
            try:
                await transport.send(Request("GET", self.OTHER, plain=True))
            finally:
                await transport.close()

        with pytest.raises(TransportError, match=r"flyte\.internal\.example"):
            asyncio.run(main())  # nobody has that name, so it was looked for

    def test_all_else_is_not(self) -> None:
        with pytest.raises(ConfigError, match="plain http"):
            asyncio.run(Transport(config()).send(Request("GET", self.OTHER)))


def test_a_request_may_have_less_time_than_others() -> None:
    async def main() -> None:
        async with bad_server(hangs) as server:
            transport = Transport(config())
            try:
                await transport.send(Request("GET", server.address, timeout=0.2))
            finally:
                await transport.close()

    with pytest.raises(TransportError, match="in time"):
        asyncio.run(asyncio.wait_for(main(), 10))


def test_a_retry_is_not_told_to_who_has_set_up_no_logging() -> None:
    script = "import logging, platform_auth.oauth.transport; logging.getLogger('stamina').{}"
    said = [
        subprocess.run(
            [sys.executable, "-c", script.format(level)], capture_output=True, check=True
        ).stderr
        for level in ("warning('again')", "parent.warning('else')")
    ]
    assert said == [b"", b"else\n"]
