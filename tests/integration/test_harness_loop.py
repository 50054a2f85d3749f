"""A browser module leaves no running event loop behind for the modules after it."""

from __future__ import annotations

import asyncio

from harness.browser import Chromium


def test_asyncio_works_after_the_browser_has_closed() -> None:
    Chromium().close()

    async def answer() -> int:
        return 42

    assert asyncio.run(answer()) == 42
