from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_auth.config import OAuthSettings
from platform_auth.errors import ConfigError, DiscoveryError
from platform_auth.oauth.metadata import (
    ServerMetadata,
    from_document,
    is_loopback,
    is_secure,
    with_settings,
)

ISSUER = "https://id.example.com"
TOKEN = f"{ISSUER}/token"


def document(**changes: Any) -> dict[str, Any]:
    return {"issuer": ISSUER, "token_endpoint": TOKEN, **changes}


def test_what_a_document_says() -> None:
    found = from_document(
        document(
            jwks_uri="https://keys.example.net/jwks",
            authorization_response_iss_parameter_supported=True,
            token_endpoint_auth_methods_supported=["none", 5, "client_secret_post"],
            id_token_signing_alg_values_supported="RS256",
            more={"a": [1]},
        ),
        issuer=ISSUER,
    )
    assert found.token_endpoint == TOKEN
    assert found.jwks_uri == "https://keys.example.net/jwks"
    assert found.authorization_response_iss_parameter_supported
    assert found.token_endpoint_auth_methods_supported == ("none", "client_secret_post")
    assert found.id_token_signing_alg_values_supported == ()
    assert found.authorization_endpoint is None


@pytest.mark.parametrize(
    "issuer",
    [
        "https://evil.example",
        "https://id.example.com/",
        "https://ID.example.com",
        "https://id.example.com:443",
        "http://id.example.com",
        "",
        None,
        5,
        [ISSUER],
    ],
)
def test_a_document_of_another_issuer_is_refused(issuer: Any) -> None:
    with pytest.raises(DiscoveryError, match="another issuer"):
        from_document(document(issuer=issuer), issuer=ISSUER)


def test_a_difference_in_a_slash_or_case_is_pointed_out() -> None:
    with pytest.raises(DiscoveryError) as caught:
        from_document(document(issuer="https://ID.example.com/"), issuer=ISSUER)
    assert "'https://ID.example.com/'" in caught.value.fix


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com/token",
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/token",
        "https://[fd00::1]/token",
        "https://127.0.0.1/token",
        "http://127.0.0.1:9/token",
        "http://localhost/token",
        "https://[::ffff:10.0.0.1]/token",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//id.example.com/token",
        "/token",
        "https://",
        "http://[",
        "https://[::1",
        5,
        ["https://id.example.com/token"],
        {},
    ],
)
def test_an_endpoint_that_is_not_safe_is_refused(url: Any) -> None:
    with pytest.raises(DiscoveryError, match="token_endpoint"):
        from_document(document(token_endpoint=url), issuer=ISSUER)


@pytest.mark.parametrize("url", [None, ""])
def test_an_endpoint_that_is_not_there_is_none(url: str | None) -> None:
    assert from_document(document(token_endpoint=url), issuer=ISSUER).token_endpoint is None


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("http://127.0.0.1:9400", "http://127.0.0.1:9400/token"),
        ("http://localhost:9400", "http://127.0.0.1:9401/token"),
        ("https://10.0.0.1", "https://10.0.0.1/token"),
        ("https://id.example.com/tenant", "https://login.example.net/token"),
    ],
)
def test_an_endpoint_at_home_or_out_in_the_world_is_fine(issuer: str, url: str) -> None:
    found = from_document({"issuer": issuer, "token_endpoint": url}, issuer=issuer)
    assert found.endpoint("token_endpoint") == url


def test_an_endpoint_that_is_needed_but_missing_names_both_ways_out() -> None:
    with pytest.raises(ConfigError, match="device_authorization_endpoint") as caught:
        ServerMetadata(issuer=ISSUER).endpoint("device_authorization_endpoint")
    assert "oauth.device_authorization_endpoint" in caught.value.fix


def test_explicit_settings_win() -> None:
    found = from_document(document(), issuer=ISSUER)
    settings = OAuthSettings(issuer=ISSUER, token_endpoint="https://other.example.com/t")
    assert with_settings(found, settings).token_endpoint == "https://other.example.com/t"
    assert with_settings(found, OAuthSettings()).token_endpoint == TOKEN


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True), ("a.localhost", True), ("127.0.0.1", True), ("127.1.2.3", True),
        ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False), ("::", False),
        ("localhost.example.com", False), ("127.0.0.1.example.com", False), ("", False),
        (None, False),
    ],
)  # fmt: skip
def test_this_machine_by_its_address_not_by_its_looks(host: str | None, here: bool) -> None:
    assert is_loopback(host) is here


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://id.example.com", True), ("HTTPS://id.example.com", True),
        ("http://127.0.0.1:8", True), ("http://[::1]:8", True), ("http://id.example.com", False),
        ("http://127.0.0.1@id.example.com", False), ("ftp://127.0.0.1", False), ("https:", False),
        ("", False), ("http://[", False),
    ],
)  # fmt: skip
def test_where_credentials_may_go(url: str, secure: bool) -> None:
    assert is_secure(url) is secure


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
URLS = st.text(max_size=30).map(lambda text: f"https://{text}") | st.text(max_size=20)
JSON = LEAF | st.lists(LEAF, max_size=3) | st.dictionaries(st.text(max_size=4), LEAF, max_size=2)


@given(st.dictionaries(st.sampled_from([f.name for f in fields(ServerMetadata)]), JSON | URLS))
def test_any_document_is_metadata_or_one_kind_of_error(data: dict[str, Any]) -> None:
    try:
        found = from_document({"issuer": ISSUER, **data}, issuer=ISSUER)
    except DiscoveryError as error:
        assert error.fix  # noqa: PT017 - either way is right
    else:
        assert found.issuer == ISSUER
        assert found.token_endpoint is None or is_secure(found.token_endpoint)


@given(st.text())
def test_any_text_is_a_place_for_credentials_or_none(url: str) -> None:
    assert is_secure(url) in {True, False}
