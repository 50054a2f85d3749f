"""A person in front of the browser, at the pages of a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import Error, expect

from harness.people import ADA

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from harness.people import Who


class Person:
    """Signs in, allows and denies, at the certified provider and at the sandbox alike.

    Parameters
    ----------
    who
        Whom to sign in as.

    """

    def __init__(self, who: Who = ADA) -> None:
        self.who = who

    def sign_in(self, page: Page) -> None:
        """Do all that the provider asks until it sends `page` away (which may close it)."""
        self._identify(page)
        self._decide(page, "Allow")

    def deny(self, page: Page) -> None:
        """Say who one is, and *Deny*."""
        self._identify(page)
        self._decide(page, "Deny")

    def enter_code(self, page: Page, url: str | None = None, code: str | None = None) -> None:
        """Open a device flow's address, enter `code` if it asks for one, sign in and allow.

        Without a `url` the page is there already.
        """
        if url is not None:
            page.goto(url)
        go_on = page.get_by_role("button", name="Continue", exact=True)
        if code is not None:
            field = page.get_by_role("textbox")
            field.fill(code)
            go_on.click()
            field.wait_for(state="hidden")
        go_on.or_(self._first(page)).first.wait_for()
        if go_on.is_visible():
            go_on.click()
        self._identify(page)
        page.get_by_role("button", name="Allow", exact=True).click()
        expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()

    def _first(self, page: Page) -> Locator:
        return self._continue_as(page).or_(self._account(page))

    def _continue_as(self, page: Page) -> Locator:
        return page.get_by_role("button", name=f"Continue as {self.who.name}")

    def _account(self, page: Page) -> Locator:
        return page.get_by_label("Account")

    def _identify(self, page: Page) -> None:
        known = page.get_by_role("button", name="Allow", exact=True)
        self._first(page).or_(known).wait_for()
        if self._continue_as(page).is_visible():
            self._continue_as(page).click()
        elif self._account(page).is_visible():
            self._account(page).fill(self.who.account)
            page.get_by_role("button", name="Sign in", exact=True).click()

    def _decide(self, page: Page, button: str) -> None:
        provider = _origin(page.url)
        choice = page.get_by_role("button", name=button, exact=True)
        choice.wait_for()
        try:
            choice.click()
            page.wait_for_url(lambda url: _origin(url) != provider)
        except Error:
            # The page that it was sent to may have closed the window already: that is a way home.
            if not page.is_closed():
                raise


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
