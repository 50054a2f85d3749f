from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders

from platform_auth.errors import ConfigError
from platform_auth.server.redirect_uri import check_base_url, redirect_uri


def _request(host: str, **headers: str) -> Any:
    return SimpleNamespace(protocol="https", host=host, headers=HTTPHeaders(headers))


def _hub(monkeypatch: pytest.MonkeyPatch, prefix: str, **more: str) -> None:
    monkeypatch.setenv("JUPYTERHUB_BASE_URL", "/h%20b/")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", prefix)
    for name, value in more.items():
        monkeypatch.setenv(f"JUPYTERHUB_{name}", value)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("/", "https://me.example:8888/platform-auth/callback"),
        ("/user/a%40b/", "https://me.example:8888/user/a%40b/platform-auth/callback"),
    ],
)
def test_the_request_tells_where_nothing_else_does(base: str, expected: str) -> None:
    assert redirect_uri(_request("me.example:8888"), base, None) == expected


@pytest.mark.parametrize("value", ["https://j.example/x", "https://j.example/x/"])
def test_the_setting_wins(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    _hub(monkeypatch, "/h%20b/user/ada/", PUBLIC_HUB_URL="https://hub.example/h%20b/hub/")
    uri = redirect_uri(_request("evil.example"), "/h%20b/user/ada/", value)

    assert uri == "https://j.example/x/platform-auth/callback"


@pytest.mark.parametrize("prefix", ["/h%20b/user/ada/", "/h%20b/user/ada/work/"])
def test_one_serves_all_of_a_hub(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    _hub(monkeypatch, prefix, PUBLIC_URL="", PUBLIC_HUB_URL="")
    uri = redirect_uri(_request("hub.example"), prefix, None)

    assert uri == "https://hub.example/h%20b/hub/user-redirect/platform-auth/callback"


@pytest.mark.parametrize(
    "more",
    [
        {"PUBLIC_HUB_URL": "https://hub.example/h%20b/hub/"},
        {"HOST": "https://hub.example"},
    ],
)
def test_where_the_hub_is_on_a_host_of_its_own_it_says_so(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    _hub(monkeypatch, "/h%20b/user/ada/", **more)
    uri = redirect_uri(_request("ada.hub.example"), "/h%20b/user/ada/", None)

    assert uri == "https://hub.example/h%20b/hub/user-redirect/platform-auth/callback"


def test_on_a_hub_the_outermost_proxy_knows_what_the_browser_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _hub(monkeypatch, "/h%20b/user/ada/")
    request = _request("hub.example", **{"X-Forwarded-Proto": "https,http"})
    request.protocol = "http"

    assert redirect_uri(request, "/h%20b/user/ada/", None).startswith("https://hub.example/")


def test_a_server_that_is_started_inside_of_a_hubs_is_no_hubs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _hub(monkeypatch, "/h%20b/user/ada/")

    assert redirect_uri(_request("me.example:8889"), "/", None) == (
        "https://me.example:8889/platform-auth/callback"
    )


@pytest.mark.parametrize(
    "value",
    ["jupyter.example.com", "ftp://x/", "https://", "https://x/?a=b", "https://x/#y", "//x"],
)
def test_what_is_no_beginning_of_an_address_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="redirect_base_url"):
        check_base_url(value)


def test_an_address_is_accepted() -> None:
    check_base_url("https://jupyter.example.com/hub/user-redirect/")
