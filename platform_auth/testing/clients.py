"""The contract of a client, as tests that each kind of client must pass.

In the tests of a package that brings one::

    from platform_auth.testing.clients import ClientContract

    class TestSparkClient(ClientContract):
        def make(self, connection):
            return SparkClient(connection)

        def call(self, client):
            client.list_jobs()  # any one call

pytest then runs all of them, against an HTTP platform on this machine. A client that speaks
something else brings a platform that does: see `ClientContract.serve`.
"""
# ruff: noqa: D102, S101 - a test's name says what it proves, and assert is how it speaks

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from ..broker.access_token import AccessToken
from ..config import PlatformConfig
from ..connection import Connection
from ..errors import SignInRequiredError
from ..secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from ..broker.client import BrokerClient

_OWN_HEADER = "flyte-authorization"


class RenewingTokens:
    """A source of tokens: ``token-1``, and ``token-2`` once that was refused.

    Parameters
    ----------
    header
        The header that the platform wants them in.
    renews
        Whether there is another.

    Attributes
    ----------
    current
        What it gives.
    refused
        The fingerprints it was told, of tokens that the platform refused.
    fault
        Raised instead of giving any.

    """

    def __init__(self, header: str = "authorization", *, renews: bool = True) -> None:
        self._header, self._renews, self._lock = header, renews, threading.Lock()
        self.current, self.refused = self._token(1), list[str]()
        self.fault: Exception | None = None

    def _token(self, number: int) -> AccessToken:
        deadline = time.monotonic() + 300
        return AccessToken(Secret(f"token-{number}"), inf, deadline, header=self._header)

    def header(self) -> tuple[str, str]:
        """Return the header for a call."""
        return self.current.header, self.token().authorization

    def token(self, *, min_ttl: float | None = None, stale: str | None = None) -> AccessToken:
        """Return a token; ``stale`` is the fingerprint of a refused one."""
        del min_ttl
        with self._lock:
            if self.fault is not None:
                raise self.fault
            if stale is not None:
                self.refused.append(stale)
            if stale == self.current.fingerprint and self._renews:
                self.current = self._token(2)
            return self.current

    async def token_async(
        self, *, min_ttl: float | None = None, stale: str | None = None
    ) -> AccessToken:
        """Do the same."""
        return self.token(min_ttl=min_ttl, stale=stale)


@dataclass
class Platform:
    """What a platform takes, and what it was sent.

    Parameters
    ----------
    config
        How to reach it.

    Attributes
    ----------
    header
        Where it looks for tokens.
    accepted
        The tokens it takes; any where it is empty.
    tokens
        What was in that header of each call so far.

    """

    config: PlatformConfig = field(default_factory=PlatformConfig)
    header: str = "authorization"
    accepted: set[str] = field(default_factory=set)
    tokens: list[str | None] = field(default_factory=list)

    def takes(self, given: str | None) -> bool:
        """Note what was in a call's header; tell whether the call may be made."""
        self.tokens.append(given)
        token = (given or "").removeprefix("Bearer ")
        return token in self.accepted if self.accepted else bool(token)


@contextmanager
def http_platform() -> Iterator[Platform]:
    """Serve a platform that answers every GET and POST with ``{}``, without TLS."""
    platform = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(200 if platform.takes(self.headers.get(platform.header)) else 401)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        platform.config = PlatformConfig(f"127.0.0.1:{server.server_address[1]}", insecure=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield platform
        finally:
            server.shutdown()
            thread.join()


class ClientContract:
    """What every client does; to be subclassed by tests."""

    def make(self, connection: Connection) -> Any:  # noqa: ANN401 - any client at all
        """Return the client of a connection."""
        raise NotImplementedError

    def call(self, client: Any) -> None:  # noqa: ANN401 - any client at all
        """Make one call on the platform; raise whatever the client raises if it fails."""
        raise NotImplementedError

    def serve(self) -> AbstractContextManager[Platform]:
        """Return a platform to call while it is entered; it keeps to the header it is told."""
        return http_platform()

    @pytest.fixture
    def platform(self) -> Iterator[Platform]:
        with self.serve() as platform:
            yield platform

    def test_making_it_asks_for_no_token(self, platform: Platform) -> None:
        tokens = RenewingTokens()
        tokens.fault = SignInRequiredError("Nobody is signed in.")
        self.make(_connection(platform, tokens))

    def test_a_call_carries_the_token(self, platform: Platform) -> None:
        self.call(self.make(_connection(platform, RenewingTokens())))
        assert set(platform.tokens) == {"Bearer token-1"}

    def test_the_header_is_the_platforms_own(self, platform: Platform) -> None:
        platform.header = _OWN_HEADER
        self.call(self.make(_connection(platform, RenewingTokens(_OWN_HEADER))))
        assert set(platform.tokens) == {"Bearer token-1"}

    def test_a_call_after_a_renewal_carries_the_new_token(self, platform: Platform) -> None:
        tokens = RenewingTokens()
        client = self.make(_connection(platform, tokens))
        self.call(client)
        tokens.token(stale=tokens.current.fingerprint)  # as somebody else does
        self.call(client)
        assert platform.tokens[-1] == "Bearer token-2"

    def test_a_refused_call_is_made_again_with_the_next_token(self, platform: Platform) -> None:
        tokens = RenewingTokens()
        platform.accepted = {"token-2"}
        refused = tokens.current.fingerprint
        self.call(self.make(_connection(platform, tokens)))
        assert tokens.refused == [refused]
        assert platform.tokens == ["Bearer token-1", "Bearer token-2"]

    def test_a_call_that_stays_refused_fails_and_ends(self, platform: Platform) -> None:
        platform.accepted = {"somebody else's"}
        client = self.make(_connection(platform, RenewingTokens(renews=False)))
        with pytest.raises(Exception):  # noqa: B017, PT011 - the client's own
            self.call(client)
        assert set(platform.tokens) == {"Bearer token-1"}

    def test_a_missing_sign_in_is_what_a_call_fails_with(self, platform: Platform) -> None:
        tokens = RenewingTokens()
        client = self.make(_connection(platform, tokens))
        tokens.fault = SignInRequiredError("Nobody is signed in.")
        with pytest.raises(Exception, match="Nobody is signed in") as raised:
            self.call(client)
        assert any(isinstance(each, SignInRequiredError) for each in _reasons(raised.value))
        assert platform.tokens == []

    def test_nothing_of_it_shows_the_token(self, platform: Platform) -> None:
        client = self.make(_connection(platform, RenewingTokens()))
        self.call(client)
        assert "token-1" not in repr(client) + str(client)


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class _NoBroker:
    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - there is none
        message = f"a client takes tokens and configuration, and does not ask for {name}"
        raise AssertionError(message)


def _connection(platform: Platform, tokens: RenewingTokens) -> Connection:
    broker: BrokerClient = _NoBroker()  # type: ignore[assignment] # nobody is there to be asked
    connection = Connection(broker, "prod")
    connection._config = platform.config  # noqa: SLF001 - as the broker would have answered
    connection.tokens = tokens  # type: ignore[assignment] # all that a client knows of the rest
    return connection
