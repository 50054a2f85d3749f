from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_auth.errors import TokenResponseError
from platform_auth.oauth.tokens import (
    DEFAULT_EXPIRES_IN,
    MAX_EXPIRES_IN,
    TokenSet,
    jwt_expiry,
    token_set,
)
from platform_auth.secret import Secret

NOW = 1_800_000_000
WHOLE = {"access_token": "at", "token_type": "Bearer", "expires_in": 300}


def checked(**members: Any) -> TokenSet:
    return token_set({"access_token": "at", **members}, asked=("openid",), now=NOW)


def jwt(claims: Any) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.sig"


def test_a_whole_response() -> None:
    tokens = checked(
        token_type="Bearer",
        expires_in=60,
        refresh_token="rt",
        id_token="it",
        scope="a b",
        more=[{}],
    )
    assert tokens.access_token.reveal() == "at"
    assert tokens.refresh_token == Secret("rt")
    assert tokens.id_token == Secret("it")
    assert (tokens.expires_in, tokens.token_type, tokens.scopes) == (60, "Bearer", ("a", "b"))


def test_it_shows_no_token() -> None:
    tokens = checked(access_token="CANARY", refresh_token="CANARY", id_token="CANARY")
    assert "CANARY" not in f"{tokens!r} {tokens}"


@pytest.mark.parametrize("value", [None, ""])
def test_without_an_access_token_there_is_nothing(value: str | None) -> None:
    with pytest.raises(TokenResponseError, match="access_token"):
        checked(access_token=value)


@pytest.mark.parametrize("member", ["access_token", "refresh_token", "id_token"])
@pytest.mark.parametrize(
    "value", ["a b", "a\r\nX-Evil: 1", "a\0b", "ä", "a\x7f", 5, ["a"], True, {"a": 1}, "x" * 70_000]
)
def test_a_token_fits_into_a_header_or_is_refused(member: str, value: Any) -> None:
    with pytest.raises(TokenResponseError, match=member) as caught:
        checked(**{member: value})
    assert "Evil" not in str(caught.value)


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_refresh_token_is_none(value: str | None) -> None:
    assert checked(refresh_token=value).refresh_token is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (3600, 3600),
        ("3600", 3600),
        (3599.5, 3599),
        ("3599.5", 3599),
        (10, 10),
        (10**30, MAX_EXPIRES_IN),
        ("1e30", MAX_EXPIRES_IN),
        (MAX_EXPIRES_IN + 1, MAX_EXPIRES_IN),
    ],
)
def test_a_lifetime_is_read_leniently_and_cut_to_what_is_sensible(value: Any, seconds: int) -> None:
    assert checked(expires_in=value).expires_in == seconds


@pytest.mark.parametrize(
    "value",
    [
        "abc", [], {}, [1], True, False, "", "NaN", "Infinity", "-inf",
        float("nan"), float("inf"), float("-inf"), 10**400, 0, -5, "0", 0.5,
    ],
)  # fmt: skip
def test_a_lifetime_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(TokenResponseError, match="expires_in"):
        checked(expires_in=value)


def test_a_missing_lifetime_is_a_short_one() -> None:
    assert checked().expires_in == DEFAULT_EXPIRES_IN


def test_a_missing_lifetime_is_looked_for_in_the_token_itself() -> None:
    assert checked(access_token=jwt({"exp": NOW + 90})).expires_in == 90


def test_a_token_that_says_it_has_expired_is_refused() -> None:
    with pytest.raises(TokenResponseError, match="expired"):
        checked(access_token=jwt({"exp": NOW - 1}))


@pytest.mark.parametrize("exp", ["soon", None, True, float("nan"), float("inf"), 10**400, [], "1"])
def test_an_unreadable_expiry_in_the_token_is_none(exp: Any) -> None:
    assert checked(access_token=jwt({"exp": exp})).expires_in == DEFAULT_EXPIRES_IN


@pytest.mark.parametrize("token", ["a.b", "a.b.c", "e30.W10.sig", "e30.%%%.sig", "..", "a.5.c"])
def test_a_token_that_only_looks_like_a_jwt_says_nothing(token: str) -> None:
    assert checked(access_token=token).expires_in == DEFAULT_EXPIRES_IN


@pytest.mark.parametrize("value", [None, "Bearer", "bearer", "bEARER"])
def test_bearer_in_any_case_or_by_default(value: str | None) -> None:
    assert checked(token_type=value).token_type == "Bearer"


@pytest.mark.parametrize("value", ["mac", "DPoP", "", 5, ["Bearer"], True])
def test_other_kinds_of_tokens_are_refused(value: Any) -> None:
    with pytest.raises(TokenResponseError, match="token_type"):
        checked(token_type=value)


@pytest.mark.parametrize(
    ("value", "scopes"),
    [
        ("a  b", ("a", "b")),
        (["a", "b"], ("a", "b")),
        (None, ("openid",)),
        (" ", ("openid",)),
        (5, ("openid",)),
        ([5], ("openid",)),
    ],
)
def test_scopes_as_granted_or_as_asked_for(value: Any, scopes: tuple[str, ...]) -> None:
    assert checked(scope=value).scopes == scopes


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
JSON = LEAF | st.lists(LEAF, max_size=3) | st.dictionaries(st.text(max_size=4), LEAF, max_size=2)
MEMBERS = ["access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope", "x"]


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON), st.booleans())
def test_any_response_is_tokens_or_one_kind_of_error(data: dict[str, Any], usual: bool) -> None:
    if usual:
        data = {"access_token": "at", "token_type": "Bearer", "expires_in": 60} | data
    try:
        tokens = token_set(data, now=NOW)
    except TokenResponseError as error:
        assert error.why  # noqa: PT017 - either way is right
    else:
        assert 0 < tokens.expires_in <= MAX_EXPIRES_IN
        assert tokens.access_token.reveal().isprintable()
        assert all(isinstance(scope, str) for scope in tokens.scopes)


@given(st.text(), st.text())
def test_any_token_may_look_like_a_jwt(one: str, other: str) -> None:
    token = Secret(f"{one}.{base64.urlsafe_b64encode(other.encode(errors='replace')).decode()}.x")
    assert jwt_expiry(token) is None or isinstance(jwt_expiry(token), float)


@pytest.mark.parametrize(
    ("asked", "data", "notices"),
    [
        ("api", {"scope": "api"}, []),
        ("api", {}, []),
        ("api admin", {"scope": "api"}, ["Not granted, though asked for: admin."]),
        ("api", {"scope": "api admin"}, ["Granted, though not asked for: admin."]),
        ("api", {"scope": ["api", "admin"]}, ["Granted, though not asked for: admin."]),
        ("a", {"scope": "b"}, ["Not granted, though asked for: a.", "Granted, though not asked"]),
        # Of no consequence at the platform, and left out or added without a word by many servers.
        ("openid email offline_access api", {"scope": "api"}, []),
        ("api", {"scope": "api openid profile"}, []),
        ("email", {"scope": "https://www.googleapis.com/auth/userinfo.email openid"}, []),
        ("api://x/.default", {"scope": "api://x/read api://x/write"}, []),
        ("api", {"expires_in": 10**30}, ["The token is said to live longer than 30 days; it is"]),
        ("api", {"expires_in": None}, ["Nothing says how long the token lives: 5 minutes"]),
    ],
)
def test_what_was_granted_otherwise_is_told(
    asked: str, data: dict[str, Any], notices: list[str]
) -> None:
    told = token_set({**WHOLE, **data}, asked=tuple(asked.split()), now=NOW).notices
    assert len(told) == len(notices)
    assert all(said.startswith(expected) for said, expected in zip(told, notices, strict=True))


def test_a_refresh_without_a_scope_keeps_what_was_granted() -> None:
    tokens = token_set({**WHOLE, "scope": None}, asked=("api", "admin"), granted=("api",), now=NOW)
    assert tokens.scopes == ("api",)
    assert tokens.notices == ("Not granted, though asked for: admin.",)


def test_a_notice_is_one_short_line_whatever_the_server_grants() -> None:
    scope = "\x1b[31mred " + " ".join(f"scope-{number}" for number in range(1000))
    [notice] = token_set({**WHOLE, "scope": scope}, asked=("scope-0",), now=NOW).notices
    assert notice.isprintable()
    assert len(notice) < 300


def test_what_a_server_grants_is_kept_up_to_a_thousand_scopes() -> None:
    tokens = token_set({**WHOLE, "scope": "a " * 100_000}, now=NOW)
    assert tokens.scopes == ("a",) * 1000
