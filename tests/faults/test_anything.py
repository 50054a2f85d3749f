"""Any bytes at all, wherever others can send us some: they are understood, or an error of ours.

Never another exception, never more than a second of this process's time, never more than 64 MiB.
What is tried is random bytes, honest answers that were bent, and what is known to hurt parsers.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
import tracemalloc
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes

import pytest
import stamina
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakes.bench import CALLBACK, HERE
from fakes.programs import write_script
from fakes.provider import rsa_key
from fakes.world import World
from platform_auth.errors import PlatformAuthError
from platform_auth.oauth.flows import get_flow
from platform_auth.oauth.steps import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

SECONDS, MEBIBYTES = 1.0, 64
YARDSTICK, YARDSTICK_SECONDS = "[" + "[]," * 350_000 + "[]]", 0.2
"""JSON as long as any that is read, and what it takes where the limit is what it says."""
MIB = 1024 * 1024


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Fail what takes too long, by the time of this process alone.

    On a machine that is slow, or busy, a second is longer by as much as it takes the standard
    library longer to read JSON: it makes as many objects, and collects as much garbage.
    """
    began = time.process_time()
    yield
    took = time.process_time() - began
    assert took < SECONDS or took < SECONDS * max(_slowness() for _ in range(3)), took


def _slowness() -> float:
    began = time.process_time()
    json.loads(YARDSTICK)
    return (time.process_time() - began) / YARDSTICK_SECONDS


@contextlib.contextmanager
def in_memory() -> Iterator[None]:
    """Fail what takes too much; it takes longer, too."""
    tracemalloc.start()
    try:
        yield
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEBIBYTES * MIB


class Place:
    """A world that is entered once, for all that is tried in it."""

    def __init__(self, **settings: Any) -> None:
        self.world = World(**settings)
        self._runner = asyncio.Runner()
        self._runner.run(self.world.wire.__aenter__())

    def tries(self, work: Callable[[], Awaitable[Any]], *, nasty: bool = False) -> Any:
        """Do it, within bounds; return what came of it, or the error of ours.

        What is large is done once more, to see what memory it takes.
        """

        async def whole() -> Any:
            try:
                return await asyncio.wait_for(work(), 20)
            except PlatformAuthError as error:
                return error

        with stamina.set_testing(True, attempts=10, cap=True):
            if nasty:
                with in_memory():
                    self._runner.run(whole())
            with in_time():
                return self._runner.run(whole())

    def close(self) -> None:
        self._runner.run(self.world.broker.close())
        self._runner.run(self.world.wire.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    place = Place(oauth={"client_secret": "secret-CANARY"})
    yield place
    place.close()


def bent(honest: bytes) -> st.SearchStrategy[bytes]:
    """Honest bytes with a piece taken out, and another put in."""
    pieces = st.binary(max_size=8) | st.sampled_from([b'"', b"{", b"}", b"\\", b"[", b",", b"\0"])
    cut = st.integers(0, len(honest))
    return st.builds(
        lambda start, end, piece: honest[: min(start, end)] + piece + honest[max(start, end) :],
        *(cut, cut, pieces),
    )


def members(*names: str) -> st.SearchStrategy[bytes]:
    """JSON objects with these members of any kind."""
    simple = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    value = st.recursive(
        simple,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    objects = st.fixed_dictionaries({}, optional=dict.fromkeys(names, value))
    return objects.map(lambda data: json.dumps(data).encode())


def full(piece: bytes, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return the same again and again, up to what is read at all."""
    room = MIB - len(before) - len(after)
    return before + piece * (room // len(piece)) + after


NASTY = {
    "nested lists": full(b"["),
    "nested objects": full(b'{"a":'),
    "empty objects": full(b"{},", before=b'{"keys":[', after=b"{}]}"),
    "empty lists": full(b"[],", before=b'{"keys":[', after=b"[]]}"),
    "numbers": full(b"1,", before=b'{"a":[', after=b"1]}"),
    "a long number": full(b"9", before=b'{"expires_in":', after=b"}"),
    "a long exponent": full(b"9", before=b'{"expires_in":1e', after=b"}"),
    "escapes": full(b"\\u0041", before=b'{"access_token":"', after=b'"}'),
    "halves of characters": full(b"\\ud800", before=b'{"error":"', after=b'"}'),
    "the same member": full(b'"a":0,', before=b"{", after=b'"a":0}'),
    "many members": b"{" + b",".join(b'"%x":0' % n for n in range(100_000)) + b"}",
    "scopes": full(b"a ", before=b'{"access_token":"a","scope":"', after=b'"}'),
    "a long error": full(b"http://", before=b'{"error":"x","error_description":"', after=b'"}'),
    "blanks": full(b" "),
    "NULs": full(b"\0"),
    "objects in lines": full(b'{"a":1}\n'),
    "braces in lines": full(b"{\n"),
    "terminal codes": full(b"\x1b[0"),
    "lines": full(b"x\n"),
}

GOOD_TOKEN = b'{"access_token":"at","token_type":"Bearer","expires_in":300,"scope":"api"}'
TOKEN = ("access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token", "error")
METADATA = ("issuer", "token_endpoint", "jwks_uri", "authorization_endpoint")
KEYS = json.dumps({"keys": [rsa_key().as_dict(private=False)]}).encode()
JWK = ("kty", "n", "e", "kid", "use", "alg", "crv", "x", "y", "k", "x5c", "key_ops")
KINDS = st.sampled_from(["application/json", "text/html", "", "\xff"])
STATUS = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 404, 429, 500, 503])


def answered(place: Place, endpoint: str, answer: Response) -> None:
    """Let the provider answer so, and so again, and otherwise as it should."""
    waiting = place.world.provider.next
    waiting.clear()
    waiting[endpoint].extend([answer] * 6)


def token(place: Place, body: bytes, status: int = 200, kind: str = "application/json") -> None:
    answered(place, "token", Response(status, {"content-type": kind}, body))

    async def work() -> Any:
        session = await place.world.broker.session("service")
        context = await place.world.broker._contexts.of(session)
        return await session.driver.drive(get_flow("client_credentials").sign_in(context))

    place.tries(work, nasty=len(body) > MIB // 2)


@given(st.binary() | bent(GOOD_TOKEN) | members(*TOKEN), STATUS, KINDS)
def test_a_token_reply(place: Place, body: bytes, status: int, kind: str) -> None:
    token(place, body, status, kind)


@pytest.mark.parametrize("body", NASTY.values(), ids=NASTY)
def test_a_nasty_token_reply(place: Place, body: bytes) -> None:
    token(place, body)


def test_a_nasty_error(place: Place) -> None:
    token(place, NASTY["a long error"], 400)


def metadata(place: Place, body: bytes, status: int = 200) -> None:
    answer = Response(status, {"content-type": "application/json"}, body)
    answered(place, "openid-configuration", answer)
    place.world.provider.next["oauth-authorization-server"].extend([answer] * 6)

    async def work() -> Any:
        session = await place.world.broker.session("prod")
        place.world.broker._contexts.forget(session)
        return await place.world.broker._contexts.of(session)

    place.tries(work, nasty=len(body) > MIB // 2)


@given(st.data(), STATUS)
def test_a_metadata_document(place: Place, data: st.DataObject, status: int) -> None:
    honest = json.dumps(place.world.provider.metadata).encode()
    body = data.draw(st.binary() | bent(honest) | members(*METADATA))
    metadata(place, body, status)


@pytest.mark.parametrize("name", ["nested objects", "many members", "a long number", "NULs"])
def test_a_nasty_metadata_document(place: Place, name: str) -> None:
    metadata(place, NASTY[name])


def sign_in(place: Place, keys: bytes) -> None:
    """Sign in, and be told that these are the keys."""
    answered(place, "jwks", Response(200, {"content-type": "application/json"}, keys))

    async def work() -> Any:
        session = await place.world.broker.session("prod")
        session.driver._kept.clear()
        return await place.world.sign_in()

    place.tries(work, nasty=len(keys) > MIB // 2)


@settings(max_examples=50)
@given(st.binary() | bent(KEYS) | members(*JWK).map(lambda key: b'{"keys":[' + key + b"]}"))
def test_a_set_of_keys(place: Place, body: bytes) -> None:
    sign_in(place, body)


def _huge_keys(size: int, count: int, exponent: bytes = b"AQAB") -> bytes:
    number = base64.urlsafe_b64encode(b"\xff" * size).rstrip(b"=")
    key = b'{"kty":"RSA","n":"%s","e":"%s"}' % (number, exponent)
    return b'{"keys":[' + b",".join([key] * count) + b"]}"


NASTY_KEYS = {
    "empty objects": NASTY["empty objects"],
    "empty lists": NASTY["empty lists"],
    "one of millions of bits, too long to be read": _huge_keys(600_000, 1),
    "one of a million bits": _huge_keys(180_000, 1),
    "a hundred of fourteen thousand bits": _huge_keys(1_800, 100),
    "a hundred with long exponents": _huge_keys(256, 100, b"_" * 340),
    "a hundred that all might have signed": _huge_keys(256, 100),
}


@pytest.mark.parametrize("body", NASTY_KEYS.values(), ids=NASTY_KEYS)
def test_a_nasty_set_of_keys(place: Place, body: bytes) -> None:
    place.world.provider.sign = lambda said: place.world.provider.signed(said, kid=None)
    sign_in(place, body)


@given(url=st.text() | st.binary().map(quote_from_bytes), ours=st.booleans())
@example(url="?" + "a=b&" * 4000, ours=True)
@example(url="?state=" + "%61" * 5000, ours=False)
@example(url="?" + "=" * 16_000, ours=True)
@example(url="http://[", ours=True)
def test_a_callback(place: Place, url: str, *, ours: bool) -> None:
    """With our state in it, or with none of ours."""
    place.world.provider.next.clear()

    async def work() -> Any:
        there = await place.world.broker.begin("prod", CALLBACK, HERE)
        state = there.partition("state=")[2].partition("&")[0]
        return await place.world.broker.complete(
            f"{url}?state={state}&{url}" if ours else url, HERE
        )

    assert isinstance(place.tries(work), PlatformAuthError)


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("tool")
    command = [write_script(directory, f"cat '{directory}/output'")]
    admin = {"endpoint": "{issuer}", "authType": "ExternalCommand", "command": command}
    place = Place(profiles={"tool": {"admin": admin}})
    place.world.output = directory / "output"  # type: ignore[attr-defined]
    yield place
    place.close()


def printed(place: Place, output: bytes) -> None:
    place.world.output.write_bytes(output)  # type: ignore[attr-defined]

    async def work() -> Any:
        session = await place.world.broker.session("tool")
        context = await place.world.broker._contexts.of(session)
        return await session.driver.drive(get_flow("command").sign_in(context))

    place.tries(work, nasty=len(output) > MIB // 2)


@settings(max_examples=50)
@given(st.binary() | bent(b"warning\n" + GOOD_TOKEN) | members(*TOKEN))
def test_a_commands_output(tool: Place, output: bytes) -> None:
    printed(tool, output)


@pytest.mark.parametrize("output", NASTY.values(), ids=NASTY)
def test_a_nasty_output_of_a_command(tool: Place, output: bytes) -> None:
    printed(tool, output)


def test_what_takes_too_long_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "_slowness", lambda: 1.0)

    def work() -> None:
        with in_time():
            began = time.process_time()
            while time.process_time() - began < SECONDS:
                pass

    with pytest.raises(AssertionError):
        work()


def test_what_takes_too_much_is_noticed() -> None:
    def work() -> None:
        with in_memory():
            assert bytearray(MEBIBYTES * MIB)

    with pytest.raises(AssertionError):
        work()
