from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from joserfc import jwt

from fakes.play import context, play
from fakes.provider import CLIENT, form, reply, rsa_key
from platform_auth.errors import ConfigError, InvalidClientError, OAuthError, TransportError
from platform_auth.oauth.flows import get_flow

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.provider import Provider
    from platform_auth.oauth.tokens import TokenSet

FLOW = get_flow("client_credentials")
REFUSED = reply({"error": "invalid_client"}, 401)


def sign_in(provider: Provider, **changes: Any) -> TokenSet:
    provider.with_id_token = False
    usual = {"auth_mode": "ClientSecret", "client_credentials_secret": "s3cret", "scopes": ["api"]}
    return play(FLOW.sign_in(context(provider, **(usual | changes))), provider)


def secrets_sent(provider: Provider) -> list[str]:
    headers = [each.headers["Authorization"] for each in provider.sent_to("token")]
    pairs = [base64.b64decode(each.removeprefix("Basic ")).decode() for each in headers]
    return [pair.partition(":")[2] for pair in pairs]


def test_a_service_signs_in_as_itself(provider: Provider) -> None:
    assert not FLOW.interactive
    tokens = sign_in(provider)
    assert tokens.access_token.reveal() == "at-1-CANARY"
    [request] = provider.sent_to("token")
    assert form(request) == {"grant_type": "client_credentials", "scope": "api"}
    assert request.replay
    assert secrets_sent(provider) == ["s3cret"]


def test_scopes_audience_and_resources_are_asked_for(provider: Provider) -> None:
    resources = ["https://a.example/x", "https://b.example"]
    asked = context(
        provider,
        auth_mode="ClientSecret",
        client_credentials_secret="s3cret",
        scopes=["a", "b"],
        audience="https://api",
        oauth={"resource": resources},
    )
    fields = parse_qs(next(FLOW.sign_in(asked)).body)
    assert fields["scope"] == ["a b"]
    assert fields["audience"] == ["https://api"]
    assert fields["resource"] == resources


def test_nothing_is_asked_for_that_the_profile_does_not_name(provider: Provider) -> None:
    sign_in(provider, scopes=[])
    assert form(provider.sent_to("token")[0]) == {"grant_type": "client_credentials"}


def test_a_refresh_token_is_not_kept(provider: Provider) -> None:
    provider.next["token"].append(reply(provider.tokens()))
    assert sign_in(provider).refresh_token is None


def test_a_refresh_asks_again(provider: Provider) -> None:
    old = sign_in(provider)
    settings = context(provider, auth_mode="ClientSecret", client_credentials_secret="s3cret")
    new = play(FLOW.refresh(settings, old), provider)
    assert new.access_token != old.access_token
    assert [form(each)["grant_type"] for each in provider.sent_to("token")] == [
        "client_credentials",
        "client_credentials",
    ]


# Secrets that rotate


def test_a_secret_in_a_file_is_read_anew_each_time(provider: Provider, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    for secret in ("first", "second\n"):
        path.write_text(secret)
        sign_in(provider, client_credentials_secret=None, client_secret_file=str(path))
    assert secrets_sent(provider) == ["first", "second"]


def test_a_secret_in_the_environment_is_found(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_SECRET", "from-ci")
    sign_in(provider, client_credentials_secret=None, client_secret_env_var="CI_SECRET")
    assert secrets_sent(provider) == ["from-ci"]


def test_a_secret_that_rotates_while_it_is_sent_is_sent_once_more(
    provider: Provider, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    steps = FLOW.sign_in(context(provider, auth_mode="ClientSecret", client_secret_file=str(path)))
    request = next(steps)
    provider.handle(request)
    path.write_text("new")
    provider.requests.append(steps.send(REFUSED))
    assert secrets_sent(provider) == ["old", "new"]
    with pytest.raises(InvalidClientError):
        steps.send(REFUSED)  # and no third time


@pytest.mark.parametrize("status", [400, 401])
def test_a_secret_that_is_simply_wrong_is_sent_once(provider: Provider, status: int) -> None:
    provider.next["token"].append(reply({"error": "invalid_client"}, status))
    with pytest.raises(InvalidClientError) as caught:
        sign_in(provider)
    assert "secret" in caught.value.fix
    assert len(provider.sent_to("token")) == 1


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
def test_a_refusal_of_the_client_says_what_the_server_would_take(
    provider: Provider, code: str
) -> None:
    offered = ["client_secret_post", "client_secret_basic", "private_key_jwt\x1b[31m"]
    provider.metadata["token_endpoint_auth_methods_supported"] = offered
    provider.next["token"].append(reply({"error": code}, 401))
    with pytest.raises(InvalidClientError) as caught:
        sign_in(provider)
    assert "It takes client_secret_post, client_secret_basic, private_key_jwt" in caught.value.fix
    assert "client_secret_basic was used" in caught.value.fix
    assert caught.value.fix.isprintable()


def test_another_refusal_sends_no_rotated_secret(provider: Provider, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    steps = FLOW.sign_in(context(provider, auth_mode="ClientSecret", client_secret_file=str(path)))
    next(steps)
    path.write_text("new")
    with pytest.raises(OAuthError):
        steps.send(reply({"error": "invalid_scope"}, 400))


def test_a_secret_that_is_gone_is_an_error_that_names_its_place(
    provider: Provider, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="clientSecretLocation"):
        sign_in(provider, client_credentials_secret=None, client_secret_file=str(tmp_path / "no"))
    with pytest.raises(ConfigError, match="NOT_SET"):
        sign_in(provider, client_credentials_secret=None, client_secret_env_var="NOT_SET")
    assert not provider.requests


# Keys


def keyed(provider: Provider, path: Path) -> TokenSet:
    return sign_in(provider, client_credentials_secret=None, oauth={"private_key_file": str(path)})


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "client.pem"
    path.write_bytes(rsa_key("client").as_pem(private=True))
    return path


def assertions(provider: Provider) -> list[dict[str, Any]]:
    texts = [form(each)["client_assertion"] for each in provider.sent_to("token")]
    return [jwt.decode(text, rsa_key("client"), algorithms=["RS256"]).claims for text in texts]


def test_a_key_serves_in_place_of_a_secret(provider: Provider, key_file: Path) -> None:
    assert keyed(provider, key_file).access_token
    [claims] = assertions(provider)
    assert claims["sub"] == CLIENT


def test_after_a_fault_an_assertion_is_made_anew(provider: Provider, key_file: Path) -> None:
    provider.next["token"].append(TransportError("the line went dead"))
    assert keyed(provider, key_file).access_token
    first, second = assertions(provider)
    assert first["jti"] != second["jti"]


def test_two_faults_are_told(provider: Provider, key_file: Path) -> None:
    provider.next["token"].extend([TransportError("dead"), TransportError("still dead")])
    with pytest.raises(TransportError, match="still dead"):
        keyed(provider, key_file)


def test_a_fault_with_a_secret_is_left_to_the_transport(provider: Provider) -> None:
    provider.next["token"].append(TransportError("the line went dead"))
    with pytest.raises(TransportError):
        sign_in(provider)
    assert len(provider.sent_to("token")) == 1
