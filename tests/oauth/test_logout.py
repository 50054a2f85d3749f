from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fakes.provider import config
from platform_auth.oauth.identity import Identity
from platform_auth.oauth.logout import logout_url
from platform_auth.oauth.metadata import ServerMetadata

PAGE = "https://id.example.com/logout"
ADA = Identity("https://id.example.com", "8f2", email="ada@example.com", username="ada")


def asked(url: str | None) -> dict[str, list[str]]:
    assert url is not None
    assert url.startswith(f"{PAGE}?")
    return parse_qs(urlsplit(url).query)


def test_no_page_no_address() -> None:
    assert logout_url(config(), ServerMetadata(), ADA) is None


@pytest.mark.parametrize(
    ("known", "hint"),
    [
        ({"email": "ada@example.com", "username": "ada"}, "ada@example.com"),
        ({"username": "ada"}, "ada"),
        ({"name": "Ada Lovelace"}, "8f2"),  # a name is no account
    ],
)
def test_it_says_who_asks_and_who_is_meant(known: dict[str, Any], hint: str) -> None:
    metadata = ServerMetadata(end_session_endpoint=PAGE)
    found = asked(logout_url(config(), metadata, Identity("https://i", "8f2", **known)))
    assert found == {"client_id": ["notebook"], "logout_hint": [hint]}


def test_nobody_known_nobody_hinted_at() -> None:
    metadata = ServerMetadata(end_session_endpoint=PAGE)
    assert asked(logout_url(config(), metadata)) == {"client_id": ["notebook"]}


def test_a_state_goes_with_a_page_to_go_on_to_and_never_twice_the_same() -> None:
    metadata = ServerMetadata(end_session_endpoint=PAGE)
    profile = config(oauth={"post_logout_redirect_uri": "https://jupyter.example.com/bye"})
    one, other = (asked(logout_url(profile, metadata, ADA)) for _ in range(2))
    assert one["post_logout_redirect_uri"] == ["https://jupyter.example.com/bye"]
    assert len(one["state"][0]) >= 20
    assert one["state"] != other["state"]
