"""HTML forms, read as far as a scripted person needs to press their buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass
class Form:
    """One form: where it goes, what it sends, and what its buttons are called."""

    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class Forms(HTMLParser):
    """The forms of a page, by the text of their buttons.

    Parameters
    ----------
    page
        The HTML.
    url
        The page's own address: actions are relative to it.

    """

    def __init__(self, page: str, url: str) -> None:
        super().__init__()
        self._url = url
        self._open: Form | None = None
        self._named: dict[str, Form] = {}
        self._button: tuple[Form, str, str] | None = None
        self._text: list[str] = []
        self._hidden = 0
        self.all: list[Form] = []
        self.feed(page)

    def with_button(self, text: str) -> Form | None:
        """Return the form with a button that begins with `text`."""
        for form in self.all:
            for label, (name, value) in form.buttons.items():
                if label.startswith(text):
                    sent = form.fields | ({name: value} if name else {})
                    return Form(form.action, form.method, sent, form.buttons)
        return None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a form, collect a field, or open a button."""
        given = {name: value or "" for name, value in attrs}
        if tag not in _VOID and (self._hidden or given.get("aria-hidden") == "true"):
            self._hidden += 1
        if tag == "form":
            action = urljoin(self._url, given.get("action", ""))
            self._open = Form(action, given.get("method", "get").lower())
            self._named[given.get("id", "")] = self._open
            self.all.append(self._open)
        elif tag == "input" and self._open is not None and given.get("name"):
            self._open.fields[given["name"]] = given.get("value", "")
        elif tag == "button":
            form = self._named.get(given["form"]) if "form" in given else self._open
            if form is not None:
                self._button = (form, given.get("name", ""), given.get("value", ""))
                self._text = []

    def handle_data(self, data: str) -> None:
        """Collect a button's text, without what only decorates it."""
        if not self._hidden:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Close a form or a button."""
        self._hidden = max(0, self._hidden - 1)
        if tag == "form":
            self._open = None
        elif tag == "button" and self._button is not None:
            form, name, value = self._button
            form.buttons[" ".join("".join(self._text).split())] = (name, value)
            self._button = None
