"""A window of JupyterLab (or Notebook 7) in the browser, with nothing open in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from harness.jupyter import JupyterServer

# A second window of a workspace loads itself again, in a workspace of its own: what is waited
# for outlives the page it was asked of.
_RESTORED: Final = "() => window.jupyterapp?.restored.then(() => true)"
# What a page is told to do counts as a click, and one click opens one window.
_COMMAND: Final = """([name, args, clicked]) => {
  if (!clicked) { window.open('about:blank')?.close(); }
  window.jupyterapp.commands.execute(name, args).catch(() => undefined);
}"""


class Window:
    """One window, in one page.

    Parameters
    ----------
    page
        The page it is opened in.
    server
        The server it is opened from.

    """

    def __init__(self, page: Page, server: JupyterServer) -> None:
        self.page = page
        self._server = server
        page.goto(server.page_url())
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it is there, and shows how the person stands."""
        self.page.wait_for_function(_RESTORED)
        if self._server.app == "lab":
            # It comes last, and takes the keyboard from whatever is open by then.
            expect(self.page.locator(".jp-Launcher")).to_be_focused()
        expect(self.status).to_be_visible()

    @property
    def status(self) -> Locator:
        """The state at a glance."""
        return self.page.locator(".pa-status-button")

    @property
    def panel(self) -> Locator:
        """The list of connections."""
        return self.page.get_by_role("region", name="Platform connections", exact=True)

    @property
    def notifications(self) -> Locator:
        """The notifications that show."""
        return self.page.locator(".Toastify__toast")

    def open_panel(self) -> None:
        """Press the status item."""
        if not self.panel.is_visible():
            self.status.click()
        expect(self.panel).to_be_visible()

    def row(self, name: str) -> Locator:
        """Return a platform's card in the list."""
        return self.panel.locator(".pa-login").filter(has_text=name)

    def command(self, name: str, *, clicked: bool = True, **arguments: Any) -> None:
        """Have the application do what a menu entry does; or without a click, as a timer would."""
        self.page.evaluate(_COMMAND, [name, arguments, clicked])

    def from_palette(self, label: str) -> None:
        """Open the command palette, type, press Enter."""
        self.command("apputils:activate-command-palette")
        field = self.page.locator(".lm-CommandPalette-input")
        field.fill(label)
        expect(self.entry(label).first).to_be_visible()
        field.press("Enter")

    def entry(self, label: str) -> Locator:
        """Return the palette's entries of a label."""
        return self.page.locator(".lm-CommandPalette-item").filter(has_text=label)

    def press_for_page(self, button: Locator) -> Page:
        """Press something and return the page that opens."""
        with self.page.context.expect_page() as opened:
            button.click()
        return opened.value

    def expect_state(self, state: str) -> None:
        """Wait until it shows a state of the session, without being loaded again."""
        expect(self.status.locator("xpath=..")).to_have_attribute("data-state", state)
