"""What commands print, and what is made of it."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_auth.config import PlatformConfig
from platform_auth.errors import ConfigError, ProviderError, TokenResponseError
from platform_auth.oauth.context import FlowContext
from platform_auth.oauth.flows import get_flow
from platform_auth.oauth.flows.command import FAILURE_AGE, TIMEOUT, parse_output
from platform_auth.oauth.metadata import ServerMetadata
from platform_auth.oauth.steps import Run
from platform_auth.oauth.tokens import DEFAULT_EXPIRES_IN, TokenSet

if TYPE_CHECKING:
    from collections.abc import Generator

NOW = 1_764_000_000.0  # 2025-11-24T16:00:00Z
IN_AN_HOUR = "2025-11-24T17:00:00Z"
CANARY = "printed-secret-Zq7"


def exec_credential(**status: Any) -> dict[str, Any]:
    version = "client.authentication.k8s.io/v1"
    return {"apiVersion": version, "kind": "ExecCredential", "status": status}


def jwt(**claims: Any) -> str:
    parts = (json.dumps(each).encode() for each in ({"alg": "none"}, claims))
    encoded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2ln"])


def read(output: str | dict[str, Any]) -> tuple[str, float]:
    text = output if isinstance(output, str) else json.dumps(output)
    tokens = parse_output(text, now=NOW)
    return tokens.access_token.reveal(), tokens.expires_in


def refused(output: str | dict[str, Any]) -> TokenResponseError:
    with pytest.raises(TokenResponseError) as caught:
        read(output)
    assert caught.value.fix
    assert CANARY not in f"{caught.value!s}{caught.value.__cause__!r}{caught.value.__context__!r}"
    return caught.value


# A bare token


@pytest.mark.parametrize(
    "around", ["{}", "{}\n", "\r\n  {}\r\n\n", "\ufeff{}\n", "\x1b[0m{}\x1b[m"]
)
def test_a_bare_token_may_have_blanks_and_colours_around_it(around: str) -> None:
    assert read(around.format("the-token")) == ("the-token", DEFAULT_EXPIRES_IN)


def test_a_jwt_lives_as_long_as_it_says() -> None:
    token = jwt(exp=NOW + 1234)
    assert read(token) == (token, 1234)
    assert read({"token": token}) == (token, 1234)


def test_a_jwt_that_has_expired_is_not_used() -> None:
    assert "expired" in refused(jwt(exp=NOW - 1, jti=CANARY)).why


@pytest.mark.parametrize("output", ["", " \n", "\ufeff", "\x1b[0m\n"])
def test_nothing_is_no_token(output: str) -> None:
    assert refused(output).what == "The command printed nothing."


@pytest.mark.parametrize(
    "output", [f"Welcome!\n{CANARY}", f"{CANARY}\0", f"{CANARY}é", f'"{CANARY}"\n"x"']
)
def test_words_around_a_bare_token_are_not_guessed_away(output: str) -> None:
    error = refused(output)
    assert error.what == "The command's output cannot be used (the token)."
    assert error.why.startswith("the token: ")


# JSON


@pytest.mark.parametrize(
    ("output", "seconds"),
    [
        (exec_credential(token="t", expirationTimestamp=IN_AN_HOUR), 3600),
        (exec_credential(token="t", expirationTimestamp=None), DEFAULT_EXPIRES_IN),
        (exec_credential(token="t"), DEFAULT_EXPIRES_IN),
        ({"access_token": "t", "expires_in": 3600, "token_type": "bearer"}, 3600),
        ({"access_token": "t", "expires_in": "3600"}, 3600),
        ({"access_token": "t", "expires_at": NOW + 3600}, 3600),
        ({"access_token": "t", "expires_at": str(int(NOW) + 3600)}, 3600),
        ({"access_token": "t", "expires_at": (NOW + 3600) * 1000}, 3600),
        ({"access_token": "t", "expires_in": 9, "expires_at": NOW + 3600}, 3600),
        ({"access_token": "t", "expiry": "2025-11-24T18:00:00.123456789+01:00"}, 3600),
        ({"accessToken": "t", "expires_on": NOW + 3600, "tokenType": "Bearer"}, 3600),
        ({"Version": 1, "AccessToken": "t", "Expiration": IN_AN_HOUR}, 3600),
        ({"Token": "t", "Expiration": IN_AN_HOUR}, 3600),
        ({"access_token": "t", "unknown": [{"nested": "{"}], "expires_in": 60}, 60),
    ],
)
def test_the_three_shapes_and_their_relatives(output: dict[str, Any], seconds: float) -> None:
    assert read(output) == ("t", seconds)
    assert read(json.dumps(output, indent=2)) == ("t", seconds)


def test_a_refresh_token_and_an_id_token_stay_with_the_command() -> None:
    data = {"access_token": "t", "refresh_token": CANARY, "id_token": CANARY, "scope": "a b"}
    tokens = parse_output(json.dumps(data), now=NOW)
    assert tokens.refresh_token is None
    assert tokens.id_token is None
    assert tokens.scopes == ("a", "b")


@pytest.mark.parametrize(
    "output",
    [
        'Warning: {old} settings\n{"token": "t"}\n',
        '\x1b[33mhint:\x1b[0m use --quiet\r\n  {"token": "t"} \r\n\r\nbye',
        '{"token": "first"}\n{"token": "t"}',
        '{broken\n{"token": "t"}',
        'Token: {"token": "t"}',
        '{"level": "info"}\n{\n  "token": "t",\n  "more": {"x": 1}\n}\ntrailing } garbage {',
    ],
)
def test_banners_and_garbage_are_told_from_the_last_object(
    output: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(output)[0] == "t"
    clean = output.startswith('{"')
    assert clean or "more than its token" in caplog.text


@pytest.mark.parametrize(
    ("output", "member", "why"),
    [
        (exec_credential(), "status.token", "missing"),
        (exec_credential(token=""), "status.token", "missing"),
        (exec_credential(token=7), "status.token", "not a string"),
        (exec_credential(token=CANARY + "\n"), "status.token", "blanks"),
        (exec_credential(token=CANARY, expirationTimestamp="soon"), "status.expirationTimestamp",
         "RFC 3339"),
        ({"kind": "ExecCredential", "status": {"token": CANARY}}, "apiVersion", "v1"),
        (exec_credential() | {"apiVersion": "v1"}, "apiVersion", "v1"),
        (exec_credential() | {"status": None}, "status", "token in it"),
        ({"Version": 2, "AccessToken": CANARY}, "Version", "only 1"),
        ({"AccessToken": CANARY, "Expiration": "2025-11-24T15:00:00Z"}, "Expiration", "expired"),
        ({"AccessToken": CANARY, "Expiration": "2025-11-24T17:00:00"}, "Expiration", "time zone"),
        ({"AccessToken": CANARY, "Expiration": ""}, "Expiration", "RFC 3339"),
        ({"AccessToken": CANARY, "Expiration": True}, "Expiration", "point in time"),
        ({"AccessToken": CANARY, "Expiration": [1]}, "Expiration", "point in time"),
        ({"AccessToken": CANARY, "Expiration": 10**400}, "Expiration", "RFC 3339"),
        ({"AccessToken": CANARY, "Expiration": float("nan")}, "Expiration", "RFC 3339"),
        ({"AccessToken": CANARY, "Expiration": "0001-01-01T00:00:00+23:59"}, "Expiration", ""),
        ({"access_token": CANARY, "expires_in": 0}, "expires_in", "expired"),
        ({"access_token": CANARY, "expires_in": "soon"}, "expires_in", "number"),
        ({"access_token": CANARY, "token_type": "mac"}, "token_type", "Bearer"),
        ({"id_token": CANARY}, "access_token", "missing"),
        ({}, "access_token", "missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_the_commands_own_word(
    output: dict[str, Any], member: str, why: str
) -> None:
    error = refused(output)
    assert error.what == f"The command's output cannot be used ({member})."
    assert why in error.why


@pytest.mark.parametrize(
    "output",
    [
        f'{{"access_token": "{CANARY}"',
        f'{{"kind": "ExecCredential", "status": {{"token": "{CANARY}"}}',
        f"token {{{CANARY}}}",
        "{" * 100_000,
        '{"a":' * 100_000,
        '{"a":\n' * 100_000,
        "[" * 100_000 + "{",
    ],
)
def test_what_is_cut_off_is_no_token(output: str) -> None:
    began = time.perf_counter()
    assert refused(output).what == "The command's output is neither a token nor JSON."
    assert time.perf_counter() - began < 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["access_token", "AccessToken", "token", "expires_in", "expires_at", "Expiration",
                 "kind", "status", "apiVersion", "Version", "token_type", "scope"]
            ) | st.text(),
            inner | st.sampled_from(["ExecCredential", "client.authentication.k8s.io/v1", CANARY]),
            max_size=5,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.text() | _JSON.map(json.dumps) | _JSON.map(lambda data: f"banner {{\n{json.dumps(data)}"))
def test_any_output_is_a_token_or_one_kind_of_error(output: str) -> None:
    try:
        tokens = parse_output(output, now=NOW)
    except TokenResponseError as error:
        assert CANARY not in str(error)  # noqa: PT017 - either way must hold
    else:
        assert isinstance(tokens, TokenSet)
        assert tokens.expires_in > 0


# The flow


def context(**settings: Any) -> FlowContext:
    config = PlatformConfig("platform.example", auth_mode="ExternalCommand", **settings)
    return FlowContext(config, ServerMetadata(), lambda: NOW)


def begin(steps: Generator[Any, Any, TokenSet]) -> Any:
    return next(steps)


def finish(steps: Generator[Any, Any, TokenSet], answer: str) -> TokenSet:
    with pytest.raises(StopIteration) as end:
        steps.send(answer)
    tokens: TokenSet = end.value.value
    return tokens


def test_the_flow_runs_the_command_and_nobody_is_asked() -> None:
    flow = get_flow("command")
    assert not flow.interactive
    steps = flow.sign_in(context(command=["get-token", "--fast"]))
    assert begin(steps) == Run(("get-token", "--fast"), TIMEOUT)
    assert finish(steps, "the-token\n").access_token.reveal() == "the-token"


def test_a_refresh_runs_it_again() -> None:
    flow = get_flow("command")
    old = parse_output("old", now=NOW)
    steps = flow.refresh(context(command=["get-token"]), old)
    assert begin(steps) == Run(("get-token",), TIMEOUT)
    assert finish(steps, "new").access_token.reveal() == "new"


def test_without_a_command_the_setting_is_named() -> None:
    with pytest.raises(ConfigError, match=r"platform\.example names no command") as caught:
        begin(get_flow("command").sign_in(context()))
    assert "admin.command" in caught.value.fix


def test_a_failure_lasts_for_a_while_whoever_asks() -> None:
    steps = get_flow("command").sign_in(context(command=["get-token"]))
    begin(steps)
    with pytest.raises(ProviderError) as caught:
        steps.throw(ProviderError("The command get-token failed (1)."))
    assert caught.value.retry_after == FAILURE_AGE
    steps = get_flow("command").sign_in(context(command=["get-token"]))
    begin(steps)
    with pytest.raises(TokenResponseError) as garbled:
        steps.send("")
    assert garbled.value.retry_after == FAILURE_AGE


def test_arguments_show_nowhere() -> None:
    steps = get_flow("command").sign_in(context(command=["get-token", CANARY]))
    assert CANARY not in repr(begin(steps))
