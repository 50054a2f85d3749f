"""One session in a `LoginWidget`: its card, and the buttons that need the kernel."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any, Final

from ipywidgets import HTML, Button, HBox

from . import words
from .card import Card, Line, card_of
from .markup import body_html

if TYPE_CHECKING:
    from collections.abc import Callable

_BUTTON: Final = ".pa-rows .jupyter-button.pa-button"

ROW_STYLE: Final = (
    ".pa-rows{max-width:640px;padding:2px 16px;border:1px solid var(--jp-border-color2,#8884);"
    "border-radius:6px;background:var(--jp-layout-color1,transparent)}"
    ".pa-row{align-items:flex-start;gap:8px;padding:10px 0}"
    ".pa-row+.pa-row{border-top:1px solid var(--jp-border-color2,#8884)}"
    ".pa-row .pa-row-card{flex:1 1 0;min-width:0;margin:0;height:auto}"
    ".pa-row .widget-html-content{line-height:inherit}"
    ".pa-rows .pa-login.pa-static.pa-mod-live{max-width:none;padding:0;border:0;background:none;"
    "flex-wrap:nowrap}"
    ".pa-rows .pa-mod-live[data-state=signing_in] .pa-login-glyph{background:none;"
    "color:var(--jp-brand-color1,#1976d2)}"
    ".pa-rows .pa-mod-live[data-state=signing_in] .pa-login-glyph svg{width:75%;height:75%;"
    "animation:pa-turn 1.2s linear infinite}"
    ".pa-rows .pa-mod-live[data-state=signing_in] .pa-login-glyph path:first-child{"
    "stroke:var(--jp-border-color2,#8884)}"
    "@keyframes pa-turn{to{transform:rotate(1turn)}}"
    "@media(prefers-reduced-motion:reduce){.pa-rows .pa-login-glyph svg{animation:none!important}}"
    ".pa-rows .pa-login.pa-mod-live .pa-login-body{display:grid;column-gap:12px;"
    "grid-template-columns:minmax(0,1fr) auto}"
    ".pa-rows .pa-login.pa-mod-live .pa-login-body>*{grid-column:1}"
    ".pa-rows .pa-login.pa-mod-live .pa-login-body>.pa-login-actions{grid-column:2;"
    "grid-row:1/span 2;margin:4px 0 0;align-self:start}"
    f"{_BUTTON}{{height:32px;margin:4px 0 0;width:auto;padding:0 14px;border-radius:2px;"
    "border:1px solid var(--jp-border-color1,#8888);background:transparent;"
    "color:var(--jp-ui-font-color1,inherit);font-weight:500;box-shadow:none}}"
    f"{_BUTTON}:hover{{background:var(--jp-layout-color2,#8882)}}"
    f"{_BUTTON}.pa-mod-primary{{border-color:transparent;color:#fff;"
    "background:var(--jp-accept-color-normal,var(--jp-brand-color1,#1976d2))}"
)


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
        return replace(card, lines=note, warnings=(*trouble, *card.warnings))

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
            return False
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
