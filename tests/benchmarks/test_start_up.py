"""What the lab extension adds to the start of JupyterLab: nothing that anybody could measure."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from harness.browser import Chromium
from harness.jupyter import JupyterServer

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

# Every plugin that starts by itself has, and what was open is back.
_RESTORED = "() => window.jupyterapp?.restored.then(() => true)"
_MOST = 0.10  # of a start, or what lies between starts that are alike, if that is more


def _start(page: Page, server: JupyterServer) -> float:
    """Return the seconds from the address to an application that is ready."""
    began = time.perf_counter()
    page.goto(server.page_url())
    page.wait_for_function(_RESTORED)
    return time.perf_counter() - began


def test_jupyterlab_starts_as_fast_as_without(tmp_path: Path, bench: Any) -> None:
    rounds, took = 15 if bench.serious else 1, {True: [0.0], False: [0.0]}
    with ExitStack() as ends:
        chromium = Chromium()
        ends.callback(chromium.close)
        pages = {}
        for ours in took:
            server = JupyterServer(tmp_path / ("with" if ours else "without"), labextension=ours)
            ends.callback(server.stop)
            page = chromium.launched().new_context().new_page()
            _start(page, server)  # the browser's cache fills
            assert page.locator(".pa-status-button").count() == int(ours)
            pages[ours], took[ours] = (page, server), []
        for _ in range(rounds):
            for ours, times in took.items():
                times.append(_start(*pages[ours]))
    with_it, without = (statistics.median(took[ours]) for ours in (True, False))
    spread = max(took[False]) - min(took[False])
    bench.note("JupyterLab starts, without the extension", without)
    bench.note("  from its fastest to its slowest start", spread)
    bench.note("JupyterLab starts, with the extension", with_it)
    most = max(_MOST * without, spread)
    bench.limit("the extension adds", with_it - without, at_most=most)
