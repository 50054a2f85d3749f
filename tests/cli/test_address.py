from __future__ import annotations

import pytest

from platform_auth.cli.address import in_browser, is_certain

PATH = "/a%40b/platform-auth/login?profile=my%20prod"


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTERHUB_PUBLIC_URL", "JUPYTER_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, PATH),
        ({"JUPYTER_SERVER_URL": "http://127.0.0.1:8888/a%40b/"}, f"http://127.0.0.1:8888{PATH}"),
        ({"JUPYTER_SERVER_URL": "http+unix://%2Ftmp%2Fsock/a%40b/"}, PATH),
        (
            {
                "JUPYTERHUB_PUBLIC_URL": "https://hub.example.com/a%40b/",
                "JUPYTER_SERVER_URL": "http://10.0.0.7:8888/a%40b/",
            },
            f"https://hub.example.com{PATH}",
        ),
        (
            {"JUPYTERHUB_PUBLIC_URL": "", "JUPYTER_SERVER_URL": "http://10.0.0.7:8888/a%40b/"},
            f"http://10.0.0.7:8888{PATH}",
        ),
    ],
)
def test_where_the_page_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert in_browser(PATH) == url


def test_a_whole_address_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_SERVER_URL", "http://127.0.0.1:8888/")
    assert in_browser("https://id.example.com/authorize") == "https://id.example.com/authorize"


@pytest.mark.parametrize(
    ("url", "certain"),
    [
        ("https://hub.example.com/x", True),
        ("http://127.0.0.1:8888/x", False),
        ("http://localhost:8888/x", False),
        ("http://[::1]:8888/x", False),
        ("/x", False),
    ],
)
def test_which_addresses_work_from_elsewhere(url: str, certain: bool) -> None:
    assert is_certain(url) is certain
