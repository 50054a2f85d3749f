"""A scripted person, who goes through the provider's pages as a browser would."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from platform_auth.errors import SignInError
from platform_auth.sandbox.redirects import origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2

_MOST_STEPS = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass
class Form:
    """A form as it is on the page, with the buttons it can be sent by."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class PageReader(HTMLParser):
    """Finds the forms and the heading of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.heading = ""
        self._in_heading = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, a field or a button."""
        has = {name: value or "" for name, value in attrs}
        self._in_heading = tag == "h1"
        if tag == "form":
            self.forms.append(Form(has.get("action", "")))
        elif tag == "input" and self.forms:
            self.forms[-1].fields[has["name"]] = has.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((has["name"], has["value"]))

    def handle_data(self, data: str) -> None:
        """Note the heading's text."""
        if self._in_heading:
            self.heading += data

    def handle_endtag(self, tag: str) -> None:
        """Note the end of the heading."""
        if tag == "h1":
            self._in_heading = False


class ScriptedPerson:
    """Presses the buttons that sign in a demo person.

    Parameters
    ----------
    user
        Who: the identifier of one of the demo people.
    approve
        Whether to press *Allow* or *Deny*.

    """

    def __init__(self, user: str = "ada", *, approve: bool = True) -> None:
        decision = "allow" if approve else "deny"
        self._presses = {("person", user), ("decision", decision), ("continue", "yes")}
        self._cancels = ("decision", "deny")

    def visit(self, url: str) -> str:
        """Go from `url` to the end, and return the address of the end.

        That is the redirect to the client, which is not followed, or the provider's last page.

        Raises
        ------
        SignInError
            The provider showed an error, or a page without a button to press.

        """
        import httpx2

        home = origin(url)
        # The provider is on loopback: no proxy, no TLS, and so no authorities to load.
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with httpx2.Client(trust_env=False, verify=trust, timeout=10) as browser:
            page = browser.get(url)
            for _ in range(_MOST_STEPS):
                if page.status_code in _REDIRECTS:
                    target = urljoin(str(page.url), page.headers["location"])
                    if origin(target) != home:
                        return target
                    page = browser.get(target)
                elif (press := self._next(page)) is None:
                    return str(page.url)
                else:
                    page = browser.post(urljoin(str(page.url), press[0]), data=press[1])
        what = "The scripted person goes round in circles on the provider's pages."
        raise SignInError(what)

    def _next(self, page: httpx2.Response) -> tuple[str, Mapping[str, str]] | None:
        seen = PageReader(page.text)
        if page.is_error:
            what = f"The provider's page says: {seen.heading or page.status_code}."
            raise SignInError(what)
        if not seen.forms:
            return None
        for form in seen.forms:
            choices = [button for button in form.buttons if button in self._presses]
            # Somebody who will deny says who they are first, as at a real provider.
            for name, value in sorted(choices, key=lambda button: button == self._cancels):
                return form.action, {**form.fields, name: value}
        what = f"The scripted person finds no button to press on the page {seen.heading!r}."
        raise SignInError(what)
