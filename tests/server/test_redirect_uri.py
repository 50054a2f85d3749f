from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from platform_auth.errors import ConfigError
from platform_auth.server.redirect_uri import check_base_url, redirect_uri


def _request(host: str) -> Any:
    return SimpleNamespace(protocol="https", host=host)


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("JUPYTERHUB_PUBLIC_URL", raising=False)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("/", "https://me.example:8888/platform-auth/callback"),
        ("/user/a%40b/", "https://me.example:8888/user/a%40b/platform-auth/callback"),
    ],
)
def test_the_request_tells_where_nothing_else_does(base: str, expected: Any) -> None:
    assert redirect_uri(_request("me.example:8888"), base, None) == expected


@pytest.mark.parametrize("value", ["https://j.example/x", "https://j.example/x/"])
def test_the_setting_wins(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "https://hub.example/user/ada/")
    uri = redirect_uri(_request("evil.example"), "/user/ada/", value)

    assert uri == "https://j.example/x/platform-auth/callback"


def test_then_comes_the_hubs_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "https://hub.example/user/ada/")
    uri = redirect_uri(_request("pod-7:8888"), "/user/ada/", None)

    assert uri == "https://hub.example/user/ada/platform-auth/callback"


def test_the_hub_leaves_it_empty_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "")

    assert redirect_uri(_request("me.example"), "/", None).startswith("https://me.example/")


@pytest.mark.parametrize(
    "value",
    ["jupyter.example.com", "ftp://x/", "https://", "https://x/?a=b", "https://x/#y", "//x"],
)
def test_what_is_no_beginning_of_an_address_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="redirect_base_url"):
        check_base_url(value)


def test_an_address_is_accepted() -> None:
    check_base_url("https://jupyter.example.com/hub/user-redirect/")
