from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from fakes.play import CALLBACK, context, play
from fakes.provider import Provider, form, reply
from platform_auth.errors import (
    AccessDeniedError,
    CallbackError,
    IdentityError,
    InvalidGrantError,
    OAuthError,
    PlatformAuthError,
    TransportError,
)
from platform_auth.oauth.flows import get_flow
from platform_auth.oauth.flows.pkce import FLOW
from platform_auth.oauth.steps import Ask, AuthorizeChallenge
from platform_auth.oauth.tokens import TokenSet

Person = Callable[[Ask], str]


@pytest.fixture
def provider() -> Provider:
    return Provider()


def browser(provider: Provider, **changes: str | None) -> Person:
    def visit(ask: Ask) -> str:
        assert isinstance(ask.challenge, AuthorizeChallenge)
        return provider.authorize(ask.challenge.url, **changes)

    return visit


def sign_in(provider: Provider, person: Person | None = None, **changes: Any) -> TokenSet:
    return play(FLOW.sign_in(context(provider, **changes)), provider, person or browser(provider))


def test_what_it_is() -> None:
    assert get_flow("pkce") is FLOW
    assert (FLOW.name, FLOW.interactive, FLOW.redirects) == ("pkce", True, True)


def test_a_person_signs_in(provider: Provider) -> None:
    tokens = sign_in(provider)
    assert tokens.access_token.reveal() == "at-1-CANARY"
    assert tokens.refresh_token is not None
    assert tokens.identity is not None
    assert tokens.identity.label == "ada@example.com"
    assert tokens.scopes == ("openid", "offline_access")


def test_the_code_is_exchanged_once_with_its_verifier_and_exact_redirect_uri(
    provider: Provider,
) -> None:
    sign_in(provider)
    (request,) = provider.sent_to("token")
    sent = form(request)
    assert sent["redirect_uri"] == CALLBACK
    assert sent["client_id"] == "notebook"
    assert 43 <= len(sent["code_verifier"]) <= 128
    assert not request.replay


def test_a_lost_answer_to_the_exchange_is_not_asked_for_again(provider: Provider) -> None:
    provider.next["token"].append(TransportError("reset"))
    with pytest.raises(TransportError):
        sign_in(provider)
    assert len(provider.sent_to("token")) == 1


def test_a_denial_asks_for_no_token(provider: Provider) -> None:
    denied = browser(provider, code=None, error="access_denied")
    with pytest.raises(AccessDeniedError):
        sign_in(provider, denied)
    assert not provider.sent_to("token")


@pytest.mark.parametrize(
    "changes",
    [{"state": "other"}, {"state": None}, {"state": "other", "error": "access_denied"}],
)
def test_somebody_elses_answer_does_not_end_it(
    provider: Provider, changes: dict[str, str | None]
) -> None:
    problems = []

    def person(ask: Ask) -> str:
        problems.append(ask.problem)
        return browser(provider, **(changes if len(problems) < 4 else {}))(ask)

    assert sign_in(provider, person).access_token
    assert problems[0] is None
    assert [type(problem) for problem in problems[1:]] == [CallbackError] * 3
    assert len(provider.sent_to("token")) == 1


@pytest.mark.parametrize("changes", [{"iss": "https://evil.example"}, {"code": None}, {"code": ""}])
def test_a_wrong_answer_with_the_right_state_ends_it(
    provider: Provider, changes: dict[str, str | None]
) -> None:
    with pytest.raises(CallbackError):
        sign_in(provider, browser(provider, **changes))
    assert not provider.sent_to("token")


def test_a_state_that_appears_twice_ends_it_too(provider: Provider) -> None:
    def twice(ask: Ask) -> str:
        url = browser(provider)(ask)
        return f"{url}&state=other"

    with pytest.raises(CallbackError):
        sign_in(provider, twice)
    assert not provider.sent_to("token")


def test_a_provider_that_promised_to_name_itself_must(provider: Provider) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = True
    with pytest.raises(CallbackError):
        sign_in(provider, browser(provider, iss=None))
    assert not provider.sent_to("token")


def test_a_wrong_code(provider: Provider) -> None:
    with pytest.raises(InvalidGrantError):
        sign_in(provider, browser(provider, code="wrong"))


def test_nonce_of_another_request(provider: Provider) -> None:
    provider.claims["nonce"] = "other"
    with pytest.raises(IdentityError, match="does not hold"):
        sign_in(provider)


def test_without_openid_an_id_token_needs_no_nonce(provider: Provider) -> None:
    assert sign_in(provider, scopes=["api"]).identity is not None


def test_without_an_id_token_nobody_is_named(provider: Provider) -> None:
    provider.with_id_token = False
    assert sign_in(provider).identity is None


def test_an_error_at_the_token_endpoint_keeps_nothing(provider: Provider) -> None:
    provider.next["token"].append(reply({"error": "invalid_request", "access_token": "x"}, 200))
    with pytest.raises(OAuthError):
        sign_in(provider)


def test_a_refresh(provider: Provider) -> None:
    old = sign_in(provider)
    new = play(FLOW.refresh(context(provider), old), provider)
    assert new.access_token != old.access_token
    assert new.refresh_token != old.refresh_token
    assert new.identity == old.identity
    sent = form(provider.sent_to("token")[-1])
    assert old.refresh_token is not None
    assert sent == {
        "grant_type": "refresh_token",
        "refresh_token": old.refresh_token.reveal(),
        "client_id": "notebook",
    }


def test_there_is_no_refresh_without_a_refresh_token(provider: Provider) -> None:
    tokens = TokenSet(sign_in(provider).access_token, 300)
    before = len(provider.requests)
    with pytest.raises(InvalidGrantError, match="has ended") as caught:
        play(FLOW.refresh(context(provider), tokens), provider)
    assert "offline_access" in caught.value.fix
    assert len(provider.requests) == before


def test_errors_hold_no_secret(provider: Provider) -> None:
    """Not in their text, and not in the frames that a debugger or a crash report shows."""
    provider.next["token"].append(reply({"error": "invalid_request"}, 400))
    with pytest.raises(PlatformAuthError) as caught:
        sign_in(provider, client_credentials_secret="secret-CANARY")
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in report.stack if "platform_auth" in frame.filename]
    sent = form(provider.sent_to("token")[0])
    for secret in (sent["code"], sent["code_verifier"], "secret-CANARY"):
        assert secret not in str(caught.value)
        assert all(secret not in str(frame.locals) for frame in ours)
