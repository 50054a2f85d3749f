"""Faults of the way to the provider: the network's, certificates', and proxies'."""

from __future__ import annotations

import asyncio
import errno
import os
import pwd
import socket
import ssl
from typing import TYPE_CHECKING, Any

import httpcore2
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from fakes.bad_server import answers, bad_server, drips, hangs, refuses_hands, resets, says
from fakes.bench import HERE
from fakes.certificates import authority
from fakes.provider import CLIENT, config
from fakes.world import failure
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.session import State
from platform_auth.config import PlatformConfig, Profiles, ProfileSource
from platform_auth.config.endpoint import Endpoint
from platform_auth.config.profile import Profile
from platform_auth.config.tls import check_ca_file
from platform_auth.errors import (
    BrokerUnavailableError,
    ConfigError,
    DiscoveryError,
    PlatformAuthError,
    ProxyError,
    SignInRequiredError,
    TLSError,
    TransportError,
)
from platform_auth.oauth.context import FlowContext
from platform_auth.oauth.discovery import discover
from platform_auth.oauth.driver import Driver
from platform_auth.oauth.flows import get_flow
from platform_auth.oauth.metadata import ServerMetadata
from platform_auth.oauth.route import Routes
from platform_auth.oauth.transport import TOTAL_SECONDS, Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.world import World

OK = answers(b'{"access_token": "at-CANARY", "token_type": "Bearer", "expires_in": 300}')
FAR = "https://id.example.com/token"


async def asks(url: str, *, total: float = 10, **settings: Any) -> None:
    """Have a service get a token from that token endpoint."""
    service = {"auth_mode": "ClientSecret", "client_credentials_secret": "secret-CANARY"}
    of = config(scopes=["api"], **service, **settings)
    transport = Transport(of, total=total)
    context = FlowContext(of, ServerMetadata(token_endpoint=url), lambda: 0.0)
    try:
        await Driver(transport).drive(get_flow("client_credentials").sign_in(context))
    finally:
        await transport.close()


def asked(
    *acts: Any, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", **settings: Any
) -> list[bytes]:
    """Ask a server that acts so; return what it got."""

    async def main() -> list[bytes]:
        async with bad_server(*acts, tls=tls, host=host) as server:
            await asks(f"{server.address}/token", **settings)
            return server.requests

    return _run(main)


def _run(main: Callable[[], Any]) -> Any:
    with stamina.set_testing(True, attempts=10, cap=True):
        return asyncio.run(main())


def fails(kind: type[PlatformAuthError], *acts: Any, **settings: Any) -> PlatformAuthError:
    """Ask in vain, and return the error, which is one for a person."""
    with pytest.raises(kind) as caught:
        asked(*acts, **settings)
    error = caught.value
    assert type(error) is kind
    assert error.what
    assert error.fix
    return error


def survives(world: World, *acts: Any) -> PlatformAuthError:
    """Refresh in vain; the token that lives serves on, and the session with it."""

    async def work() -> PlatformAuthError:
        token = await world.signed_in()
        world.provider.next["token"].extend(acts)
        error = await failure(world.refreshed(token))
        world.provider.next["token"].clear()
        assert (await world.broker.token("prod")).fingerprint == token.fingerprint
        assert (await world.broker.session("prod")).state is State.SIGNED_IN
        world.clock.advance(301)
        assert (await world.broker.token("prod")).fingerprint != token.fingerprint
        return error

    error: PlatformAuthError = world.run(work)
    assert isinstance(error, TransportError)
    assert error.retryable
    return error


# -- nobody there --------------------------------------------------------------------------------


def test_a_refused_connection_is_a_passing_fault() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/token"
        with pytest.raises(TransportError, match="cannot be reached") as caught:
            _run(lambda: asks(url))
    assert caught.value.retryable
    assert "VPN" in caught.value.fix


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH, socket.EAI_NONAME])
def test_a_name_or_a_network_that_is_not_there_is_a_passing_fault(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def nowhere(*_: Any, **__: Any) -> None:
        kind = socket.gaierror if number == socket.EAI_NONAME else OSError
        raise kind(number, "not there")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(TransportError) as caught:
        _run(lambda: asks(FAR))
    assert caught.value.retryable
    assert caught.value.what == "https://id.example.com cannot be reached."


def test_what_breaks_behind_a_proxy_is_told_with_the_proxy() -> None:
    error = through(TransportError, resets(b"HTTP/1.1 200 OK\r\n\r\n"))
    assert "https://id.example.com cannot be reached (through the proxy http://me@" in error.what


# -- time ----------------------------------------------------------------------------------------


def test_nobody_answers_and_time_is_up() -> None:
    error = fails(TransportError, hangs, total=0.2)
    assert "does not answer in time" in error.what
    assert error.retryable


def test_a_connection_that_nobody_accepts_takes_no_longer() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        others = [socket.socket() for _ in range(4)]
        for each in others:  # until the queue has no more room
            each.setblocking(False)
            each.connect_ex(address)
        with pytest.raises(TransportError, match="in time"):
            _run(lambda: asks(f"http://127.0.0.1:{address[1]}/token", total=0.2))
        for each in others:
            each.close()


def test_half_a_minute_is_the_most_that_anything_takes() -> None:
    assert TOTAL_SECONDS == 30


@pytest.mark.parametrize("drip", [b"x: y\r\n", b"\r\n \r\n"], ids=["header", "body"])
def test_a_byte_now_and_then_gains_no_time(drip: bytes) -> None:
    error = fails(TransportError, drips(drip, 0.01), total=0.3)
    assert "does not answer in time" in error.what
    assert error.retryable


# -- connections that break ----------------------------------------------------------------------

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"


@pytest.mark.parametrize("lost", [resets(), resets(HALF)], ids=["at once", "half way"])
def test_a_refresh_that_is_cut_off_is_repeated_once_with_the_same_token(
    world: World, lost: Any
) -> None:
    async def work() -> None:
        token = await world.signed_in()
        world.provider.next["token"].append(lost)
        assert (await world.refreshed(token)).fingerprint != token.fingerprint
        first, second = world.provider.sent_to("token")
        assert first.body == second.body

    world.run(work)


@pytest.mark.parametrize("lost", [resets(), resets(HALF)], ids=["at once", "half way"])
def test_a_refresh_that_is_cut_off_twice_ends_no_session(world: World, lost: Any) -> None:
    survives(world, lost, lost)


def test_a_reply_that_was_lost_while_the_provider_rotated_is_spoken_of(world: World) -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        world.provider.refresh_tokens.clear()  # for another one, which nobody will see
        await resets(HALF)(writer)

    async def work() -> None:
        token = await world.signed_in()
        world.provider.next["token"].append(cut)
        error = await failure(world.refreshed(token))
        assert isinstance(error, SignInRequiredError)
        assert "An answer of the identity provider was lost on its way" in error.why
        assert world.asked() == 2
        assert (await world.broker.session("prod")).state is State.EXPIRED

    world.run(work)


@pytest.mark.parametrize("lost", [resets(), resets(HALF)], ids=["at once", "half way"])
def test_a_code_is_sent_once_and_after_that_only_a_new_sign_in_helps(
    world: World, lost: Any
) -> None:
    async def work() -> None:
        back = await world.back()
        world.provider.next["token"].append(lost)
        error = await failure(world.broker.complete(back, HERE))
        assert isinstance(error, TransportError)
        assert not error.retryable
        assert error.fix.startswith("Sign in again.")
        assert "nothing is lost" not in str(error)
        assert world.asked() == 1
        assert (await world.broker.session("prod")).state is State.FAILED
        await world.sign_in()

    world.run(work)


def test_a_connection_that_died_while_the_machine_slept_is_not_used_again() -> None:
    """None is: whatever happens to one between two requests harms neither."""

    async def stays_open(writer: asyncio.StreamWriter) -> None:
        await OK(writer)
        await hangs(writer)

    async def main() -> int:
        async with bad_server(stays_open) as server:
            of = config(auth_mode="ClientSecret", client_credentials_secret="s")
            transport = Transport(of, total=2)
            context = FlowContext(of, ServerMetadata(token_endpoint=server.address), lambda: 0.0)
            for _ in range(2):
                await Driver(transport).drive(get_flow("client_credentials").sign_in(context))
            await transport.close()
            return len(server.requests)

    assert _run(main) == 2


# -- what is no HTTP -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 two OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n{",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000,
    ],
    ids=lambda said: said[:30].decode(),
)
def test_an_answer_that_is_no_http_is_a_passing_fault(world: World, said: bytes) -> None:
    survives(world, says(said), says(said))


@pytest.mark.parametrize("head", ["HTTP/1.0 200 OK", "HTTP/1.1 200 OK"])
def test_an_answer_of_another_age_ends_with_its_connection(head: str) -> None:
    body = b'{"access_token": "at-CANARY", "token_type": "Bearer"}'
    assert len(asked(says(head.encode() + b"\r\n\r\n" + body))) == 1


# -- certificates --------------------------------------------------------------------------------


@pytest.fixture
def ca(tmp_path: Path) -> str:
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    return str(tmp_path / "ca.pem")


def test_a_certificate_of_an_authority_that_is_trusted(tmp_path: Path, ca: str) -> None:
    assert asked(OK, tls=authority().server(tmp_path), ca_cert_file_path=ca)


def test_an_expired_certificate_is_told_with_its_end_and_who_is_trusted(
    tmp_path: Path, ca: str
) -> None:
    tls = authority().server(tmp_path, expired=True)
    error = fails(TLSError, OK, tls=tls, ca_cert_file_path=ca)
    assert "its certificate has expired" in error.what
    assert "CN=a test's server" in error.why
    assert "valid 20" in error.why
    assert f"Trusted: the CA file {ca} and this machine's authorities." in error.why
    assert "clock" in error.fix
    assert not error.retryable


def test_an_expired_authority_in_between_is_not_taken_for_the_certificate(
    tmp_path: Path, ca: str
) -> None:
    below = authority().subordinate("CN below", expired=True)
    error = fails(TLSError, OK, tls=below.server(tmp_path), ca_cert_file_path=ca)
    assert "an authority behind its certificate has expired" in error.what
    assert "signed by CN=CN below" in error.why


def test_an_authority_nobody_knows_is_named_with_how_to_trust_it(tmp_path: Path) -> None:
    """As an inspecting proxy has one: people then ask for its file, by this name."""
    inspector = authority("Corporate Inspection CA").server(tmp_path)
    error = fails(TLSError, OK, tls=inspector)
    assert "CN=Corporate Inspection CA" in error.what
    assert "admin.caCertFilePath" in error.fix
    assert "SSL_CERT_FILE" in error.fix


def test_looking_at_a_certificate_says_nothing_to_whoever_showed_it(tmp_path: Path) -> None:
    async def main() -> list[bytes]:
        async with bad_server(OK, tls=authority("unknown").server(tmp_path)) as server:
            with pytest.raises(TLSError):
                await asks(f"{server.address}/token")
            return server.requests

    assert set(_run(main)) <= {b""}


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    path = tmp_path / "profiles.yaml"
    path.write_text(
        "profiles: {prod: {admin: {endpoint: a.example.com, caCertFilePath: the-ca.pem}}}"
    )
    return path


@pytest.mark.parametrize("content", ["missing", b"", b"\x30\x82\x01", b"no PEM", "directory"])
def test_a_ca_file_that_is_none_is_said_when_the_profile_is_read(
    own_file: Path, tmp_path: Path, content: bytes | str
) -> None:
    file, profiles = tmp_path / "the-ca.pem", Profiles(user_file=own_file, flyte=False)
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content == "directory":
        file.mkdir()
    with pytest.raises(ConfigError, match="CA file") as caught:
        profiles.get("prod")
    assert str(file) in caught.value.what
    assert caught.value.why
    assert "admin.caCertFilePath" in caught.value.fix
    if file.is_dir():
        file.rmdir()
    file.write_bytes(authority().pem)  # which helps at once
    assert profiles.get("prod").config.ca_cert_file_path == str(file)


def test_a_ca_file_that_may_not_be_read_is_said_with_the_reason(
    own_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "the-ca.pem").write_bytes(authority().pem)
    profiles = Profiles(user_file=own_file, flyte=False)
    assert profiles.get("prod").config.ca_cert_file_path
    (tmp_path / "the-ca.pem").chmod(0)

    def why() -> str:
        with pytest.raises(ConfigError, match="CA file") as caught:
            check_ca_file(str(tmp_path / "the-ca.pem"))
        return caught.value.why

    assert _as_nobody(why) == "Permission denied."


def _as_nobody(said: Callable[[], str]) -> str:
    """Return what a function says in a child process that may read no more than others may."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:  # whom no mode keeps out
                os.setuid(pwd.getpwnam("nobody").pw_uid)
            os.write(writing, said().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


def test_a_ca_file_that_is_none_is_said_to_code_too(world: World, tmp_path: Path) -> None:
    mapping = {"admin": {"endpoint": "a.example.com", "caCertFilePath": str(tmp_path / "none")}}
    error = world.run(lambda: failure(world.broker.put("mine", mapping)))
    assert "CA file" in error.what


def test_a_machine_that_trusts_nobody_is_told_which_package_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a slim image does."""
    nothing = ssl.DefaultVerifyPaths(*[str(tmp_path / "none")] * 6)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr(httpcore2._ssl, "CA_FILE_CANDIDATES", [])
    error = fails(TLSError, OK, tls=authority().server(tmp_path))
    assert "this machine has none (the package ca-certificates)" in error.why
    assert "ca-certificates" in error.fix


def test_a_certificate_for_another_name_is_told_with_the_names_it_has(
    tmp_path: Path, ca: str
) -> None:
    tls = authority().server(tmp_path, elsewhere=True)
    error = fails(TLSError, OK, tls=tls, ca_cert_file_path=ca)
    assert "for another host name" in error.what
    assert "other.example.com" in error.fix


def refused_hands(tls: ssl.SSLContext, ca: str) -> PlatformAuthError:
    """Ask a server that refuses to shake hands, and says so."""
    with refuses_hands(tls) as address, pytest.raises(TLSError) as caught:
        _run(lambda: asks(f"{address}/token", ca_cert_file_path=ca))
    assert not caught.value.retryable
    return caught.value


def test_a_server_that_wants_a_certificate_of_ours_is_told_apart(tmp_path: Path, ca: str) -> None:
    tls = authority().server(tmp_path)
    tls.load_verify_locations(ca)
    tls.verify_mode = ssl.CERT_REQUIRED
    error = refused_hands(tls, ca)
    assert "it wants a certificate of ours" in error.what
    assert "not supported" in error.fix


@pytest.mark.parametrize("key", ["clientCertificate", "clientKey", "certFile"])
def test_a_certificate_of_ours_cannot_be_set_and_is_not_ignored(key: str) -> None:
    mapping = {"admin": {"endpoint": "a.example.com", key: "/client.pem"}}
    with pytest.raises(ConfigError, match=f"admin.{key} is not a setting"):
        Profile.from_mapping("p", mapping, source=ProfileSource.USER)


def test_a_server_that_knows_old_tls_only_is_told_so(tmp_path: Path, ca: str) -> None:
    tls = authority().server(tmp_path)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1
    error = refused_hands(tls, ca)
    assert "no TLS that is safe" in error.what
    assert "TLS 1.2" in error.fix


def test_no_cipher_in_common_is_told_so(tmp_path: Path, ca: str) -> None:
    tls = authority().server(tmp_path)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    error = refused_hands(tls, ca)
    assert "no TLS that is safe" in error.what


def test_a_server_that_speaks_no_tls_is_told_so() -> None:
    async def main() -> None:
        async with bad_server(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
            await asks(server.address.replace("http:", "https:"))

    with pytest.raises(TLSError, match="does not speak TLS"):
        _run(main)


def test_who_hangs_up_while_hands_are_shaken_is_not_called_untrusted() -> None:
    async def main() -> None:
        async with bad_server(says(b"")) as server:
            await asks(server.address.replace("http:", "https:"))

    with pytest.raises(TransportError) as caught:
        _run(main)
    assert type(caught.value) is TransportError
    assert caught.value.retryable


def test_checks_that_are_off_are_off(tmp_path: Path) -> None:
    tls = authority("unknown").server(tmp_path, expired=True, elsewhere=True)
    assert asked(OK, tls=tls, insecure_skip_verify=True)


# -- proxies -------------------------------------------------------------------------------------


def through(kind: type[PlatformAuthError], *acts: Any, url: str = FAR) -> PlatformAuthError:
    """Ask a provider out in the world by way of a proxy that acts so, in vain."""

    async def main() -> PlatformAuthError:
        async with bad_server(*acts) as proxy:
            address = proxy.address.replace("://", "://me:CANARY@")
            error = await failure(asks(url, http_proxy_url=address))
            assert type(error) is kind
            assert proxy.address.partition("://")[2] in error.what
            error.asked = proxy.requests  # type: ignore[attr-defined]
            return error

    error: PlatformAuthError = _run(main)
    assert "CANARY" not in str(error)
    return error


def requests_of(error: PlatformAuthError) -> list[bytes]:
    found: list[bytes] = error.asked  # type: ignore[attr-defined]
    return found


def test_a_proxy_that_does_not_know_us_is_asked_once() -> None:
    error = through(ProxyError, answers(b"", "407 Proxy Authentication Required"))
    assert not error.retryable
    assert "http://me@127.0.0.1" in error.what
    assert "407" in error.why
    [request] = requests_of(error)
    assert request.startswith(b"CONNECT id.example.com:443")
    assert b"proxy-authorization: basic" in request.lower()


@pytest.mark.parametrize(
    ("status", "retryable"), [("502 Bad Gateway", True), ("504 x", True), ("403 No", False)]
)
def test_a_proxy_that_does_not_get_there_is_blamed(status: str, retryable: bool) -> None:
    error = through(ProxyError, answers(b"", status))
    assert error.retryable is retryable
    assert status[:3] in error.why
    assert "https://id.example.com" in error.what


@pytest.mark.parametrize("act", [resets(), says(b"garbage\r\n\r\n"), says(b"")])
def test_a_proxy_that_breaks_is_blamed_not_the_provider(act: Any) -> None:
    error = through(ProxyError, act)
    assert error.retryable
    assert "cannot be reached" in error.what


def test_a_proxy_that_is_down_is_blamed_not_the_provider() -> None:
    async def main() -> None:
        async with bad_server(hangs) as proxy:
            address = proxy.address
        error = await failure(asks(FAR, http_proxy_url=address))
        assert isinstance(error, ProxyError)
        assert error.retryable
        assert address in error.what
        assert "id.example.com" not in error.what

    _run(main)


@pytest.mark.parametrize(
    "url",
    [
        "proxy:3128",
        "me:CANARY@proxy:3128",
        "gopher://proxy",
        "http://a b:1",
        "http://",
        "http://:1",
    ],
)
def test_a_proxys_address_that_is_none_is_said_at_once(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        PlatformConfig(http_proxy_url=url)
    assert "CANARY" not in str(caught.value)


def test_a_socks_proxy_without_its_package_is_said_when_the_profile_is_read() -> None:
    """The tests' environment has none."""
    mapping = {"prod": {"admin": {"endpoint": "a", "httpProxyURL": "socks5://proxy:1080"}}}
    with pytest.raises(ConfigError, match="SOCKS") as caught:
        Profiles(admin=mapping, user_file=None, flyte=False).get("prod")
    assert "httpx2[socks]" in caught.value.fix


@pytest.mark.parametrize("url", ["socks5://proxy:1080", "http://[", "gopher://proxy"])
def test_an_environments_proxy_that_cannot_be_used_is_said_by_name(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(ConfigError) as caught:
        _run(lambda: asks(FAR))
    assert "HTTP" in caught.value.fix


PROXY = "http://proxy.corp:3128"


@pytest.mark.parametrize(
    ("entry", "direct", "proxied"),
    [
        ("10.0.0.0/8", ["https://10.1.2.3/", "https://10.0.0.1:8443/"], ["https://11.0.0.1/"]),
        ("10.1.2.3", ["https://10.1.2.3/"], ["https://10.1.2.30/"]),
        ("10.1.2.3:8443", ["https://10.1.2.3:8443/"], ["https://10.1.2.3/"]),
        ("*.corp", ["https://id.corp/", "https://a.b.corp/"], ["https://idcorp/"]),
        (".corp", ["https://id.corp/", "https://corp/"], ["https://corp.com/"]),
        ("corp", ["https://id.corp/", "https://ID.CORP./"], ["https://xcorp/"]),
        ("ID.corp", ["https://id.corp/"], ["https://di.corp/"]),
        ("id.corp:443", ["https://id.corp/"], ["https://id.corp:8443/"]),
        ("[fd00::1]", ["https://[fd00::1]/"], ["https://[fd00::2]/"]),
        ("fd00::1", ["https://[fd00::1]:8443/"], ["https://[fd00::2]/"]),
        ("[fd00::1]:8443", ["https://[fd00::1]:8443/"], ["https://[fd00::1]/"]),
        ("fd00::/8", ["https://[fd12::1]/"], ["https://[fe80::1]/"]),
        ("[fd00::]/8", ["https://[fd12::1]/"], ["https://[fe80::1]/"]),
        ("a.corp, b.corp c.corp", ["https://b.corp/", "https://c.corp/"], ["https://d.corp/"]),
        ("*", ["https://id.corp/"], []),
        ("", [], ["https://id.corp/"]),
        (",, ,", [], ["https://id.corp/"]),
        ("10.0.0.0/99, [::, ::::, /8, :, :80, *", ["https://id.corp/"], []),
        ("10.0.0.0/99, [::, ::::, /8, :, :80, .", [], ["https://id.corp/"]),
    ],
)
@pytest.mark.parametrize("own", [PROXY, None], ids=["profile", "environment"])
def test_whom_no_proxy_names_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch,
    own: str | None,
    entry: str,
    direct: list[str],
    proxied: list[str],
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", entry)
    routes = Routes(own)
    assert [routes.proxy_for(url) for url in direct] == [None] * len(direct)
    assert [routes.proxy_for(url) for url in proxied] == [PROXY] * len(proxied)


@given(st.text(max_size=60), st.text(alphabet="[]:/.*a10,%@ ", max_size=30))
def test_no_list_of_exemptions_breaks_anything(one: str, other: str) -> None:
    for url in ("https://id.corp/", "https://[fd00::1]:99999/", "https://10.0.0.1/"):
        assert Routes(PROXY, {"no": f"{one},{other}"}).proxy_for(url) in {PROXY, None}


def test_a_proxy_of_the_environment_may_lack_its_scheme() -> None:
    assert Routes(None, {"all": "proxy:3128"}).proxy_for(FAR) == "http://proxy:3128"


@pytest.fixture
def everything_through_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")


@pytest.mark.usefixtures("everything_through_nowhere")
def test_this_machine_is_reached_directly() -> None:
    assert asked(OK, http_proxy_url="http://127.0.0.1:1")


@pytest.mark.usefixtures("everything_through_nowhere")
def test_the_broker_is_reached_directly(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("CANARY")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        client = BrokerClient(SocketChannel(address, str(token)))
        with pytest.raises(BrokerUnavailableError):
            # Nobody will answer: it is enough that the call arrives.
            _hung_up_on(server, client)


def _hung_up_on(server: socket.socket, client: BrokerClient) -> None:
    import threading

    def serve() -> None:
        connection, _ = server.accept()
        assert connection.recv(1000).startswith(b"GET /v1/profiles")
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.profiles()
    finally:
        thread.join(10)
        assert not thread.is_alive()


# -- addresses -----------------------------------------------------------------------------------


def test_an_address_in_brackets_is_one() -> None:
    assert asked(OK, host="::1")


def test_a_name_with_two_addresses_needs_one_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def both(host: Any, port: Any, *args: Any, **named: Any) -> Any:
        if host not in {"localhost", b"localhost"}:
            return real(host, port, *args, **named)
        six = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))
        return [six, *real("127.0.0.1", port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", both)

    async def main() -> None:
        async with bad_server(OK) as server:
            await asks(f"{server.address.replace('127.0.0.1', 'localhost')}/token")

    _run(main)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_plain_http_is_for_addresses_of_this_machine(host: str) -> None:
    assert PlatformConfig(f"http://{host}:8080").base_url.startswith("http://")
    assert Endpoint.parse(host).is_loopback
    assert Routes(PROXY, {}).proxy_for(f"http://{host}:8080/") is None


@pytest.mark.parametrize(
    "host", ["127.0.0.1.example.com", "localhost.example.com", "[::ffff:10.0.0.1]", "[fe80::1]"]
)
def test_and_not_for_what_only_looks_like_one(host: str) -> None:
    with pytest.raises(ConfigError, match="plain http"):
        PlatformConfig(f"http://{host}:8080")
    with pytest.raises(ConfigError, match="plain http"):
        _run(lambda: asks(f"http://{host}:8080/token"))


@pytest.mark.parametrize("url", ["https://[fe80::1%25eth9]/token", "https://[fe80::1%eth9]/token"])
def test_an_address_with_a_zone_is_no_reason_to_break(url: str) -> None:
    with pytest.raises((TransportError, ConfigError)):
        _run(lambda: asks(url, total=2))


@pytest.mark.parametrize(
    ("configured", "published"),
    [
        ("https://id.example.com", "https://id.example.com/"),
        ("https://id.example.com/", "https://id.example.com"),
        ("https://ID.example.com", "https://id.example.com"),
        ("https://id.example.com.", "https://id.example.com"),
        ("https://id.example.com:443", "https://id.example.com"),
    ],
)
def test_an_issuer_is_compared_letter_by_letter_with_a_hint_where_only_spelling_differs(
    world: World, configured: str, published: str
) -> None:
    world.provider.metadata["issuer"] = published
    error = _discovered(world, configured)
    assert isinstance(error, DiscoveryError)
    assert error.fix == f"They differ in spelling only: set oauth.issuer to {published!r}."


def test_an_issuer_that_differs_in_more_gets_no_such_hint(world: World) -> None:
    world.provider.metadata["issuer"] = "https://id.example.org"
    assert "spelling" not in _discovered(world, "https://id.example.com").fix


def test_an_issuer_with_letters_of_its_own_is_itself(world: World) -> None:
    name = "https://bücher.example"
    world.provider.metadata = {"issuer": name, "token_endpoint": f"{name}/token"}
    world.provider.metadata["issuer"] = "https://xn--bcher-kva.example"
    assert isinstance(_discovered(world, name), DiscoveryError)
    world.provider.metadata["issuer"] = name
    found = asyncio.run(Driver(world.provider).drive(discover(_of(name))))
    assert found.metadata.issuer == name


def _discovered(world: World, issuer: str) -> PlatformAuthError:
    return asyncio.run(failure(Driver(world.provider).drive(discover(_of(issuer)))))


def _of(issuer: str) -> PlatformConfig:
    return config(oauth={"issuer": issuer}, client_id=CLIENT)
