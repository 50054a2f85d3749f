from __future__ import annotations

import asyncio

import httpx2

from platform_auth.broker.loopback import LoopbackListener
from platform_auth.errors import AccessDeniedError


def answer_to(outcome: Exception | None) -> httpx2.Response:
    """Come back with a browser while the listener is closed as soon as it knows the answer."""

    async def visited() -> httpx2.Response:
        known, finished = asyncio.Event(), asyncio.Event()

        async def answered(_url: str) -> None:
            known.set()
            for _ in range(5):
                await asyncio.sleep(0)  # others get their turn, among them who closes
            finished.set()
            if outcome is not None:
                raise outcome

        listener = LoopbackListener(answered)
        uri = await listener.start()
        async with httpx2.AsyncClient(trust_env=False) as browser:
            page = asyncio.create_task(browser.get(f"{uri}?code=x&state=y"))
            await known.wait()
            await listener.close()
            assert finished.is_set()
            return await page

    return asyncio.run(visited())


def test_closing_waits_for_the_page_that_says_it_went_well() -> None:
    page = answer_to(None)
    assert page.status_code == 200
    assert "You are signed in" in page.text


def test_closing_waits_for_the_page_that_says_it_failed() -> None:
    page = answer_to(AccessDeniedError("They said no.", fix="Ask <them>."))
    assert page.status_code == 400
    assert "Ask &lt;them&gt;." in page.text
