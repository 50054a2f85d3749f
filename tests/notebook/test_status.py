from __future__ import annotations

import time
from typing import Any

import pytest

from platform_auth.notebook.status import StatusTable

FAULT = {"code": "unreachable", "what": "id.example.com is not available.", "why": "HTTP 503.",
         "fix": "Wait a little.", "retryable": True}  # fmt: skip


def view(**changes: Any) -> dict[str, Any]:
    now = time.time()
    usual = {
        "profile": "prod", "default": True, "platform": "flyte.example.com", "state": "signed_in",
        "signed_in_as": "ada", "expires_at": now + 3600, "next_refresh": now + 1800, "error": None,
        "notices": [], "last_error": None, "key_source": None, "warnings": [],
    }  # fmt: skip
    return usual | changes


def table(*views: dict[str, Any]) -> StatusTable:
    return StatusTable({"default": "prod", "profiles": list(views), "problems": []})


def both(shown: StatusTable) -> tuple[str, str]:
    return repr(shown), shown._repr_html_()


def test_it_says_when_a_token_is_renewed() -> None:
    for text in both(table(view())):
        assert "Signed in as ada" in text
        assert "renewed automatically in 30 min" in text


@pytest.mark.parametrize("state", ["signed_out", "expired", "failed", "signing_in"])
def test_where_nobody_is_signed_in_there_is_nothing_to_renew(state: str) -> None:
    for text in both(table(view(state=state))):
        assert "renewed" not in text


@pytest.mark.parametrize(
    ("left", "says"),
    [(3600, "the present token still serves"), (-60, "there is no live token until then")],
)
def test_it_says_what_went_wrong_in_the_background(left: float, says: str) -> None:
    trouble = {**FAULT, "at": time.time() - 180}
    shown = table(view(last_error=trouble, expires_at=time.time() + left))
    for text in both(shown):
        assert "prod: The last refresh failed 3 min ago: id.example.com is not available." in text
        assert f"HTTP 503. It is tried again; {says}." in text


def test_it_warns_of_what_is_switched_off() -> None:
    for text in both(table(view(warnings=["Certificates are not verified."]))):
        assert "prod: Warning: Certificates are not verified." in text


def test_it_says_what_was_granted_otherwise() -> None:
    for text in both(table(view(notices=["The scope admin was not granted."]))):
        assert "prod: The scope admin was not granted." in text


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("environment", "PLATFORM_AUTH_STORE_KEY"),
        ("keyring", "the system"),
        ("file", "a file beside them"),
        ("memory", "in memory only"),
    ],
)
def test_it_says_once_where_the_key_is(source: str, says: str) -> None:
    for text in both(table(view(key_source=source), view(key_source=source))):
        assert text.count(says) == 1


def test_what_others_said_is_never_markup() -> None:
    evil = "<script>alert(1)</script>"
    trouble = {**FAULT, "what": evil, "at": time.time()}
    shown = table(view(last_error=trouble, notices=[evil], platform=evil, signed_in_as=evil))
    assert evil not in shown._repr_html_()


def test_a_broker_from_before_an_update_does_as_well() -> None:
    old = {
        name: value
        for name, value in view().items()
        if name not in {"notices", "last_error", "key_source"}
    }
    assert all("Signed in as ada" in text for text in both(table(old)))
