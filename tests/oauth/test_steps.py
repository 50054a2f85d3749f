from __future__ import annotations

import pytest

from platform_auth.errors import ProviderError
from platform_auth.oauth.steps import (
    AuthorizeChallenge,
    DeviceChallenge,
    Request,
    Response,
    Run,
    origin_of,
)


@pytest.mark.parametrize(
    "shown",
    [
        Request("POST", "https://id.example.com/t", {"Authorization": "CANARY"}, "secret=CANARY"),
        Response(200, {"set-cookie": "CANARY"}, b"CANARY", "https://id.example.com/t"),
        AuthorizeChallenge("https://id.example.com/a?state=CANARY", "CANARY"),
        DeviceChallenge("https://id.example.com/d", "CANARY", 600, 5, "https://x.example/CANARY"),
        Run(("program", "--secret=CANARY")),
    ],
)
def test_a_step_shows_no_secret(shown: object) -> None:
    assert "CANARY" not in f"{shown!r} {shown}"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://user:pw@id.example.com:8443/cb?code=x#y", "https://id.example.com:8443"),
        ("https://id.example.com?code=x", "https://id.example.com"),
        ("https://id.example.com#code=x", "https://id.example.com"),
        ("http://[::1]:5/cb", "http://[::1]:5"),
        ("/cb?access_token=CANARY", "(no address)"),
        ("user:CANARY@proxy:3128", "(no address)"),
        ("", "(no address)"),
    ],
)
def test_an_origin_is_all_that_is_shown_of_a_url(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "body", [b'{"a": 1}', b'\xef\xbb\xbf{"a": 1}', b' {"a": 1, "b": {"a": 1}} \n']
)
def test_a_json_object(body: bytes) -> None:
    assert Response(200, {}, body).json_object()["a"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"5", b"[]", b'"x"', b"{", b"<html>", b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 2}}', b"\xff{}", '{"a": 1}'.encode("utf-16"), b"[" * 100_000,
        b'{"a":' * 100_000, b"access_token=x&token_type=bearer", b"1" * 5000,
    ],
)  # fmt: skip
def test_anything_else_is_one_error(body: bytes) -> None:
    with pytest.raises(ProviderError, match="did not answer with a JSON object") as caught:
        Response(200, {"content-type": "text/plain"}, body, "https://id.example.com").json_object()
    assert "text/plain" in caught.value.why


def test_a_web_page_hints_at_a_captive_portal() -> None:
    page = Response(200, {"content-type": "Text/HTML; charset=utf-8"}, b"<html>Log in to WiFi")
    with pytest.raises(ProviderError) as caught:
        page.json_object()
    assert "portal" in caught.value.why
    assert "WiFi" not in str(caught.value)
