from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from platform_auth.notebook import words
from platform_auth.notebook.card import card_of, is_address, outcome_card
from platform_auth.notebook.markup import body_html, to_html
from platform_auth.notebook.style import style_for, widget_style
from platform_auth.words import PASTE_LABEL, also_sign_out_at

EVIL = "<img src=x onerror=alert(1)>\"'&"
EXTENSION = Path(__file__).parents[2] / "labextension"


def view(**changes: Any) -> dict[str, Any]:
    return {
        "profile": "prod",
        "state": "signed_out",
        "revision": 1,
        "platform": "flyte.example.com",
        "endpoint": "https://flyte.example.com",
        "flow": "pkce",
        "interactive": True,
        "signed_in_as": None,
        "expires_at": None,
        "next_refresh": None,
        "sign_in_url": "/a%40b/platform-auth/login?profile=prod",
        "challenge": None,
        "error": None,
        "warnings": [],
        **changes,
    }


def asking(kind: str, **challenge: Any) -> dict[str, Any]:
    return view(state="signing_in", challenge={"kind": kind, **challenge})


DEVICE = {
    "verification_uri": "https://id.example.com/device",
    "verification_uri_complete": "https://id.example.com/device?user_code=ABCD-EFGH",
    "user_code": "ABCD-EFGH",
}


@pytest.mark.parametrize(
    ("state", "status", "label"),
    [
        ("signed_out", "Signed out", "Sign in to flyte.example.com"),
        ("signing_in", "Waiting for you to sign in", "Sign in to flyte.example.com"),
        ("expired", "Sign-in expired", "Sign in again"),
        ("failed", "Sign-in failed", "Sign in again"),
    ],
)
def test_every_state_has_its_words_and_a_way_on(state: str, status: str, label: str) -> None:
    card = card_of(view(state=state))
    assert card.status == status
    assert card.link is not None
    assert card.link.label == label
    assert card.link.href == "/a%40b/platform-auth/login?profile=prod"


def test_signed_in_there_is_nothing_to_press() -> None:
    card = card_of(view(state="signed_in", signed_in_as="ada@example.com", next_refresh=1.0))
    assert card.status == "Signed in as ada@example.com"
    assert card.link is None


def test_what_was_granted_otherwise_is_said() -> None:
    granted = view(state="signed_in", notices=["The scope admin was not granted."])
    for row in (False, True):
        assert card_of(granted, row=row).lines[0].text == "The scope admin was not granted."


def test_the_sign_in_control_is_a_real_link_named_sign_in() -> None:
    for row in (False, True):
        html = body_html(card_of(view(), row=row))
        assert 'target="_blank" rel="noopener"' in html
        assert "Sign in to flyte.example.com" in html
    assert card_of(view(), row=True).link.name == "Sign in to flyte.example.com"


def test_a_code_has_its_page() -> None:
    card = card_of(asking("device", **DEVICE))
    html = body_html(card)
    assert ">ABCD-EFGH<" in html
    assert "Enter this code at id.example.com, on this or any other device" in html
    assert card.link.href == DEVICE["verification_uri_complete"]
    assert card.link.label == "Sign in at id.example.com"


def test_a_code_can_be_scanned_with_a_phone() -> None:
    html = body_html(card_of(asking("device", **DEVICE)))
    assert html.count('role="img" ') == 1
    assert "<title>The same address as a QR code" in html
    alone = body_html(card_of(asking("device", **{**DEVICE, "verification_uri_complete": None})))
    assert 'role="img" ' in alone
    assert alone != html  # another address
    assert ".pa-login-qr{" in to_html(card_of(asking("device", **DEVICE)))


def test_what_a_phone_cannot_open_is_not_shown_to_it() -> None:
    challenge = {**DEVICE, "verification_uri_complete": "http://127.0.0.1:9400/device"}
    html = body_html(card_of(asking("device", **challenge)))
    assert ">ABCD-EFGH<" in html
    assert 'role="img" ' not in html


@pytest.mark.parametrize(
    ("seconds", "said"), [(299, "good for 5 min"), (20, "expires soon"), (-5, "expires soon")]
)
def test_a_code_says_how_long_it_is_good_for_whatever_clock_the_reader_has(
    seconds: float, said: str
) -> None:
    until = time.time() + seconds
    assert said in body_html(card_of(asking("device", **DEVICE, expires_at=until)))


def test_an_address_to_paste_is_never_asked_for_in_a_widget() -> None:
    challenge = {"kind": "paste", "url": "https://id.example.com/authorize?state=s"}
    alone = view(state="signing_in", challenge=challenge, sign_in_url=None)
    assert card_of(alone).lines[0].text == words.PASTE
    assert card_of(alone).link.href == challenge["url"]
    said = {**alone, "challenge": {**challenge, "sentence": "Copy, then paste."}}
    assert card_of(said).lines[0].text == "Copy, then paste."
    assert "%platform_login prod" in card_of(alone, row=True).lines[0].text
    # The Jupyter server's own page has a field for it.
    here = asking("paste", url=challenge["url"])
    for row in (False, True):
        card = card_of(here, row=row)
        assert card.lines[0].text == words.PASTE_ON_PAGE
        assert card.link.href == "/a%40b/platform-auth/login?profile=prod"


@pytest.mark.parametrize("state", ["signed_out", "signing_in", "signed_in", "expired", "failed"])
def test_a_warning_is_there_in_every_state(state: str) -> None:
    warned = view(state=state, warnings=["Certificates are not verified."])
    cards = [card_of(warned), card_of(warned, row=True), outcome_card(warned, state, "Done")]
    for card in cards:
        html = to_html(card)
        assert '<p class="pa-login-warning">Certificates are not verified.</p>' in html
        assert ".pa-login-warning{" in html


def test_flows_without_a_person_open_no_page() -> None:
    card = card_of(view(flow="client_credentials", interactive=False))
    assert card.link is None
    assert card.lines[0].text == words.NO_PAGE


def test_a_failure_says_what_why_and_how_on() -> None:
    error = {"code": "x", "what": "It broke.", "why": "Rain.", "fix": "Wait.", "retryable": True}
    html = body_html(card_of(view(state="failed", error=error)))
    assert all(text in html for text in ("It broke.", "Rain.", "Wait."))


@pytest.mark.parametrize(
    "changes",
    [
        {"platform": EVIL},
        {"profile": EVIL},
        {"state": "signed_in", "signed_in_as": EVIL},
        {"warnings": [EVIL]},
        {"state": "failed", "error": {"what": EVIL, "why": EVIL, "fix": EVIL}},
        {"state": "signing_in", "challenge": {"kind": "device", **DEVICE, "user_code": EVIL}},
    ],
)
def test_everything_is_escaped(changes: dict[str, Any]) -> None:
    for row in (False, True):
        html = to_html(card_of(view(**changes), row=row))
        assert "<img" not in html
        assert "&lt;img src=x" in html


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example.com/login",
        "/\\evil.example.com",
        "/a\nb",
        "login",
        "",
        None,
    ],
)
def test_only_addresses_become_links(url: str | None) -> None:
    assert not is_address(url)
    assert card_of(asking("open", url=url), row=True).link.href.startswith("/a%40b/")


def test_no_script_is_needed() -> None:
    html = to_html(card_of(asking("device", **DEVICE)))
    assert "<script" not in html
    assert "onclick" not in html


def test_a_saved_card_has_the_style_it_needs_and_no_more() -> None:
    style = style_for(body_html(outcome_card(view(), "failed", "Sign-in failed")))
    assert "data-state='failed'" in style
    assert ".pa-login-body{" in style
    assert ".pa-login-code" not in style
    assert "data-state='signed_in'" not in style
    assert len(style) < len(widget_style()) / 2


def test_a_saved_card_never_pretends_to_be_alive() -> None:
    card = card_of(asking("open", url="/x"))
    assert body_html(card) != body_html(card, live=True)
    assert "M9 11V8a3" in body_html(card)  # the lock, not the ring


def test_the_style_is_well_formed() -> None:
    style = widget_style()
    depth = 0
    for character in style:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert 0 <= depth <= 2
    assert depth == 0
    assert "/*" not in style


def test_the_words_are_those_of_the_lab_extension() -> None:
    theirs = (EXTENSION / "src" / "words.ts").read_text(encoding="utf-8")
    ours = [words.INVITATION, words.NO_PAGE, words.SIGN_IN, words.SIGN_IN_AGAIN, words.SIGN_OUT]
    ours += [words.CANCEL, words.NO_PROFILES, words.GO_ON, words.PASTE, PASTE_LABEL]
    ours += [card_of(view(state=state)).status for state in ("signed_out", "expired", "failed")]
    ours += [call("%1") for call in (words.sign_in_to, words.sign_in_at, words.enter_code)]
    ours.append(also_sign_out_at("%1"))
    assert [text for text in ours if text not in theirs] == []


def test_the_classes_are_those_of_the_lab_extension() -> None:
    theirs = (EXTENSION / "style" / "base.raw.css").read_text(encoding="utf-8")
    names = ["body", "glyph", "code", "device", "actions", "warning", "aside", "link", "qr"]
    for name in (f"pa-login-{each}" for each in names):
        assert f".{name}" in theirs
        assert name in widget_style()
