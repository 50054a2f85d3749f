from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from fakes.play import play
from fakes.provider import ISSUER, Provider, config, reply
from platform_auth.config import OAuthSettings, PlatformConfig
from platform_auth.errors import (
    ConfigError,
    DiscoveryError,
    PlatformAuthError,
    TransportError,
)
from platform_auth.oauth.discovery import METADATA_MAX_AGE, discover
from platform_auth.oauth.steps import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_auth.oauth.metadata import ServerMetadata

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"
PAGE = Response(200, {"content-type": "text/html"}, b"<html>Welcome", ISSUER)


def found(provider: Provider, **changes: Any) -> ServerMetadata:
    return play(discover(config(**changes)), provider).metadata


def asked(provider: Provider) -> list[str]:
    return [urlsplit(each.url).path for each in provider.requests]


def test_with_openid_its_own_document_comes_first(provider: Provider) -> None:
    assert found(provider).token_endpoint == f"{ISSUER}/token"
    assert asked(provider) == [OPENID]


def test_without_openid_the_oauth_document_comes_first(provider: Provider) -> None:
    found(provider, scopes=["api"])
    assert asked(provider) == [OAUTH]


def test_a_document_may_be_an_hour_old_and_may_be_asked_for_again(provider: Provider) -> None:
    found(provider)
    assert provider.requests[0].max_age == METADATA_MAX_AGE
    assert provider.requests[0].replay
    assert provider.requests[0].method == "GET"


@pytest.mark.parametrize(
    ("issuer", "paths"),
    [
        ("https://id.example.com/a/b", [f"{OAUTH}/a/b", f"/a/b{OPENID}"]),
        ("https://id.example.com/a/", [f"{OAUTH}/a", f"/a{OPENID}"]),
        ("https://id.example.com/", [OAUTH, OPENID]),
    ],
)
def test_an_issuer_with_a_path(provider: Provider, issuer: str, paths: list[str]) -> None:
    for path in paths:
        provider.next[path.rpartition("/")[2]].append(reply({}, 404))
    with pytest.raises(DiscoveryError, match="publishes no metadata"):
        found(provider, scopes=["api"], oauth={"issuer": issuer})
    assert asked(provider) == paths


@pytest.mark.parametrize(
    "first",
    [reply({}, 404), reply({}, 401), reply({}, 403), reply({}, 400), reply([]), PAGE,
     Response(302, {"location": "/login"}, b"", ISSUER)],
)  # fmt: skip
def test_what_is_not_at_one_address_is_looked_for_at_the_other(
    provider: Provider, first: Response
) -> None:
    provider.next["openid-configuration"].append(first)
    assert found(provider).issuer == ISSUER
    assert asked(provider) == [OPENID, OAUTH]


def test_a_document_of_another_issuer_ends_the_search(provider: Provider) -> None:
    provider.next["openid-configuration"].append(reply({"issuer": "https://evil.example"}))
    with pytest.raises(DiscoveryError, match="another issuer"):
        found(provider)
    assert asked(provider) == [OPENID]


def test_web_pages_everywhere_are_said_to_be_that(provider: Provider) -> None:
    provider.next["openid-configuration"].append(PAGE)
    provider.next["oauth-authorization-server"].append(PAGE)
    with pytest.raises(DiscoveryError, match="cannot be used") as caught:
        found(provider)
    assert "portal" in caught.value.why


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_provider_is_a_passing_fault(provider: Provider, status: int) -> None:
    provider.next["openid-configuration"].append(reply({}, status))
    with pytest.raises(TransportError) as caught:
        found(provider)
    assert caught.value.retryable


def test_an_unreachable_provider_is_a_passing_fault(provider: Provider) -> None:
    provider.next["openid-configuration"].append(TransportError("It cannot be reached."))
    with pytest.raises(TransportError):
        found(provider)


def test_explicit_endpoints_need_no_document(provider: Provider) -> None:
    oauth = {"issuer": None, "token_endpoint": "https://x.example.com/t"}
    assert found(provider, oauth=oauth).endpoint("token_endpoint") == "https://x.example.com/t"
    assert not provider.requests


def test_explicit_endpoints_win_over_the_document(provider: Provider) -> None:
    oauth = {"token_endpoint": "https://x.example.com/t"}
    metadata = found(provider, oauth=oauth)
    assert metadata.token_endpoint == "https://x.example.com/t"
    assert metadata.authorization_endpoint == f"{ISSUER}/authorize"


def plain_http() -> PlatformConfig:
    # The settings refuse it, too; this is the second line.
    settings = OAuthSettings(issuer=ISSUER)
    object.__setattr__(settings, "issuer", "http://id.example.com")
    whole = config()
    object.__setattr__(whole, "oauth", settings)
    return whole


@pytest.mark.parametrize(
    ("broken", "match"),
    [(plain_http, "not an https address")],
)
def test_a_profile_that_says_too_little_or_too_unsafely(
    provider: Provider, broken: Callable[[], PlatformConfig], match: str
) -> None:
    with pytest.raises(ConfigError, match=match) as caught:
        play(discover(broken()), provider)
    assert caught.value.fix
    assert not provider.requests


def test_metadata_without_a_token_endpoint_names_the_setting(provider: Provider) -> None:
    del provider.metadata["token_endpoint"]
    with pytest.raises(PlatformAuthError, match="token_endpoint") as caught:
        found(provider).endpoint("token_endpoint")
    assert "oauth.token_endpoint" in caught.value.fix
