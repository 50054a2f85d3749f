"""A real Chromium, driven by Playwright."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import expect, sync_playwright

from harness.environment import program

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from harness.evidence import Evidence

CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page of a test that asks for a font or a script elsewhere gets a plain "no" at once.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.*",
)

_PATIENCE: Final = 20_000
"""Milliseconds until something that is not there counts as missing: two cores may be busy."""


class Chromium:
    """One or two browser processes: with and without a pop-up blocker; started when asked for.

    While it is open, Playwright's event loop runs in this thread and ``asyncio.run`` does not work
    in it: use synchronous clients in browser tests.
    """

    def __init__(self) -> None:
        self._path = program(*CHROMIUM)
        self._playwright = sync_playwright().start()
        expect.set_options(timeout=_PATIENCE)
        self._browsers: dict[bool, Browser] = {}

    def launched(self, *, popups: bool = True) -> Browser:
        """Return the browser; without `popups`, the one that blocks them as browsers do."""
        running = self._browsers.get(popups)
        if running is None or not running.is_connected():
            self._browsers[popups] = self._playwright.chromium.launch(
                executable_path=self._path,
                headless=True,
                args=list(_ARGUMENTS),
                ignore_default_args=None if popups else ["--disable-popup-blocking"],
            )
        return self._browsers[popups]

    def close(self) -> None:
        """End every browser."""
        for browser in self._browsers.values():
            browser.close()
        self._playwright.stop()


# The page that says "You are signed in" goes away after a moment, on a busy machine perhaps before
# a test has read it or pressed a button on it.
_STAYS_OPEN: Final = "window.close = () => undefined"


class BrowserSession:
    """The browser of one test: fresh contexts (no cookies, no storage), evidence when it fails."""

    def __init__(self, chromium: Chromium, evidence: Evidence) -> None:
        self._chromium = chromium
        self.evidence = evidence

    def context(
        self, *, popups: bool = True, self_closing: bool = False, **options: Any
    ) -> BrowserContext:
        """Return a new context; `options` are Playwright's, such as ``color_scheme="dark"``.

        Only where it is `self_closing` may a page close its own window.
        """
        given = {"viewport": {"width": 1280, "height": 800}, **options}
        context = self._chromium.launched(popups=popups).new_context(**given)
        context.set_default_timeout(_PATIENCE)
        if not self_closing:
            context.add_init_script(_STAYS_OPEN)
        self.evidence.watch(context)
        return context

    def page(self, *, popups: bool = True, **options: Any) -> Page:
        """Return a page in a context of its own."""
        return self.context(popups=popups, **options).new_page()
