"""The Hub's own login: the access token in ``auth_state``."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from fakes.play import context
from fakes.provider import NOW
from platform_auth.errors import ProviderError, TokenResponseError
from platform_auth.oauth.flows import get_flow
from platform_auth.oauth.steps import AskHub

if TYPE_CHECKING:
    from fakes.provider import Provider
    from platform_auth.oauth.tokens import TokenSet

FLOW = get_flow("hub")


def jwt(exp: float) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": exp}).encode()).decode().rstrip("=")
    return f"e30.{payload}.CANARY"


def answered(provider: Provider, model: dict[str, Any]) -> TokenSet:
    steps = FLOW.sign_in(context(provider, oauth={"flow": "hub"}))
    assert isinstance(next(steps), AskHub)
    try:
        steps.send(model)
    except StopIteration as end:
        tokens: TokenSet = end.value
        return tokens
    raise AssertionError("it asks for more than the Hub's answer")


def test_the_hubs_token_is_taken_for_as_long_as_it_says(provider: Provider) -> None:
    model = {"name": "ada", "auth_state": {"access_token": jwt(NOW + 900), "refresh_token": "rt"}}
    tokens = answered(provider, model)
    assert (tokens.expires_in, tokens.refresh_token) == (900, None)
    assert tokens.identity is not None
    assert tokens.identity.label == "ada"
    assert not FLOW.interactive


def test_a_token_that_does_not_say_is_asked_for_again_in_five_minutes(provider: Provider) -> None:
    tokens = answered(provider, {"name": "ada", "auth_state": {"access_token": "opaque"}})
    assert (tokens.expires_in, tokens.notices) == (300, ())


@pytest.mark.parametrize("state", [None, {}, {"access_token": ""}, {"access_token": None}])
def test_what_the_administrator_must_set_is_said(provider: Provider, state: object) -> None:
    with pytest.raises(ProviderError, match="no access token of your login") as caught:
        answered(provider, {"name": "ada", "auth_state": state})
    assert "admin:auth_state!user" in caught.value.fix
    assert caught.value.retry_after == 10


def test_a_token_that_the_hub_has_not_renewed_is_not_handed_on(provider: Provider) -> None:
    with pytest.raises(TokenResponseError, match="Hub login cannot be used") as caught:
        answered(provider, {"auth_state": {"access_token": jwt(NOW - 5)}})
    assert "refresh_user" in caught.value.fix
    assert "CANARY" not in str(caught.value.to_dict())
