"""Workloads that somebody else vouches for: a token in a file, exchanged or shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.play import context, play
from fakes.provider import CLIENT, form, reply
from platform_auth.errors import ConfigError, InvalidGrantError
from platform_auth.oauth.flows import get_flow

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.provider import Provider
    from platform_auth.oauth.tokens import TokenSet

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT = "urn:ietf:params:oauth:token-type:jwt"


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("header.of-the-pod-CANARY.signature\n")
    return path


def sign_in(provider: Provider, mounted: Path, flow: str, **changes: Any) -> TokenSet:
    provider.with_id_token = False
    oauth = {"flow": flow, "identity_token_file": str(mounted), **changes.pop("oauth", {})}
    usual = {"client_id": None, "scopes": ["api"], "audience": "https://api", "oauth": oauth}
    return play(get_flow(flow).sign_in(context(provider, **(usual | changes))), provider)


def test_what_the_file_holds_is_exchanged(provider: Provider, mounted: Path) -> None:
    tokens = sign_in(provider, mounted, "token_exchange")
    assert tokens.access_token.reveal() == "at-1-CANARY"
    assert tokens.refresh_token is None
    [request] = provider.sent_to("token")
    assert form(request) == {
        "grant_type": EXCHANGE,
        "subject_token": "header.of-the-pod-CANARY.signature",
        "subject_token_type": JWT,
        "scope": "api",
        "audience": "https://api",
    }
    assert "Authorization" not in request.headers


def test_the_types_of_both_tokens_can_be_named(provider: Provider, mounted: Path) -> None:
    access = "urn:ietf:params:oauth:token-type:access_token"
    types = {"subject_token_type": access, "requested_token_type": access}
    sign_in(provider, mounted, "token_exchange", oauth=types)
    sent = form(provider.sent_to("token")[0])
    assert (sent["subject_token_type"], sent["requested_token_type"]) == (access, access)


def test_what_the_file_holds_is_shown_as_the_grant(provider: Provider, mounted: Path) -> None:
    assert sign_in(provider, mounted, "jwt_bearer").refresh_token is None
    [request] = provider.sent_to("token")
    assert form(request) == {
        "grant_type": BEARER,
        "assertion": "header.of-the-pod-CANARY.signature",
        "scope": "api",
        "audience": "https://api",
    }


@pytest.mark.parametrize("flow", ["token_exchange", "jwt_bearer"])
def test_a_client_with_a_secret_authenticates_besides(
    provider: Provider, mounted: Path, flow: str
) -> None:
    sign_in(provider, mounted, flow, client_id=CLIENT, client_credentials_secret="s3cret")
    assert provider.sent_to("token")[0].headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("flow", ["token_exchange", "jwt_bearer"])
def test_a_refresh_reads_the_file_anew(provider: Provider, mounted: Path, flow: str) -> None:
    old = sign_in(provider, mounted, flow)
    mounted.write_text("rotated")
    oauth = {"flow": flow, "identity_token_file": str(mounted)}
    settings = context(provider, client_id=None, oauth=oauth)
    new = play(get_flow(flow).refresh(settings, old), provider)
    assert new.access_token != old.access_token
    sent = form(provider.sent_to("token")[1])
    assert "rotated" in {sent.get("subject_token"), sent.get("assertion")}


def test_the_file_stands_for_the_clients_own_assertion(provider: Provider, mounted: Path) -> None:
    mode = {"auth_mode": "ClientSecret", "client_id": CLIENT, "audience": None}
    sign_in(provider, mounted, "client_credentials", **mode)
    assert form(provider.sent_to("token")[0]) == {
        "grant_type": "client_credentials",
        "scope": "api",
        "client_id": CLIENT,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "header.of-the-pod-CANARY.signature",
    }


@pytest.mark.parametrize("flow", ["token_exchange", "jwt_bearer"])
def test_a_missing_file_is_named(provider: Provider, mounted: Path, flow: str) -> None:
    mounted.unlink()
    with pytest.raises(ConfigError, match=r"oauth\.identity_token_file names .*token"):
        sign_in(provider, mounted, flow)
    nothing = context(provider, client_id=None, oauth={"flow": flow})
    with pytest.raises(ConfigError, match="does not say who this workload is") as caught:
        play(get_flow(flow).sign_in(nothing), provider)
    assert "identity_token_file" in caught.value.fix
    assert provider.requests == []


def test_a_refusal_shows_nothing_of_the_file(provider: Provider, mounted: Path) -> None:
    words = "subject_token header.of-the-pod-CANARY.signature is expired"
    provider.next["token"].append(
        reply({"error": "invalid_grant", "error_description": words}, 400)
    )
    with pytest.raises(InvalidGrantError) as caught:
        sign_in(provider, mounted, "token_exchange")
    assert "CANARY" not in f"{caught.value} {caught.value.to_dict()}"
