from __future__ import annotations

import pytest

from platform_auth.sandbox.client import registered_clients
from platform_auth.sandbox.redirects import LoopbackAddresses, is_loopback_address, origin
from platform_auth.secret import Secret

CLIENT = registered_clients(Secret("x"))["platform-auth-demo"]


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:53593/callback",
        "http://localhost:8888/platform-auth/callback",
        "http://localhost:8888/a%40b/platform-auth/callback",
        "http://[::1]:1/callback",
        "https://localhost/hub/user-redirect/platform-auth/callback",
    ],
)
def test_callbacks_on_this_machine_are_accepted(uri: str) -> None:
    assert CLIENT.check_redirect_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://127.0.0.1:8888/elsewhere",
        "http://127.0.0.1:8888/callback/",
        "http://127.0.0.1:8888/callback?x=1",
        "http://127.0.0.1:8888/callback#x",
        "http://evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1@evil.example/callback",
        "http://127.0.0.1:8888@evil.example/callback",
        "http://evil.example\\@127.0.0.1/callback",
        "http://127.0.0.1\t.evil.example/callback",
        "http://127.0.0.1:99999/callback",
        "http://[::1/callback",
        "http://0.0.0.0/callback",
        "http://2130706433/callback",
        "http://localhost./callback",
        "javascript:alert(1)//127.0.0.1/callback",
        "//127.0.0.1/callback",
        "http://user@127.0.0.1/callback",
        "http://127.0.0.1/callback\n",
    ],
)
def test_nothing_else_is(uri: str) -> None:
    assert not CLIENT.check_redirect_uri(uri)


def test_after_signing_out_any_page_of_this_machine_will_do() -> None:
    assert "http://localhost:8888/lab" in LoopbackAddresses()
    assert "https://evil.example/" not in LoopbackAddresses()
    assert None not in LoopbackAddresses()
    assert not is_loopback_address("ftp://127.0.0.1/")


def test_origin_is_what_a_browser_calls_it() -> None:
    assert origin("http://127.0.0.1:8888/a?b") == "http://127.0.0.1:8888"
