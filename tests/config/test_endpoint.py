from __future__ import annotations

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_auth.config import PlatformConfig
from platform_auth.config.endpoint import Endpoint, check_url, is_loopback
from platform_auth.errors import ConfigError


@pytest.mark.parametrize(
    ("endpoint", "insecure", "base_url", "host"),
    [
        ("flyte.example.com", False, "https://flyte.example.com", "flyte.example.com"),
        (
            "flyte.example.com:8443",
            False,
            "https://flyte.example.com:8443",
            "flyte.example.com:8443",
        ),
        ("dns:///flyte.example.com", False, "https://flyte.example.com", "flyte.example.com"),
        ("flyte.example.com", True, "http://flyte.example.com", "flyte.example.com"),
        ("https://flyte.example.com/", False, "https://flyte.example.com", "flyte.example.com"),
        ("https://flyte.example.com", True, "https://flyte.example.com", "flyte.example.com"),
        ("https://example.com/flyte/", False, "https://example.com/flyte", "example.com"),
        ("http://flyte.example.com", True, "http://flyte.example.com", "flyte.example.com"),
        ("http://127.0.0.1:8080", False, "http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost:8080", False, "http://localhost:8080", "localhost:8080"),
        ("http://[::1]:8080", False, "http://[::1]:8080", "[::1]:8080"),
        ("[::1]:8080", False, "https://[::1]:8080", "[::1]:8080"),
        ("Flyte.Example.Com.", False, "https://flyte.example.com", "flyte.example.com"),
    ],
)
def test_an_endpoint_has_one_http_address(
    endpoint: str, insecure: bool, base_url: str, host: str
) -> None:
    config = PlatformConfig(endpoint, insecure=insecure)
    assert (config.base_url, config.host) == (base_url, host)


@pytest.mark.parametrize(
    "endpoint",
    [
        *(
            "",
            "  ",
            "ftp://example.com",
            "unix:///run/x",
            "https://",
            ":443",
            "host:port",
            "host:0",
        ),
        *("host:70000", "a b", "host\nx", "host\\@evil", "host/path", "https://host?x=1", "::1"),
        *(
            "https://host#x",
            "[::1",
            "host:443:443",
            "http://flyte.example.com",
            "dns://8.8.8.8/host",
        ),
    ],
)
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError):
        PlatformConfig(endpoint)


@pytest.mark.parametrize("endpoint", ["ada:hunter2@flyte.example.com", "https://ada:hunter2@host"])
def test_credentials_in_an_endpoint_are_refused_and_not_repeated(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="user name or password") as caught:
        PlatformConfig(endpoint)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.example.com",
        "localhost.example.com",
        "10.0.0.1",
        "127.1",
        "::2",
        "fe80::1",
        "192.0.2.1",
    ],
)
def test_nothing_else_is_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "url", ["https://id.example.com", "http://localhost:9400/x", "http://[::1]/"]
)
def test_a_provider_is_reached_over_https_or_on_this_machine(url: str) -> None:
    assert check_url(f" {url}\n", "issuer") == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://id.example.com", "id.example.com", "ftp://id.example.com", "https://"),
        *("https://id.example.com/#x", "javascript:alert(1)", "https://[::1", ""),
    ],
)
def test_other_addresses_of_a_provider_are_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_url(url, "token_endpoint")
    assert caught.value.fix


def test_credentials_in_a_url_of_a_provider_are_not_repeated() -> None:
    for url in ("https://ada:hunter2@id.example.com", "ftp://ada:hunter2@id.example.com"):
        with pytest.raises(ConfigError) as caught:
            check_url(url, "issuer")
        assert "hunter2" not in str(caught.value)


TRICKS = st.lists(
    st.sampled_from(
        [
            *(
                "https://",
                "http://",
                "host",
                ".example.com",
                "evil.org",
                "@",
                ":",
                "443",
                "/",
                "\\",
            ),
            *(
                "?",
                "#",
                "[",
                "]",
                "::1",
                "%2e",
                "%40",
                "..",
                ".",
                "\t",
                "127.1",
                "&",
                "=",
                "_",
                "-",
            ),
            *("\u3002", "\uff45", "\xdf", "\u0130", "\xad", "\u200b", "\u0661", "\u212a"),
        ]
    ),
    max_size=6,
).map("".join)


@settings(max_examples=500)
@given(address=TRICKS)
def test_the_host_that_is_judged_is_the_host_that_is_called(address: str) -> None:
    try:
        judged = Endpoint.of_url(f"https://{address}")
        called = httpx2.URL(f"https://{address}")
    except (ConfigError, httpx2.InvalidURL):
        return
    host = called.host.removesuffix(".")
    assert (judged.host, judged.effective_port()) == (host, called.port or 443)


def test_effective_ports() -> None:
    assert Endpoint.parse("host").effective_port() == 443
    assert Endpoint.parse("host").effective_port(plain=True) == 80
    assert Endpoint.parse("http://host").effective_port() == 80
    assert Endpoint.parse("host:9").effective_port() == 9
