from __future__ import annotations

import base64
import hashlib
import re

import pytest

from platform_auth.broker.pages import (
    CONTENT_SECURITY_POLICY,
    FORM_HEADERS,
    HEADERS,
    device_page,
    page,
    paste_page,
)
from platform_auth.errors import CallbackError

EVIL = "<script>alert('x')</script>\"&"


def test_nothing_is_reflected_unescaped() -> None:
    html = page(EVIL, EVIL, EVIL, fix=EVIL, link=(f"/x?{EVIL}", EVIL))
    assert "alert('x')" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<script>") == 0


@pytest.mark.parametrize("close", [True, False])
def test_only_its_own_style_and_script_may_run(close: bool) -> None:
    html = page("Done", close=close)
    found = re.findall(r"<(style|script)>(.*?)</\1>", html, re.DOTALL)
    assert len(found) == 1 + close
    for kind, text in found:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY


def test_it_is_open_to_nothing_else() -> None:
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; ")
    for rule in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"):
        assert rule in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert HEADERS["Cache-Control"] == "no-store"
    assert HEADERS["Referrer-Policy"] == "no-referrer"
    assert HEADERS["X-Content-Type-Options"] == "nosniff"
    assert HEADERS["X-Frame-Options"] == "DENY"


def test_it_loads_nothing() -> None:
    html = page("Done", "You can close this tab.", close=True)
    assert not re.search(r"(?:src|href)=", html)
    assert "url(" not in html


def test_an_empty_line_is_left_out() -> None:
    assert page("Done", "", "x").count('<p class="what">') == 1


DEVICE = {
    "kind": "device",
    "verification_uri": "https://id.example.com/device",
    "verification_uri_complete": f"https://id.example.com/device?user_code={EVIL}",
    "user_code": EVIL,
}


def test_pages_of_challenges_reflect_nothing_unescaped() -> None:
    problem = CallbackError(EVIL, why=EVIL, fix=EVIL)
    for html in (
        device_page(EVIL, DEVICE),
        paste_page(EVIL, f"https://id.example.com/?{EVIL}", "", problem=problem),
    ):
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
        [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in FORM_HEADERS["Content-Security-Policy"]


def test_a_code_can_be_scanned_where_a_phone_can_open_its_address() -> None:
    assert 'role="img" ' in device_page("flyte.example.com", DEVICE)
    here = {**DEVICE, "verification_uri_complete": "http://127.0.0.1:9400/device"}
    assert 'role="img" ' not in device_page("flyte.example.com", here)


def test_only_the_page_with_a_form_may_send_one_and_only_home() -> None:
    rules = FORM_HEADERS["Content-Security-Policy"].split("; ")
    others = CONTENT_SECURITY_POLICY.split("; ")
    assert set(rules) ^ set(others) == {"form-action 'self'", "form-action 'none'"}
