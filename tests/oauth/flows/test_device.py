"""The device flow by hand: every answer a server may give, and how long is waited after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.play import context, play
from fakes.provider import CLIENT, ISSUER, NOW, Provider, form, reply
from platform_auth.errors import (
    AccessDeniedError,
    ConfigError,
    IdentityError,
    InvalidClientError,
    InvalidGrantError,
    OAuthError,
    PlatformAuthError,
    ProviderError,
    SignInExpiredError,
    TLSError,
    TokenResponseError,
    TransportError,
)
from platform_auth.oauth.flows import get_flow
from platform_auth.oauth.flows.device import GRANT_TYPE
from platform_auth.oauth.steps import Ask, DeviceChallenge, Response, Wait

if TYPE_CHECKING:
    from platform_auth.oauth.tokens import TokenSet

FLOW = get_flow("device")
PENDING = reply({"error": "authorization_pending"}, 400)
SLOW_DOWN = reply({"error": "slow_down"}, 400)
BUSY = reply({}, 503)
PAGE = Response(200, {"content-type": "text/html"}, b"<h1>Wi-Fi</h1>", ISSUER)
DEAD = TransportError("the line went dead")
GOOD: dict[str, Any] = {
    "device_code": "device-CANARY",
    "user_code": "ABCD-EFGH",
    "verification_uri": "https://id.example.com/device",
    "verification_uri_complete": "https://id.example.com/device?user_code=ABCD-EFGH",
    "expires_in": 600,
    "interval": 5,
}


class Person:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[DeviceChallenge] = []

    def __call__(self, ask: Ask) -> None:
        assert isinstance(ask.challenge, DeviceChallenge)
        self.asked.append(ask.challenge)


def sign_in(
    provider: Provider, *answers: Response | Exception, asked: Person | None = None, **changes: Any
) -> tuple[TokenSet, list[float]]:
    """Run the flow against these answers to its polls; return the tokens and the waits."""
    answer = {**GOOD, **changes}
    given = {name: value for name, value in answer.items() if value is not None}
    provider.next["device"].append(reply(given))
    provider.next["token"].extend(answers)
    waits: list[float] = []
    steps = FLOW.sign_in(context(provider))
    try:
        return play(steps, provider, asked or Person(), waits), waits
    except PlatformAuthError as error:
        error.add_note(f"waited {waits}")
        error.waits = waits  # type: ignore[attr-defined]
        raise


def test_the_person_is_asked_once_and_the_server_until_they_have_answered(
    provider: Provider,
) -> None:
    person = Person()
    tokens, waits = sign_in(provider, PENDING, PENDING, asked=person)
    assert tokens.access_token.reveal() == "at-1-CANARY"
    assert tokens.refresh_token is not None
    assert tokens.identity is not None
    assert tokens.identity.email == "ada@example.com"
    assert waits == [5, 5, 5]
    [challenge] = person.asked
    assert challenge.user_code == "ABCD-EFGH"
    assert challenge.verification_uri_complete == GOOD["verification_uri_complete"]
    assert challenge.expires_in == 600


def test_what_is_sent(provider: Provider) -> None:
    sign_in(provider)
    [request] = provider.sent_to("device")
    assert form(request) == {"scope": "openid offline_access", "client_id": CLIENT}
    [poll] = provider.sent_to("token")
    expected = {"grant_type": GRANT_TYPE, "device_code": "device-CANARY", "client_id": CLIENT}
    assert form(poll) == expected
    assert not poll.replay  # its answer may hold the tokens: a lost one is not asked for again


def test_audience_and_resources_are_asked_for(provider: Provider) -> None:
    resources = ["https://a.example", "https://b.example"]
    settings = context(provider, audience="https://api", oauth={"resource": resources}, scopes=[])
    fields = parse_qs(next(FLOW.sign_in(settings)).body)
    assert fields == {"audience": ["https://api"], "resource": resources, "client_id": [CLIENT]}


def test_the_codes_show_nowhere(provider: Provider) -> None:
    steps = FLOW.sign_in(context(provider))
    first = next(steps)
    ask = steps.send(reply(GOOD))
    steps.send(None)
    poll = steps.send(None)
    for step in (first, ask, poll):
        assert "CANARY" not in repr(step)
        assert "ABCD" not in repr(step)


# How long is waited


@pytest.mark.parametrize("interval", [None, 0, -1, "", "soon", True, [], {}, float("nan"), 10**400])
def test_an_interval_that_is_missing_or_none_is_five_seconds(
    provider: Provider, interval: object
) -> None:
    assert sign_in(provider, PENDING, interval=interval)[1] == [5, 5]


@pytest.mark.parametrize(("interval", "waits"), [("5", [5, 5]), (1, [1, 1]), (0.5, [1, 1])])
def test_any_other_interval_is_the_servers_choice(
    provider: Provider, interval: object, waits: list[float]
) -> None:
    assert sign_in(provider, PENDING, interval=interval)[1] == waits


def test_an_interval_beyond_the_expiry_still_asks_once(provider: Provider) -> None:
    assert sign_in(provider, interval=3600)[1] == [600]


def test_slow_down_is_five_seconds_more_each_time_and_for_good(provider: Provider) -> None:
    answers = (SLOW_DOWN, SLOW_DOWN, PENDING, SLOW_DOWN, PENDING)
    assert sign_in(provider, *answers)[1] == [5, 10, 15, 15, 20, 20]


@pytest.mark.parametrize("fault", [BUSY, DEAD, PAGE, reply([]), reply({}, 404)])
def test_a_fault_doubles_the_wait_until_there_is_an_answer_again(
    provider: Provider, fault: Response | Exception
) -> None:
    # RFC 8628 §3.5 would keep it doubled; the person who has entered the code must not pay for it.
    assert sign_in(provider, fault, fault, PENDING, fault)[1] == [5, 10, 20, 5, 10]


def test_an_outage_makes_the_waits_no_longer_than_a_minute(provider: Provider) -> None:
    assert sign_in(provider, *[BUSY] * 6)[1] == [5, 10, 20, 40, 60, 60, 60]


@pytest.mark.parametrize("asked_for", ["30", "100"])
def test_a_server_that_says_when_is_heard(provider: Provider, asked_for: str) -> None:
    answer = reply({}, 429, retry_after=asked_for)
    assert sign_in(provider, answer, PENDING)[1] == [5, float(asked_for), 5]


def test_slow_down_outlasts_faults(provider: Provider) -> None:
    assert sign_in(provider, SLOW_DOWN, DEAD, PENDING)[1] == [5, 10, 20, 10]


# When it ends


@pytest.mark.parametrize("expires_in", [None, 0, -1, "soon", False, float("inf")])
def test_a_code_that_does_not_say_how_long_it_lives_lives_ten_minutes(
    provider: Provider, expires_in: object
) -> None:
    with pytest.raises(SignInExpiredError) as caught:
        sign_in(provider, *[PENDING] * 120, expires_in=expires_in)
    assert sum(caught.value.waits) == 600  # type: ignore[attr-defined]


def test_nothing_is_asked_after_the_code_has_expired(provider: Provider) -> None:
    with pytest.raises(SignInExpiredError) as caught:
        sign_in(provider, *[PENDING] * 9, expires_in=12)
    assert caught.value.waits == [5, 5, 2]  # type: ignore[attr-defined]
    assert len(provider.sent_to("token")) == 3
    assert "Sign in again" in caught.value.fix


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("access_denied", AccessDeniedError),
        ("expired_token", SignInExpiredError),
        ("invalid_grant", InvalidGrantError),
        ("invalid_client", InvalidClientError),
        ("invalid_scope", OAuthError),
        ("made_up", OAuthError),
    ],
)
def test_a_final_answer_ends_it_at_once(
    provider: Provider, code: str, kind: type[PlatformAuthError]
) -> None:
    with pytest.raises(kind) as caught:
        sign_in(provider, PENDING, reply({"error": code}, 400), PENDING)
    assert caught.value.waits == [5, 5]  # type: ignore[attr-defined]
    assert len(provider.sent_to("device")) == 1  # it does not begin again by itself


def test_a_connection_that_cannot_be_trusted_ends_it(provider: Provider) -> None:
    with pytest.raises(TLSError):
        sign_in(provider, TLSError("expired certificate"))


@pytest.mark.parametrize("strange", [PAGE, reply({}, 404), Response(302, {"location": "/"})])
def test_answers_that_are_none_end_it_after_the_third(
    provider: Provider, strange: Response
) -> None:
    with pytest.raises(ProviderError) as caught:
        sign_in(provider, *[strange] * 4)
    assert len(caught.value.waits) == 4  # type: ignore[attr-defined]


def test_tokens_that_cannot_be_used_end_it(provider: Provider) -> None:
    with pytest.raises(TokenResponseError):
        sign_in(provider, reply({"access_token": "two words"}))
    assert len(provider.sent_to("token")) == 1


def test_an_id_token_of_somebody_elses_ends_it(provider: Provider) -> None:
    provider.claims["aud"] = "another"
    with pytest.raises(IdentityError):
        sign_in(provider)


def test_a_fault_after_the_tokens_came_is_told_as_what_it_is(provider: Provider) -> None:
    # Polling on would end in invalid_grant: the code is used up.
    provider.next["jwks"].append(DEAD)
    with pytest.raises(TransportError, match="went dead"):
        sign_in(provider)
    assert len(provider.sent_to("token")) == 1


def test_without_its_endpoint_the_setting_is_named(provider: Provider) -> None:
    del provider.metadata["device_authorization_endpoint"]
    with pytest.raises(ConfigError, match="offers no device_authorization_endpoint") as caught:
        sign_in(provider)
    assert "oauth.device_authorization_endpoint" in caught.value.fix


def test_a_refresh_uses_the_refresh_token(provider: Provider) -> None:
    tokens, _waits = sign_in(provider)
    new = play(FLOW.refresh(context(provider), tokens), provider)
    assert new.access_token != tokens.access_token
    assert form(provider.sent_to("token")[-1])["grant_type"] == "refresh_token"


# What the person is shown


def test_googles_older_name_is_known(provider: Provider) -> None:
    person = Person()
    url = "https://www.google.com/device"
    sign_in(provider, asked=person, verification_uri=None, verification_url=url)
    assert person.asked[0].verification_uri == url


def test_this_machine_may_show_a_page_over_http(provider: Provider) -> None:
    person = Person()
    sign_in(provider, asked=person, verification_uri="http://127.0.0.1:9400/device")
    assert person.asked[0].verification_uri == "http://127.0.0.1:9400/device"


@pytest.mark.parametrize("member", ["verification_uri", "verification_uri_complete"])
@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)//id.example.com",
        "JavaScript:alert(1)",
        "data:text/html,<h1>",
        "http://id.example.com/device",
        "//id.example.com/device",
        "id.example.com/device",
        "https://",
        "https:///device",
        "https://[::1",
        "https://id.example.com/\njavascript:alert(1)",
        "https://id.example.com/ device",
        "https://id.example.com/\u202eecived",
        "ftp://id.example.com",
        7,
        ["https://id.example.com"],
    ],
)
def test_a_link_that_people_could_not_trust_is_refused(
    provider: Provider, member: str, address: object
) -> None:
    person = Person()
    with pytest.raises(ProviderError, match="no usable address"):
        sign_in(provider, asked=person, **{member: address})
    assert not person.asked


@pytest.mark.parametrize("member", ["verification_uri", "device_code", "user_code"])
@pytest.mark.parametrize("value", [None, "", 7, [], {}])
def test_what_is_needed_must_be_there(provider: Provider, member: str, value: object) -> None:
    person = Person()
    with pytest.raises(ProviderError):
        sign_in(provider, asked=person, **{member: value})
    assert not person.asked


def test_a_code_is_one_short_line(provider: Provider) -> None:
    person = Person()
    sign_in(provider, asked=person, user_code="AB\nCD\x1b[31m" + "E" * 500)
    code = person.asked[0].user_code
    assert code.isprintable()
    assert len(code) == 64


def test_a_refused_request_is_told(provider: Provider) -> None:
    provider.next["device"].append(reply({"error": "unauthorized_client"}, 400))
    with pytest.raises(InvalidClientError):
        play(FLOW.sign_in(context(provider)), provider)


# Anything else

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
) | st.sampled_from(list(GOOD.values()))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*GOOD, "error"], _VALUES)))
def test_any_answer_asks_the_person_or_is_one_kind_of_error(answer: dict[str, Any]) -> None:
    provider = Provider()
    steps = FLOW.sign_in(context(provider))
    next(steps)
    body = json.dumps(answer).encode()
    try:
        ask = steps.send(Response(200, {"content-type": "application/json"}, body, ISSUER))
    except PlatformAuthError:
        return
    assert isinstance(ask, Ask)
    assert isinstance(ask.challenge, DeviceChallenge)
    assert ask.challenge.verification_uri == answer.get("verification_uri")
    wait = steps.send(None)
    assert isinstance(wait, Wait)
    assert 0 < wait.seconds <= ask.challenge.expires_in


@given(st.binary() | _VALUES.map(lambda value: json.dumps(value).encode()), st.integers(200, 599))
def test_any_answer_to_a_poll_is_waited_on_or_ends_it(body: bytes, status: int) -> None:
    provider = Provider()
    steps = FLOW.sign_in(context(provider, now=NOW))
    next(steps)
    steps.send(reply(GOOD))
    steps.send(None)
    steps.send(None)
    try:
        step = steps.send(Response(status, {}, body, ISSUER))
    except PlatformAuthError:
        return
    assert isinstance(step, Wait)
