"""What a failed test leaves behind in ``test-results/``: screenshots, a trace, the console."""

from __future__ import annotations

import contextlib
import re
import threading
from typing import TYPE_CHECKING, Final

import psutil
from playwright.sync_api import Error

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, ConsoleMessage, Page

_CLOSE_SECONDS: Final = 20.0


class Evidence:
    """The pages of one test and what they said.

    Parameters
    ----------
    name
        The test's name, for the directory.
    results
        The ``test-results`` directory.

    """

    def __init__(self, name: str, results: Path) -> None:
        self.directory = results / re.sub(r"[^\w.-]+", "-", name).strip("-")
        self._contexts: list[BrowserContext] = []
        self.console: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        """Take notes of a context from now on."""
        self._contexts.append(context)
        context.on("page", self._watch_page)
        context.tracing.start(snapshots=True, screenshots=False)

    def _watch_page(self, page: Page) -> None:
        page.on("console", lambda m: self.console.append(_line(m)))
        page.on("pageerror", lambda error: self.console.append(f"uncaught: {error}"))
        page.on("requestfailed", lambda r: self.console.append(f"failed: {r.method} {r.url}"))

    def finish(self, *, failed: bool) -> None:
        """Close the contexts; keep what they have to tell when the test failed."""
        if failed:
            self.directory.mkdir(parents=True, exist_ok=True)
            path = self.directory / "console.log"
            path.write_text("\n".join(self.console), encoding="utf-8")
        for number, context in enumerate(self._contexts):
            if failed:
                self._keep(number, context)
            else:
                context.tracing.stop()
            end(context)

    def _keep(self, number: int, context: BrowserContext) -> None:
        for index, page in enumerate(context.pages):
            page.screenshot(path=self.directory / f"page-{number}-{index}.png")
        context.tracing.stop(path=self.directory / f"trace-{number}.zip")


def end(context: BrowserContext) -> None:
    """Close a context; where Chromium does not answer, end all of it: others start it anew."""
    in_vain = threading.Event()
    watch = threading.Timer(_CLOSE_SECONDS, _kill_browsers, [in_vain])
    watch.start()
    try:
        for page in context.pages:
            page.close()  # first: a context does not end while one of them goes to another site
        context.close()
    except Error:
        if not in_vain.is_set():
            raise
    finally:
        watch.cancel()


def _kill_browsers(in_vain: threading.Event) -> None:
    in_vain.set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(each.startswith("--remote-debugging-") for each in process.cmdline()):
                process.kill()


def _line(message: ConsoleMessage) -> str:
    """Say where it comes from, too: what could not be loaded is told nowhere else."""
    return f"{message.type}: {message.text} ({message.location.get('url', '')})"
