from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.provider import reply
from platform_auth import errors
from platform_auth.oauth.responses import oauth_error, oauth_json, plain, retry_after
from platform_auth.oauth.steps import Response


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        ("access_denied", errors.AccessDeniedError, False),
        ("invalid_grant", errors.InvalidGrantError, False),
        ("invalid_client", errors.InvalidClientError, False),
        ("unauthorized_client", errors.InvalidClientError, False),
        ("invalid_scope", errors.OAuthError, False),
        ("invalid_target", errors.OAuthError, False),
        ("invalid_request", errors.OAuthError, False),
        ("unsupported_grant_type", errors.OAuthError, False),
        ("something_new", errors.OAuthError, False),
        ("temporarily_unavailable", errors.TransportError, True),
        ("server_error", errors.TransportError, True),
        ("slow_down", errors.TransportError, True),
        ("interaction_required", errors.SignInRequiredError, False),
        ("login_required", errors.SignInRequiredError, False),
        ("consent_required", errors.SignInRequiredError, False),
        ("account_selection_required", errors.SignInRequiredError, False),
        ("expired_token", errors.SignInExpiredError, False),
    ],
)
def test_each_error_code_has_a_kind_a_reason_and_a_way_out(
    code: str, kind: type[errors.PlatformAuthError], retryable: bool
) -> None:
    error = oauth_error({"error": code, "error_description": "because of this"})
    assert type(error) is kind
    assert (error.oauth_code, error.retryable) == (code, retryable)
    assert code in error.why
    assert "because of this" in error.why
    assert error.fix


@pytest.mark.parametrize("code", [None, "", 5, [], {}])
def test_an_error_without_a_code_is_malformed(code: Any) -> None:
    error = oauth_error({"error": code})
    assert type(error) is errors.ProviderError


def test_a_description_is_cut_and_cleaned() -> None:
    error = oauth_error({"error": "invalid_request", "error_description": "\x1b[31m<b>\r\n" * 5000})
    assert len(error.why) < 400
    assert not set(error.why) & set("\x1b\r\n")


@pytest.mark.parametrize("description", [5, ["a"], {"a": 1}, None, "\ud800", "\u202eevil"])
def test_a_description_of_any_kind_can_be_shown(description: Any) -> None:
    why = oauth_error({"error": "invalid_request", "error_description": description}).why
    assert why.encode()
    assert "\u202e" not in why


def test_plain_text_is_one_short_line() -> None:
    assert plain("a\r\n\tb\x00\x9b\u2028c") == "a b c"
    assert plain("x" * 400) == "x" * 299 + "…"
    assert plain(None) == "None"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7), ("0", 0), ("1.5", 1.5), ("1000000000", 300), ("inf", 300), ("-5", None),
        ("nan", None), ("soon", None), ("", None), ("Mon, 99 Foo 2026", None),
        ("Mon, 01 Jan 0001 00:00:00 -0000", None), ("Fri, 31 Dec 9999 23:59:59 GMT", 300),
    ],
)  # fmt: skip
def test_retry_after_in_seconds_within_reason(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds


def test_retry_after_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after({"retry-after": later}) == pytest.approx(60, abs=5)


def test_no_retry_after() -> None:
    assert retry_after({}) is None


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
def test_a_server_that_says_later_is_a_passing_fault(status: int) -> None:
    page = Response(
        status, {"content-type": "text/html", "retry-after": "7"}, b"<h1>CANARY", "https://id/t"
    )
    with pytest.raises(errors.TransportError) as caught:
        oauth_json(page)
    assert caught.value.retryable
    assert caught.value.retry_after == 7
    assert str(status) in caught.value.why
    assert "text/html" in caught.value.why
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_an_error_code_counts_whatever_the_status(status: int) -> None:
    with pytest.raises(errors.InvalidGrantError):
        oauth_json(reply({"error": "invalid_grant", "access_token": "x"}, status))


@pytest.mark.parametrize("data", [{"error": None}, {"error": None, "access_token": "x"}])
def test_an_error_that_is_null_is_no_success(data: dict[str, Any]) -> None:
    with pytest.raises(errors.ProviderError, match="without naming it"):
        oauth_json(reply(data))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://evil.example/t?x=CANARY", "https://evil.example"),
        ("/login?x=CANARY", "another path"),
        ("", "another path"),
    ],
)
def test_a_redirect_is_refused_and_both_ends_are_named(
    status: int, location: str, shown: str
) -> None:
    answer = Response(status, {"location": location}, b"{}", "https://id.example.com/token")
    with pytest.raises(errors.ProviderError, match="not followed") as caught:
        oauth_json(answer)
    assert "https://id.example.com redirects" in caught.value.what
    assert shown in caught.value.what
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 404, 405, 100, 199])
def test_a_failure_without_a_code_is_a_failure(status: int) -> None:
    with pytest.raises(errors.ProviderError, match=str(status)):
        oauth_json(reply({"access_token": "x"}, status))


def test_a_success_is_returned_with_members_nobody_knows() -> None:
    assert oauth_json(reply({"a": 1, "b": {"c": [None]}}, 201)) == {"a": 1, "b": {"c": [None]}}


@given(
    body=st.binary() | st.text().map(str.encode),
    status=st.integers(100, 599),
    kind=st.sampled_from(["application/json", "text/html", "", "x" * 1000]),
)
def test_any_answer_is_an_object_or_an_error_of_ours(body: bytes, status: int, kind: str) -> None:
    answer = Response(status, {"content-type": kind}, body, "https://id.example.com/t")
    try:
        data = oauth_json(answer)
    except errors.PlatformAuthError as error:
        assert str(error).encode()  # noqa: PT017 - either way is right
    else:
        assert isinstance(data, dict)


@given(st.text())
def test_any_retry_after_is_a_pause_within_reason_or_none(value: str) -> None:
    seconds = retry_after({"retry-after": value})
    assert seconds is None or 0 <= seconds <= 300


def test_what_a_server_will_never_do_is_not_put_off() -> None:
    with pytest.raises(errors.ProviderError) as caught:  # RFC 9110 §15.6.2
        oauth_json(Response(501, {"content-type": "text/plain"}, b"not implemented", "https://id"))
    assert not caught.value.retryable
