from __future__ import annotations

from typing import Any

import pytest

from platform_auth.config import OAuthSettings
from platform_auth.errors import ConfigError
from platform_auth.secret import Secret

ENDPOINTS = [
    *("issuer", "redirect_uri", "authorization_endpoint", "token_endpoint", "revocation_endpoint"),
    *("device_authorization_endpoint", "end_session_endpoint", "userinfo_endpoint", "jwks_uri"),
]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_plain_http_is_accepted_for_this_machine_only(name: str) -> None:
    assert getattr(OAuthSettings(**{name: "http://127.0.0.1:9400/x"}), name)
    with pytest.raises(ConfigError, match=name):
        OAuthSettings(**{name: "http://id.example.com/x"})


def test_an_issuer_is_kept_letter_by_letter() -> None:
    assert OAuthSettings(issuer="https://id.example.com/").issuer == "https://id.example.com/"
    with pytest.raises(ConfigError, match="query"):
        OAuthSettings(issuer="https://id.example.com?tenant=1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redirect", "popup"),
        ("token_endpoint_auth_method", "client_secret_jwt"),
        ("authorization_metadata_key", "two words"),
        ("authorization_metadata_key", "x\r\ninjected"),
        ("resource", "https://api.example.com"),
        ("resource", ["api"]),
        ("resource", ["https://api.example.com#x"]),
        ("id_token_algorithms", ["none"]),
        ("id_token_algorithms", ["ES256", "None"]),
        ("id_token_algorithms", [1]),
        ("private_key", 1),
        ("private_key_file", " "),
        ("private_key_id", "two\nlines"),
        ("client_assertion_audience", "everybody"),
    ],
)
def test_what_cannot_be_used_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError):
        OAuthSettings(**{name: value})


def test_settings_are_hashable_and_lists_are_tuples() -> None:
    settings = OAuthSettings(resource=["https://api.example.com"], id_token_algorithms=["ES384"])
    assert hash(settings) == hash(
        OAuthSettings(resource=settings.resource, id_token_algorithms=("ES384",))
    )
    assert settings.resource == ("https://api.example.com",)


def test_a_header_name_is_lower_case_as_grpc_wants_it() -> None:
    settings = OAuthSettings(authorization_metadata_key="Flyte-Authorization")
    assert settings.authorization_metadata_key == "flyte-authorization"


def test_a_private_key_shows_nowhere() -> None:
    settings = OAuthSettings(private_key="CANARY")  # type: ignore[arg-type]
    assert "CANARY" not in f"{settings!r}{settings}{vars(settings)}"
    assert settings.signing_key() == Secret("CANARY")


def test_a_key_file_that_is_not_there_is_named_by_its_setting() -> None:
    with pytest.raises(ConfigError, match=r"oauth\.private_key_file names /no/such\.pem"):
        OAuthSettings(private_key_file="/no/such.pem").signing_key()


def test_its_repr_is_what_was_said() -> None:
    assert repr(OAuthSettings()) == "OAuthSettings()"
    settings = OAuthSettings(issuer="https://id.example.com", private_key="hunter2")
    assert repr(settings).startswith("OAuthSettings(issuer='https://id.example.com', private_key=")
    assert "hunter2" not in repr(settings)
