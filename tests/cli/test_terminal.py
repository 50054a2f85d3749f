from __future__ import annotations

import sys
import webbrowser

import pytest

from platform_auth.cli import terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Zoë 試", "Zoë 試"),
        ("a\x1b[31mb", "a [31mb"),
        ("a\nb\tc\r", "a b c "),
        ("a\u202eb", "a b"),
    ],
)
def test_nothing_that_is_shown_commands_the_terminal(text: str, shown: str) -> None:
    assert terminal.plain(text) == shown


@pytest.mark.parametrize(
    ("system", "variables", "there"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ":10", "SSH_CONNECTION": "1.2.3.4"}, False),
        ("linux", {"BROWSER": "firefox", "SSH_CONNECTION": "1.2.3.4"}, True),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "1.2.3.4"}, False),
        ("win32", {}, True),
    ],
)
def test_where_a_browser_can_be_opened(
    monkeypatch: pytest.MonkeyPatch, system: str, variables: dict[str, str], there: bool
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert terminal.has_browser() is there


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    urls: list[str] = []
    monkeypatch.setenv("BROWSER", "firefox")
    monkeypatch.setattr(webbrowser, "open", lambda url: urls.append(url) is None)
    return urls


def test_only_web_pages_are_opened(opened: list[str]) -> None:
    assert terminal.open_browser("https://id.example.com/authorize")
    for url in (
        "/a%40b/platform-auth/login",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "--help",
    ):
        assert not terminal.open_browser(url)
    assert opened == ["https://id.example.com/authorize"]


def test_a_browser_that_cannot_be_opened_is_no_fault(
    opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_url: str) -> bool:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "open", fail)
    assert not terminal.open_browser("https://id.example.com/authorize")
