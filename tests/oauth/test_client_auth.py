from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import pytest

from fakes.provider import CLIENT, ISSUER, config, form
from platform_auth.errors import ConfigError
from platform_auth.oauth.client_auth import authenticated, client_id
from platform_auth.oauth.metadata import ServerMetadata

if TYPE_CHECKING:
    from platform_auth.oauth.steps import Request

TOKEN = f"{ISSUER}/token"


def sent(methods: tuple[str, ...] = (), **changes: Any) -> Request:
    metadata = ServerMetadata(issuer=ISSUER, token_endpoint_auth_methods_supported=methods)
    return authenticated(config(**changes), metadata, TOKEN, "grant_type=x")


def basic(request: Request) -> tuple[str, str]:
    scheme, _, pair = request.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    user, _, password = base64.b64decode(pair).decode("ascii").partition(":")
    return unquote_plus(user), unquote_plus(password)


def test_a_public_client_says_who_it_is_and_nothing_else() -> None:
    request = sent()
    assert form(request) == {"grant_type": "x", "client_id": CLIENT}
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("methods", [(), ("client_secret_basic",)])
def test_a_secret_goes_into_the_header_by_default(methods: tuple[str, ...]) -> None:
    request = sent(methods, client_credentials_secret="CANARY")
    assert basic(request) == (CLIENT, "CANARY")
    assert form(request) == {"grant_type": "x"}


def test_both_offered_means_the_header() -> None:
    request = sent(
        ("client_secret_post", "client_secret_basic"), client_credentials_secret="CANARY"
    )
    assert basic(request) == (CLIENT, "CANARY")


def test_a_secret_goes_into_the_body_where_only_that_is_offered() -> None:
    request = sent(("client_secret_post", "private_key_jwt"), client_credentials_secret="CANARY")
    expected = {"grant_type": "x", "client_id": CLIENT, "client_secret": "CANARY"}
    assert form(request) == expected
    assert "Authorization" not in request.headers


def test_the_profile_decides_where_it_says_so() -> None:
    request = sent(
        ("client_secret_basic",),
        client_credentials_secret="CANARY",
        oauth={"token_endpoint_auth_method": "client_secret_post"},
    )
    assert form(request)["client_secret"] == "CANARY"
    assert "Authorization" not in request.headers


def test_none_sends_no_secret_though_there_is_one() -> None:
    request = sent(client_credentials_secret="CANARY", oauth={"token_endpoint_auth_method": "none"})
    assert "CANARY" not in request.body + str(dict(request.headers))


@pytest.mark.parametrize("secret", ["€", "a:b%c+d", "a b", "ä&=", "x" * 500])
def test_both_halves_are_form_encoded_first(secret: str) -> None:
    request = sent(client_credentials_secret=secret, client_id="me:€")
    assert basic(request) == ("me:€", secret)


def test_the_answer_wanted_is_json_and_not_kept_anywhere() -> None:
    headers = sent().headers
    assert headers["Accept"] == "application/json"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Cache-Control"] == "no-store"


def test_the_request_shows_no_secret() -> None:
    request = sent(client_credentials_secret="CANARY")
    assert "CANARY" not in repr(request)
    assert request.headers["Authorization"] not in repr(request)


@pytest.mark.parametrize("url", ["http://id.example.com/token", "ftp://id.example.com", "http://["])
def test_nothing_goes_out_in_clear(url: str) -> None:
    with pytest.raises(ConfigError, match="not sent"):
        authenticated(config(), ServerMetadata(), url, "")


def test_this_machine_may_speak_plain_http() -> None:
    assert authenticated(config(), ServerMetadata(), "http://127.0.0.1:9/t", "").url


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_method_that_needs_a_secret_says_so(method: str) -> None:
    with pytest.raises(ConfigError, match="needs a client secret"):
        sent(oauth={"token_endpoint_auth_method": method})


def test_a_method_not_known_here_is_named() -> None:
    with pytest.raises(ConfigError, match="private_key_jwt"):
        sent(
            client_credentials_secret="s",
            oauth={"token_endpoint_auth_method": "private_key_jwt"},
        )


def test_a_client_needs_a_name() -> None:
    with pytest.raises(ConfigError, match="no client id") as caught:
        client_id(config(client_id=None))
    assert "clientId" in caught.value.fix
