"""One session in a `LoginWidget`: its card, and the buttons that need the kernel."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Button, HBox

from . import words
from .card import Card, Line, card_of, logout_link
from .markup import body_html

if TYPE_CHECKING:
    from collections.abc import Callable


class SessionRow(HBox):  # type: ignore[misc]  # ipywidgets is untyped
    """A row.

    Parameters
    ----------
    act
        Called with the row and what to do: ``sign_in``, ``cancel``, ``sign_out`` or ``use``.
    use_label
        What the button for ``use`` says.

    """

    def __init__(self, act: Callable[[SessionRow, str], None], use_label: str) -> None:
        super().__init__()
        self.view: dict[str, Any] = {}
        self.state: str | None = None
        self._usable, self._note, self._trouble = False, "", ""
        self._logout_url: str | None = None
        self._html = HTML()
        self._buttons = {
            deed: self._button(act, deed, label)
            for deed, label in (
                ("sign_in", words.SIGN_IN),
                ("cancel", words.CANCEL),
                ("use", use_label),
                ("sign_out", words.SIGN_OUT),
            )
        }
        self.add_class("pa-row")
        self._html.add_class("pa-row-card")

    def _button(self, act: Callable[[SessionRow, str], None], deed: str, label: str) -> Button:
        button = Button(description=label)
        button.add_class("pa-button")
        if deed == "sign_in":
            button.add_class("pa-mod-primary")
        button.on_click(lambda _button: act(self, deed))
        return button

    @property
    def card(self) -> Card:
        """What the row shows, but for its buttons."""
        card = card_of(self.view, row=True)
        note = (Line(self._note, quiet=True),) if self._note else card.lines
        trouble = (self._trouble,) if self._trouble else ()
        aside = logout_link(self._logout_url)
        return replace(card, lines=note, warnings=(*trouble, *card.warnings), aside=aside)

    def show(self, view: dict[str, Any], *, usable: bool) -> bool:
        """Show a session as it is now; return whether it is news.

        Parameters
        ----------
        view
            As the broker shows it.
        usable
            Whether a session can be picked.

        """
        if view == self.view:
            self._draw()  # minutes pass
            return False
        if view["state"] != "signed_out":
            self._logout_url = None
        if view["revision"] != self.view.get("revision"):
            self._trouble = ""
        if view["state"] != "signed_in":
            self._note = ""
        self.view, self.state, self._usable = view, view["state"], usable
        self._draw()
        return True

    @property
    def note(self) -> str:
        """A sentence in place of what the session says about itself."""
        return self._note

    @note.setter
    def note(self, text: str) -> None:
        self._note = text
        self._draw()

    def signed_out(self, logout_url: str | None) -> None:
        """Offer to sign out at the provider, too, for as long as the session is signed out."""
        self._logout_url = logout_url
        self._draw()

    @property
    def trouble(self) -> str:
        """What came of the last thing asked for, if it was refused."""
        return self._trouble

    @trouble.setter
    def trouble(self, text: str) -> None:
        self._trouble = text
        self._draw()

    @property
    def busy(self) -> bool:
        """Whether something asked for is under way."""
        return bool(self._buttons["sign_in"].disabled)

    @busy.setter
    def busy(self, busy: bool) -> None:
        for button in self._buttons.values():
            button.disabled = busy

    def _draw(self) -> None:
        card = self.card
        self._html.value = body_html(card, live=True)
        for button in self._buttons.values():
            button.tooltip = f"{button.description}: {card.platform}"
        shown = [self._buttons[deed] for deed in self._deeds(card)]
        self.children = (self._html, *shown)

    def _deeds(self, card: Card) -> list[str]:
        if not self.view["endpoint"]:
            return []  # its configuration is broken
        if self.state == "signed_in":
            use = ["use"] if self._usable and not self._note else []
            return [*use, "sign_out"]
        if self.state == "signing_in":
            return ["cancel"]
        return [] if card.link is not None else ["sign_in"]


def problems_html(problems: list[dict[str, Any]], nothing: str) -> str:
    """Return what is wrong besides, or that there is nothing, as HTML."""
    said = [" ".join(each[key] for key in ("what", "why", "fix") if each[key]) for each in problems]
    return "".join(f"<p>{escape(text)}</p>" for text in [*said, nothing] if text)
