"""Faults of what an identity provider replies, met by a broker over a real socket.

Whatever it says: what comes of it is an error of ours that a person can act on, the token that
still lives keeps serving, and its refresh token is kept for the time after (`survives`).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from fakes.provider import reply
from fakes.world import World, failure
from platform_auth.broker.session import State
from platform_auth.clients.http import async_http_client
from platform_auth.errors import (
    InvalidClientError,
    OAuthError,
    PlatformAuthError,
    ProviderError,
    SignInRequiredError,
    TokenResponseError,
    TransportError,
)
from platform_auth.oauth.steps import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_auth.broker.access_token import AccessToken

HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}
GOOD: dict[str, Any] = {"access_token": "at-CANARY", "token_type": "Bearer", "expires_in": 300}


def raw(body: bytes, status: int = 200, **headers: str) -> Response:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {**JSON, **said}, body)


def survives(world: World, *answers: Any) -> PlatformAuthError:
    """Refresh against these answers and return the error, of which nothing must be left."""

    async def work() -> PlatformAuthError:
        token = await world.signed_in()
        world.provider.next["token"].extend(answers)
        error = await failure(world.refreshed(token))
        world.provider.next["token"].clear()
        assert (await world.broker.token("prod")).fingerprint == token.fingerprint
        assert (await world.broker.session("prod")).state is State.SIGNED_IN
        world.clock.advance(301)
        assert (await world.broker.token("prod")).fingerprint != token.fingerprint
        return error

    error: PlatformAuthError = world.run(work)
    return error


def granted(world: World, **members: Any) -> AccessToken:
    """Return the token of a response with these members; one of None is left out."""
    world.provider.next["token"].append(reply(_without_none({**GOOD, **members})))
    token: AccessToken = world.run(lambda: world.broker.token("service"))
    return token


def refused(world: World, **members: Any) -> TokenResponseError:
    """Return the error of a response with these members, for a service and for a refresh."""
    answer = reply(_without_none({**GOOD, **members}))
    error = survives(world, answer)
    assert isinstance(error, TokenResponseError)
    assert not error.retryable
    return error


def notices(world: World, name: str = "service") -> tuple[str, ...]:
    return world.broker._sessions._sessions[name].notices


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


# -- no JSON, or another one ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_error_page_is_a_passing_fault_and_is_not_quoted(
    world: World, status: int
) -> None:
    error = survives(world, Response(status, HTML, b"<h1>Bad gateway CANARY</h1>"))
    assert isinstance(error, TransportError)
    assert error.retryable
    assert error.why == f"HTTP {status}, text/html."


def test_a_captive_portal_is_called_one_at_once(world: World) -> None:
    """Not only the second time: the first message is the one that people read."""
    error = survives(world, Response(200, HTML, b"<h1>Accept our terms CANARY</h1>"))
    assert isinstance(error, ProviderError)
    assert "captive portal" in error.why
    assert "proxy" in error.fix


@pytest.mark.parametrize("token", [None, "", 5, ["at"]])
def test_a_success_without_an_access_token_replaces_nothing(world: World, token: Any) -> None:
    assert "access_token" in refused(world, access_token=token).what


def test_an_error_in_a_successful_reply_is_that_error(world: World) -> None:
    error = survives(world, reply({**GOOD, "error": "server_error"}))
    assert isinstance(error, TransportError)
    assert error.oauth_code == "server_error"


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"at"', b"", b" ", b"{", b'{"a":1}}'])
def test_what_is_no_json_object_is_no_reply(world: World, body: bytes) -> None:
    error = survives(world, raw(body))
    assert isinstance(error, ProviderError)
    assert "did not answer with a JSON object" in error.what


@pytest.mark.parametrize(
    "body", [b'{"access_token":"a","access_token":"b"}', b'{"x":{"y":1,"y":2}}']
)
def test_a_member_that_appears_twice_with_different_values_is_refused(
    world: World, body: bytes
) -> None:
    assert "twice" in survives(world, raw(body)).why


def test_a_member_that_appears_twice_with_the_same_value_harms_nobody(world: World) -> None:
    body = b'{"access_token":"at-CANARY","token_type":"Bearer","token_type":"Bearer"}'
    world.provider.next["token"].append(raw(body))
    assert world.run(lambda: world.broker.token("service")).token_type == "Bearer"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_than_utf_8_is_no_reply(world: World, encoding: str) -> None:
    body = json.dumps({**GOOD, "name": "Zoë"}, ensure_ascii=False).encode(encoding)
    assert isinstance(survives(world, raw(body)), ProviderError)


def test_a_byte_order_mark_is_tolerated(world: World) -> None:
    world.provider.next["token"].append(raw(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()))
    assert world.run(lambda: world.broker.token("service")).value.reveal() == "at-CANARY"


def test_a_form_encoded_reply_is_refused_and_what_was_asked_for_is_named(world: World) -> None:
    """No profile can allow it: it could mean two things, and who sends it also speaks JSON."""
    kind = "application/x-www-form-urlencoded"
    error = survives(world, raw(b"access_token=at-CANARY&token_type=bearer", content_type=kind))
    assert kind in error.why
    assert "Accept: application/json" in error.why


class Flood:
    """Says a head and then the same for ever, or until nobody listens; counts the bytes."""

    def __init__(self, head: str, part: bytes) -> None:
        self.head, self.part, self.sent = head, part, 0

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{self.head}\r\n\r\n".encode()
        )
        with contextlib.suppress(ConnectionError):
            while self.sent < 1024**3:
                writer.write(self.part)
                await writer.drain()
                self.sent += len(self.part)


@pytest.mark.parametrize(
    ("head", "part"),
    [
        ("content-length: 1073741824", b" " * 65536),
        ("transfer-encoding: chunked", b"10000\r\n" + b" " * 65536 + b"\r\n"),
        ("connection: close", b" " * 65536),
    ],
)
def test_a_reply_without_end_is_left_after_a_mebibyte(world: World, head: str, part: bytes) -> None:
    floods = [Flood(head, part) for _ in range(2)]
    error = survives(world, *floods)
    assert isinstance(error, TransportError)
    assert "without end" in error.what
    # What the two systems' buffers hold comes on top.
    assert all(1024**2 <= flood.sent < 16 * 1024**2 for flood in floods)


def test_a_compressed_reply_is_not_unpacked(world: World) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    error = survives(world, *[raw(bomb, content_encoding="gzip")] * 2)
    assert isinstance(error, TransportError)
    assert "compresses" in error.what


# -- how long a token lives ----------------------------------------------------------------------


@pytest.mark.parametrize("value", ["3600", 3600.5, "3600.5", 3600, " 3600 "])
def test_a_lifetime_as_text_or_fraction_is_taken_down_to_whole_seconds(
    world: World, value: Any
) -> None:
    assert granted(world, expires_in=value).expires_at == world.clock.time() + 3600


@pytest.mark.parametrize("value", ["abc", [], {}, True, "", float("nan"), float("inf"), "Infinity"])
def test_a_lifetime_that_is_no_number_makes_the_reply_unusable(world: World, value: Any) -> None:
    assert "expires_in" in refused(world, expires_in=value).what


@pytest.mark.parametrize("value", [0, -1, "0", -(10**30), 0.5])
def test_a_token_that_is_dead_on_arrival_is_an_error_and_no_loop(world: World, value: Any) -> None:
    async def ask_often() -> None:
        world.provider.next["token"].extend([reply({**GOOD, "expires_in": value})] * 9)
        for _ in range(9):
            assert "expired already" in (await failure(world.broker.token("service"))).why

    world.run(ask_often)
    assert world.asked() == 1


def test_a_lifetime_of_ages_is_cut_and_the_person_is_told(world: World) -> None:
    token = granted(world, expires_in=10**30)
    assert token.expires_at == world.clock.time() + 30 * 86400
    assert "30 days" in notices(world)[0]


def test_a_missing_lifetime_is_the_tokens_own(world: World) -> None:
    claims = json.dumps({"exp": world.clock.time() + 777}).encode()
    jwt = f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.CANARY"
    token = granted(world, expires_in=None, access_token=jwt)
    assert token.expires_at == world.clock.time() + 777
    assert notices(world) == ()


def test_a_missing_lifetime_that_nobody_knows_is_short_and_the_person_is_told(world: World) -> None:
    assert granted(world, expires_in=None).expires_at == world.clock.time() + 300
    assert notices(world) == ("Nothing says how long the token lives: 5 minutes are assumed.",)


def test_a_token_of_ten_seconds_serves_and_is_refreshed_once_in_its_life(world: World) -> None:
    world.provider.lifetime, seen = 10, set[str]()

    async def use() -> None:
        await world.signed_in()
        for _ in range(100):
            token = await world.broker.token("prod", min_ttl=60)
            assert token.expires_at > world.clock.time()
            seen.add(token.fingerprint)
            await world.background()
            world.clock.advance(1)

    world.run(use)
    # In the middle of its life, in the background: a hundred seconds hold twenty halves.
    assert world.asked() <= 21
    assert len(seen) >= 19


# -- the other members ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, "bEARER", "bearer", "BEARER"])
def test_a_bearer_token_by_any_spelling_or_none_serves(world: World, kind: str | None) -> None:
    """A missing type warns nobody: no person could do anything about it."""
    assert granted(world, token_type=kind).token_type == "Bearer"


@pytest.mark.parametrize("kind", ["mac", "DPoP", "N_A", 5, ["bearer"], ""])
def test_a_token_of_another_kind_is_refused_before_it_is_ever_sent(world: World, kind: Any) -> None:
    assert "token_type" in refused(world, token_type=kind).what


@pytest.mark.parametrize(
    "token",
    ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a b", "tök", "a" * 65537, "\x7f", "\ud800"],
)
def test_a_token_that_would_break_a_header_is_refused(world: World, token: str) -> None:
    assert "access_token" in refused(world, access_token=token).what


def test_a_token_of_five_megabytes_is_not_even_read(world: World) -> None:
    error = survives(world, *[reply({**GOOD, "access_token": "a" * 5_000_000})] * 2)
    assert isinstance(error, TransportError)


@pytest.mark.parametrize(
    ("scope", "scopes", "told"),
    [
        ("api", ["api"], "Not granted, though asked for: admin."),
        ("api admin root", ["api", "admin", "root"], "Granted, though not asked for: root."),
        (["api", "admin"], ["api", "admin"], None),
        (None, ["api", "admin"], None),
    ],
)
def test_other_scopes_than_asked_for_are_told_and_no_failure(
    new_world: Callable[..., World], scope: Any, scopes: list[str], told: str | None
) -> None:
    world = new_world(scopes=["api", "admin"])
    granted(world, scope=scope)
    session = world.broker._sessions._sessions["service"]
    assert session.record is not None
    assert list(session.record.tokens.scopes) == scopes
    assert notices(world) == ((told,) if told else ())


def test_a_narrowed_scope_stays_narrow_when_a_refresh_says_nothing(
    new_world: Callable[..., World],
) -> None:
    world = new_world(scopes=["openid", "api", "admin"])
    world.provider.scope = "openid api"

    async def work() -> None:
        token = await world.signed_in()
        world.provider.scope = None
        await world.refreshed(token)

    world.run(work)
    assert notices(world, "prod") == ("Not granted, though asked for: admin.",)


@pytest.mark.parametrize("silent", [True, False])
def test_a_refresh_token_that_is_not_replaced_serves_on(world: World, silent: bool) -> None:
    world.provider.rotate = False

    async def work() -> None:
        token = await world.signed_in()
        for _ in range(3):
            answer = world.provider.tokens(refresh=False)
            answer |= {} if silent else {"refresh_token": ""}
            world.provider.next["token"].append(reply(answer))
            token = await world.refreshed(token)

    world.run(work)
    sent = [request.body for request in world.provider.sent_to("token")]
    assert len(sent) == 3
    assert all("refresh_token=rt-1-CANARY" in body for body in sent)


def test_a_refresh_token_that_is_replaced_is_never_sent_again(world: World) -> None:
    async def work() -> None:
        token = await world.signed_in()
        for _ in range(3):
            token = await world.refreshed(token)

    world.run(work)
    sent = [request.body for request in world.provider.sent_to("token")]
    assert [f"rt-{number}-CANARY" in body for number, body in enumerate(sent, 1)] == [True] * 3


# -- errors that have a name ---------------------------------------------------------------------


def test_an_end_of_the_grant_is_one_prompt_and_one_request_for_everybody(world: World) -> None:
    async def work() -> None:
        token = await world.signed_in()
        world.provider.refresh_tokens.clear()
        errors = await asyncio.gather(*(failure(world.refreshed(token)) for _ in range(20)))
        assert {type(error) for error in errors} == {SignInRequiredError}
        world.clock.advance(3600)
        assert "%platform_login prod" in (await failure(world.broker.token("prod"))).fix
        assert (await world.broker.session("prod")).state is State.EXPIRED

    world.run(work)
    assert world.asked() == 1


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
def test_a_refused_client_is_a_matter_of_the_profile_and_told_what_would_be_taken(
    world: World, code: str
) -> None:
    methods = ["private_key_jwt", "tls_client_auth"]
    world.provider.metadata["token_endpoint_auth_methods_supported"] = methods
    error = survives(world, reply({"error": code}, 401))
    assert isinstance(error, InvalidClientError)
    assert "clientId" in error.fix
    assert "private_key_jwt, tls_client_auth; none was used" in error.fix


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        ("invalid_scope", "Sent: api."),
        ("invalid_target", "Sent: https://api.example.com, https://one.example.com."),
        ("invalid_request", "Sent: audience, grant_type, resource, scope."),
    ],
)
def test_a_refused_value_is_shown_as_it_was_sent(
    new_world: Callable[..., World], code: str, sent: str
) -> None:
    world = new_world(
        audience="https://api.example.com",
        scopes=["api"],
        oauth={"resource": ["https://one.example.com"]},
    )
    world.provider.next["token"].append(reply({"error": code, "error_description": "no"}, 400))
    error = world.run(lambda: failure(world.broker.token("service")))
    assert isinstance(error, OAuthError)
    assert error.why == f"{code}: no. {sent}"


@pytest.mark.parametrize("status", [200, 400, 500, 503])
@pytest.mark.parametrize("code", ["temporarily_unavailable", "server_error", "slow_down"])
def test_a_provider_that_is_busy_by_its_own_word_is_a_passing_fault(
    world: World, code: str, status: int
) -> None:
    error = survives(world, reply({"error": code}, status))
    assert isinstance(error, TransportError)
    assert error.retryable


@pytest.mark.parametrize(
    "code",
    ["interaction_required", "login_required", "consent_required", "mfa_required"],
)
def test_a_provider_that_wants_to_see_the_person_ends_it_with_its_reason(
    world: World, code: str
) -> None:
    async def work() -> PlatformAuthError:
        token = await world.signed_in()
        answer = {"error": code, "error_description": "AADSTS50076", "claims": '{"a":"b"}'}
        world.provider.next["token"].append(reply(answer, 400))
        error = await failure(world.refreshed(token))
        for _ in range(5):
            world.clock.advance(600)
            await failure(world.broker.token("prod"))
        return error

    error = world.run(work)
    assert isinstance(error, SignInRequiredError)
    assert error.why == f"{code}: AADSTS50076"
    assert world.asked() == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=121), usegmt=True), 119),
        ("1000000000", 300),
        ("-5", 2.5),
        ("soon", 2.5),
        ("", 2.5),
    ],
)
def test_a_retry_after_is_heeded_within_reason_else_our_own_pause_counts(
    world: World, value: Any, seconds: float
) -> None:
    world.provider.lifetime = 7200
    busy = reply({}, 429, retry_after=value() if callable(value) else value)

    async def work() -> None:
        token = await world.signed_in()
        world.provider.next["token"].append(busy)
        assert isinstance(await failure(world.refreshed(token)), TransportError)
        world.clock.advance(seconds - 0.5)
        await failure(world.broker.token("prod", stale=token.fingerprint))
        assert world.asked() == 1
        world.clock.advance(5)
        await world.broker.token("prod", stale=token.fingerprint)

    world.run(work)
    assert world.asked() == 2


# -- the platform's replies ----------------------------------------------------------------------


class Source:
    """Hands a client the broker's tokens."""

    def __init__(self, world: World) -> None:
        self._broker = world.broker

    async def token_async(self, *, stale: str | None = None) -> AccessToken:
        return await self._broker.token("prod", stale=stale)


def call(world: World, *answers: Response, **request: Any) -> Any:
    """Call the platform, which answers so, and return what the caller gets."""

    async def work() -> Any:
        await world.signed_in()
        world.provider.next["me"].extend(answers)
        config = (await world.broker.session("prod")).profile.config
        async with async_http_client(config, Source(world)) as http:
            return await http.request(url=f"{world.wire.address}/me", **request)

    return world.run(work)


@pytest.fixture
def platform(new_world: Callable[..., World]) -> World:
    return new_world(platform=True)


def test_a_fresh_token_that_the_platform_refuses_is_replaced_once_and_then_it_is_so(
    platform: World,
) -> None:
    assert call(platform, reply({}, 401), reply({"ok": True}), method="GET").status_code == 200
    assert (platform.asked(), platform.asked("me")) == (1, 2)


def test_a_platform_that_refuses_every_token_is_not_asked_for_ever(platform: World) -> None:
    answer = call(platform, *[reply({"why": "no"}, 401)] * 9, method="POST", content=b"body")
    assert (answer.status_code, answer.json()) == (401, {"why": "no"})
    assert (platform.asked(), platform.asked("me")) == (1, 2)


def test_a_body_that_cannot_be_sent_again_is_not(platform: World) -> None:
    async def body() -> Any:
        yield b"once"

    assert call(platform, *[reply({}, 401)] * 9, method="POST", content=body()).status_code == 401
    assert platform.asked("me") == 1


def test_a_scope_that_is_missing_at_the_platform_is_named_and_nothing_is_refreshed(
    platform: World, caplog: pytest.LogCaptureFixture
) -> None:
    challenge = 'Bearer error="insufficient_scope", scope="projects:write"'
    answer = call(platform, reply({}, 403, www_authenticate=challenge), method="GET")
    assert answer.status_code == 403
    assert platform.asked() == 0
    [told] = [each for each in caplog.records if each.levelname == "WARNING"]
    assert "wants the scope projects:write" in told.getMessage()


# -- where replies lead, and what they say -------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("endpoint", ["token", "jwks", "device"])
@pytest.mark.parametrize("target", ["https://evil.example/x?a=CANARY", "/elsewhere"])
def test_a_redirect_is_followed_nowhere_and_both_ends_are_named(
    world: World, endpoint: str, status: int, target: str
) -> None:
    answer = reply({}, status, location=target)
    world.provider.next[endpoint].extend([answer] * 3)
    profile = "device" if endpoint == "device" else "prod"

    async def work() -> PlatformAuthError:
        if profile == "device":
            return await failure(world.broker.sign_in("device"))
        return await failure(world.sign_in())

    error = world.run(work)
    assert isinstance(error, ProviderError)
    assert world.wire.address in error.what
    assert ("https://evil.example" if "evil" in target else "another path") in error.what
    assert not world.provider.sent_to("elsewhere")


@pytest.mark.parametrize(
    "said",
    [
        "\x1b[31mred\x07\x00 \u202etxet",
        "<script>alert(1)</script><img src=x onerror=alert(2)>",
        "straße 東京 " * 1000,
        {"a": ["<b>"]},
        "half \ud800",
    ],
)
def test_a_providers_words_are_one_short_clean_line(world: World, said: Any) -> None:
    """Escaped they are where they are shown, which the watch over all these tests looks at."""
    error = survives(world, reply({"error": "invalid_thing", "error_description": said}, 400))
    assert error.why.startswith("invalid_thing: ")
    assert len(error.why) < 330


def test_members_that_nobody_knows_are_ignored(world: World) -> None:
    nested: Any = {"a": [{"b": None}] * 50}
    assert granted(world, x=nested, not_before_policy=0, session_state="s").value
