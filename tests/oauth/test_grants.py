from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fakes.play import context, play
from fakes.provider import ISSUER, Provider, form, reply, rsa_key
from platform_auth.errors import (
    ConfigError,
    IdentityError,
    InvalidGrantError,
    PlatformAuthError,
    ProviderError,
    SignInRequiredError,
    TokenResponseError,
    TransportError,
)
from platform_auth.oauth.grants import refresh_tokens, request_tokens, revoke
from platform_auth.oauth.identity import Identity
from platform_auth.oauth.steps import Response
from platform_auth.oauth.tokens import TokenSet
from platform_auth.secret import Secret


def old(provider: Provider, **changes: Any) -> TokenSet:
    """Return tokens to be refreshed."""
    provider.refresh_tokens.add("rt-0-CANARY")
    tokens = TokenSet(
        Secret("at-0"),
        300,
        refresh_token=Secret("rt-0-CANARY"),
        id_token=Secret("it-0"),
        identity=Identity(ISSUER, "ada", email="ada@example.com"),
    )
    return replace(tokens, **changes)


def refresh(provider: Provider, tokens: TokenSet | None = None, **changes: Any) -> TokenSet:
    steps = refresh_tokens(context(provider, **changes), tokens or old(provider))
    return play(steps, provider)


def test_refresh_token(provider: Provider) -> None:
    new = refresh(provider)
    assert new.access_token.reveal() == "at-1-CANARY"
    assert new.refresh_token == Secret("rt-1-CANARY")
    (request,) = provider.sent_to("token")
    assert request.replay


def test_tokens_are_read_once(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    read, json_object = [], Response.json_object

    def counted(response: Response) -> dict[str, Any]:
        read.append(b"access_token" in response.body)
        return json_object(response)

    monkeypatch.setattr(Response, "json_object", counted)
    refresh(provider)
    assert read.count(True) == 1


@pytest.mark.parametrize("name", ["error", "\\u0065rror"])
def test_a_refusal_that_calls_itself_a_success_repeats_no_secret(
    provider: Provider, name: str
) -> None:
    body = f'{{"{name}": "invalid_grant", "{name}_description": "rt-0-CANARY is over"}}'
    provider.next["token"].append(replace(reply({}), body=body.encode()))
    with pytest.raises(InvalidGrantError) as caught:
        refresh(provider)
    assert "is over" in caught.value.why
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"refresh_token": ""}, {"refresh_token": None}])
def test_an_answer_without_a_refresh_token_keeps_the_old_one(
    provider: Provider, given: dict[str, Any]
) -> None:
    provider.next["token"].append(reply({"access_token": "at", "expires_in": 60, **given}))
    assert refresh(provider).refresh_token == Secret("rt-0-CANARY")


def test_an_answer_without_an_id_token_keeps_who_it_was(provider: Provider) -> None:
    provider.with_id_token = False
    new = refresh(provider)
    assert new.identity == old(provider).identity
    assert new.id_token == Secret("it-0")


def test_an_answer_that_names_somebody_for_the_first_time(provider: Provider) -> None:
    assert refresh(provider, old(provider, identity=None)).identity is not None


@pytest.mark.parametrize(
    "claims",
    [{"sub": "grace"}, {"iss": "https://evil.example"}, {"aud": "other"}, {"sub": None}],
)
def test_refresh_token_invalid_sub_and_issuer(provider: Provider, claims: dict[str, Any]) -> None:
    """The whole answer is refused; nothing of it is used."""
    provider.claims |= claims
    with pytest.raises(IdentityError):
        refresh(provider)
    assert not provider.sent_to("userinfo")


def test_no_nonce_is_wanted_of_a_refresh(provider: Provider) -> None:
    provider.claims["nonce"] = "of the first sign-in"
    assert refresh(provider).identity is not None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"error": "invalid_grant"}, 400), InvalidGrantError),
        (reply({"error": "login_required"}, 400), SignInRequiredError),
        (reply({"error": "temporarily_unavailable"}, 400), TransportError),
        (reply({}, 503), TransportError),
        (reply({}, 200), TokenResponseError),
        (reply({"access_token": "at", "token_type": "mac"}), TokenResponseError),
        (reply({"access_token": "at", "expires_in": "abc"}), TokenResponseError),
        (reply([]), ProviderError),
        (reply("text"), ProviderError),
        (TransportError("reset"), TransportError),
    ],
)
def test_an_answer_that_is_no_good_is_a_typed_error(
    provider: Provider, answer: Any, kind: type[PlatformAuthError]
) -> None:
    provider.next["token"].append(answer)
    with pytest.raises(kind):
        refresh(provider)


@pytest.mark.parametrize(
    "answer", [TransportError("down"), reply({}, 503), reply({}, 404), reply({"keys": []})]
)
def test_keys_that_cannot_be_had_lose_no_rotated_refresh_token(
    provider: Provider, answer: Any
) -> None:
    provider.next["jwks"].extend([answer] * 2)
    new = refresh(provider)
    assert new.refresh_token is not None
    assert new.refresh_token.reveal() in provider.refresh_tokens
    assert new.identity is not None


@pytest.mark.parametrize("claims", [{"sub": "eve"}, {"iss": "https://evil.example"}, {"aud": "x"}])
def test_keys_that_cannot_be_had_excuse_nothing_else(
    provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    provider.next["jwks"].extend([TransportError("down")] * 2)
    with pytest.raises(IdentityError):
        refresh(provider)


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.W10.x", "eyJhbGciOiJub25lIn0.e30."])
def test_keys_that_cannot_be_had_make_no_token_of_what_is_none(
    provider: Provider, token: str
) -> None:
    provider.sign = lambda _claims: token
    provider.next["jwks"].extend([TransportError("down")] * 2)
    with pytest.raises(IdentityError):
        refresh(provider)


def test_without_an_identity_no_keys_are_fetched(provider: Provider) -> None:
    provider.with_id_token = False
    refresh(provider, old(provider, identity=None))
    assert not provider.sent_to("jwks")


def test_where_keys_are_not_published_nobody_is_named(provider: Provider) -> None:
    del provider.metadata["jwks_uri"]
    new = play(request_tokens(context(provider), "client_credentials"), provider)
    assert new.identity is None


def test_a_request_names_resources_and_leaves_out_what_is_empty(provider: Provider) -> None:
    resources = ["https://a.example", "https://b.example"]
    steps = request_tokens(
        context(provider, oauth={"resource": resources}), "password", a="", b=None, c=Secret("x")
    )
    request = next(steps)
    fields = parse_qsl(request.body, strict_parsing=True)
    assert fields == [
        ("grant_type", "password"),
        ("c", "x"),
        ("resource", resources[0]),
        ("resource", resources[1]),
        ("client_id", "notebook"),
    ]


def test_a_provider_without_a_token_endpoint(provider: Provider) -> None:
    del provider.metadata["token_endpoint"]
    with pytest.raises(ConfigError, match="token_endpoint"):
        refresh(provider)


class TestRevoke:
    def test_a_token(self, provider: Provider) -> None:
        play(revoke(context(provider), Secret("rt"), "refresh_token"), provider)
        (request,) = provider.sent_to("revoke")
        expected = {"token": "rt", "token_type_hint": "refresh_token", "client_id": "notebook"}
        assert form(request) == expected

    def test_where_it_is_not_offered(self, provider: Provider) -> None:
        del provider.metadata["revocation_endpoint"]
        play(revoke(context(provider), Secret("rt"), "refresh_token"), provider)
        assert not provider.requests

    def test_an_empty_answer_is_a_success(self, provider: Provider) -> None:
        provider.next["revoke"].append(replace(reply({}), body=b""))
        play(revoke(context(provider), Secret("rt"), "refresh_token"), provider)

    @pytest.mark.parametrize(
        "answer", [reply({"error": "unsupported_token_type"}, 400), reply({}, 503), reply({}, 404)]
    )
    def test_a_refusal_is_said(self, provider: Provider, answer: Any) -> None:
        provider.next["revoke"].append(answer)
        with pytest.raises(PlatformAuthError):
            play(revoke(context(provider), Secret("rt"), "refresh_token"), provider)


def test_a_key_that_rotates_with_the_refresh(provider: Provider) -> None:
    before = [rsa_key("old").as_dict(private=False)]
    provider.next["jwks"].append(reply({"keys": before}))
    assert refresh(provider).identity is not None
    assert [each.max_age for each in provider.sent_to("jwks")] == [86400, 60]
