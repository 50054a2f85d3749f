from __future__ import annotations

import pytest

from platform_auth.oauth.protected_resource import (
    authorization_servers,
    metadata_url,
    same_address,
)

HOST = "https://flyte.example.com"


@pytest.mark.parametrize(
    ("platform", "url"),
    [
        (HOST, f"{HOST}/.well-known/oauth-protected-resource"),
        (f"{HOST}:8443", f"{HOST}:8443/.well-known/oauth-protected-resource"),
        (f"{HOST}/a/b", f"{HOST}/.well-known/oauth-protected-resource/a/b"),
    ],
)
def test_the_path_goes_behind_the_well_known_one(platform: str, url: str) -> None:
    assert metadata_url(platform) == url


@pytest.mark.parametrize("named", [None, [], "https://id.example.com", {"a": 1}])
def test_metadata_that_names_no_server_says_nothing(named: object) -> None:
    data = {"resource": HOST, "authorization_servers": named}
    assert authorization_servers(data, platform=HOST) == ()


def test_no_more_servers_are_asked_than_a_person_waits_for() -> None:
    named = [f"https://id{number}.example.com" for number in range(9)]
    data = {"resource": HOST, "authorization_servers": named}
    assert authorization_servers(data, platform=HOST) == tuple(named[:4])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HOST, f"{HOST}:443"),
        (HOST, f"{HOST}/"),
        (HOST, "https://FLYTE.example.com"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_two_spellings_of_one_address(one: str, other: str) -> None:
    assert same_address(one, other)


@pytest.mark.parametrize(
    "other",
    [
        "http://flyte.example.com", f"{HOST}:80", f"{HOST}/a", f"{HOST}?a=b", f"{HOST}.",
        "https://flyte.example.com:x", "https://[", "",
    ],
)  # fmt: skip
def test_two_addresses(other: str) -> None:
    assert not same_address(HOST, other)
