"""Every state of a session is for everybody: in a cell and in the panel, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from harness.accessibility import violations
from harness.browser import BrowserSession
from harness.evidence import Evidence
from harness.lab import Lab
from harness.states import UNVERIFIED, VIEW, states
from harness.told import Told
from platform_auth.broker.pages import device_page, page, paste_page
from platform_auth.errors import CallbackError
from platform_auth.notebook.card import card_of, logout_link, outcome_card
from platform_auth.notebook.markup import to_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page, ViewportSize

    from harness.browser import Chromium
    from harness.jupyter import JupyterServer

DISPLAY = """
from IPython.display import display
display({"application/vnd.platform-auth.login+json": {
    "version": 1, "profile": "prod", "platform": "flyte.example.com",
    "sign_in_path": "/a%40b/platform-auth/login?profile=prod",
    "session_path": "/a%40b/platform-auth/api/v1/profiles/prod"}}, raw=True)
"""
NOTEBOOK = "display.ipynb"
CARD, PANEL = ".jp-OutputArea .pa-login", "#platform-auth-connections"
NAME = "() => document.activeElement.ariaLabel || document.activeElement.textContent"
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 420, "height": 800}


@pytest.fixture(scope="module")
def shown(
    chromium: Chromium,
    module_jupyter_server_process: Callable[..., JupyterServer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Lab, Told]]:
    """One page for all tests here, whose server says what they want."""
    server = module_jupyter_server_process(notebooks={NOTEBOOK: [DISPLAY]})
    evidence = Evidence("accessibility", tmp_path_factory.mktemp("evidence"))
    lab = Lab(BrowserSession(chromium, evidence).page(), server, NOTEBOOK)
    told = Told(lab.page, server, VIEW)
    lab.run_cell(0)
    yield lab, told
    evidence.finish(failed=False)


@pytest.fixture
def lab(shown: tuple[Lab, Told]) -> Lab:
    lab, _ = shown
    lab.page.set_viewport_size(WIDE)
    return lab


@pytest.fixture
def told(shown: tuple[Lab, Told]) -> Told:
    _, told = shown
    told.say()
    return told


def use_theme(page: Page, lab: Lab, theme: str) -> None:
    name = f"JupyterLab {theme}"
    lab.command("apputils:change-theme", theme=name)
    body = page.locator(f'body[data-jp-theme-name="{name}"]')
    body.wait_for(state="attached")
    # It lies over all while a theme loads, and fades.
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def open_panel(page: Page) -> Locator:
    page.locator(".pa-status-button").click()
    panel = page.locator(PANEL)
    expect(panel).to_be_visible()
    return panel


def in_every_state(page: Page, told: Told, selector: str) -> Iterator[str]:
    """Yield what is wrong with a part of the page."""
    for name, changes in states().items():
        told.say(**changes)
        shown = page.locator(selector)
        card = shown.locator(".pa-login").or_(shown.and_(page.locator(".pa-login")))
        expect(card).to_have_attribute("data-state", changes.get("state", "signed_out"))
        expect(card.get_by_role("img", name="QR code")).to_have_count(int("device" in name))
        yield from (f"{name}: {each}" for each in violations(page, selector))


@pytest.mark.parametrize("theme", ["Light", "Dark", "Dark High Contrast"])
def test_nothing_is_wrong_in_any_state(lab: Lab, told: Told, theme: str) -> None:
    page = lab.page
    use_theme(page, lab, theme)
    wrong = [f"card, {each}" for each in in_every_state(page, told, CARD)]
    panel = open_panel(page)
    details = panel.get_by_role("button", name="Details")
    if details.get_attribute("aria-expanded") == "false":
        details.click()
    wrong += [f"panel, {each}" for each in in_every_state(page, told, PANEL)]
    assert wrong == []


def test_the_engine_sees_what_is_wrong(lab: Lab, told: Told) -> None:
    told.say(state="signed_in")
    lab.page.evaluate(f"""() => {{
        const wrong = document.createElement('div');
        wrong.id = 'wrong';
        wrong.append(document.createElement('input'), 'Nobody can read this.');
        wrong.style.color = 'var(--jp-layout-color1)';
        document.querySelector('{CARD} .pa-login-body').append(wrong);
    }}""")
    found = "\n".join(violations(lab.page, CARD))
    lab.page.evaluate("() => document.getElementById('wrong').remove()")
    assert "label:" in found
    assert "color-contrast:" in found


def test_what_is_switched_off_cannot_be_missed(lab: Lab, told: Told) -> None:
    panel = open_panel(lab.page)
    for changes in states().values():
        told.say(**{**changes, "warnings": [UNVERIFIED]})
        for shown in (lab.page.locator(CARD), panel):
            expect(shown.get_by_text("Certificates are not verified")).to_be_visible()


def test_all_of_it_is_within_a_narrow_window(lab: Lab, told: Told) -> None:
    panel = open_panel(lab.page)
    lab.page.set_viewport_size(NARROW)
    for changes in states().values():
        told.say(**changes)
        row = panel.locator(".pa-login")
        expect(row).to_have_attribute("data-state", changes.get("state", "signed_out"))
        assert row.evaluate("row => row.scrollWidth <= row.clientWidth")
        box = row.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW["width"]


def test_a_keyboard_is_enough(lab: Lab, told: Told) -> None:
    page = lab.page
    told.say(**states()["device"])
    page.locator(".pa-status-button").focus()
    page.keyboard.press("Enter")
    panel = page.locator(PANEL)
    panel.get_by_text("WDJB-MJHT").wait_for()
    panel.locator('[tabindex="-1"]:focus').wait_for()  # comes later where it was open already
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(NAME))
    assert reached == [
        "Copy",
        "Sign in at id.example.com",
        "Cancel",
        "Use in notebook",
        "Insert cell",
        "Copy code",
    ]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".lm-Menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel.get_by_role("button", name="More")).to_be_focused()


def test_a_refusal_is_announced_with_its_fix(lab: Lab, told: Told) -> None:
    told.say(**states()["paste"])
    card = lab.page.locator(CARD)
    told.refuse(what="That address is of another sign-in.", fix="Paste the newest one.")
    field = card.get_by_label("Paste the address of the page your browser ended on")
    field.fill("http://localhost:53593/callback?code=x&state=y")
    card.get_by_role("button", name="Finish").click()
    expect(card.get_by_role("alert")).to_have_text(
        "That address is of another sign-in. Paste the newest one."
    )
    expect(field).to_have_value("")
    assert violations(lab.page, CARD) == []


def test_a_server_that_is_gone_is_said(lab: Lab, told: Told) -> None:
    card = lab.page.locator(CARD)
    expect(card.get_by_text("Signed out")).to_be_visible()
    told.fall_silent()
    expect(card.get_by_text("The Jupyter server does not answer")).to_be_visible()
    assert violations(lab.page, CARD) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_servers_pages_are_for_everybody_too(browser: BrowserSession, scheme: str) -> None:
    asked = {name: each["challenge"] for name, each in states().items() if "challenge" in each}
    problem = CallbackError("That address is of another sign-in.", fix="Paste the newest one.")
    pages = [
        page("You are signed in", "Signed in as ada@example.com."),
        page("Sign-in failed", "It broke.", "It rains.", kind="bad", fix="Wait."),
        page("Sign in?", "Another site has sent you.", kind="ask", link=("/x", "Continue")),
        device_page("flyte.example.com", asked["device"]),
        paste_page("flyte.example.com", asked["paste"]["url"], "", problem=problem),
    ]
    tab = browser.page(color_scheme=scheme)
    for html in pages:
        tab.set_content(html)
        assert violations(tab, "html") == []


def test_a_card_that_a_notebook_saves_is_for_everybody_too(browser: BrowserSession) -> None:
    tab = browser.page()
    for name, changes in states().items():
        view = {**VIEW, **changes}
        aside = logout_link(view.get("logout_url"))
        cards = [card_of(view), card_of(view, row=True)]
        cards.append(outcome_card(view, view["state"], "Done", aside=aside))
        for card in cards:
            tab.set_content(f"<main>{to_html(card)}</main>")
            assert violations(tab, "main") == [], name
