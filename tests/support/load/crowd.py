"""Many threads, and many tasks of several event loops, that all want a token at the same moment."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platform_auth.broker.access_token import AccessToken
    from platform_auth.broker.source import TokenSource

_SECONDS = 60


def crowd(source: TokenSource, *, threads: int, loops: int, tasks: int) -> list[AccessToken]:
    """Return what each of them got.

    Parameters
    ----------
    source
        Where all of them ask.
    threads
        How many threads there are.
    loops, tasks
        How many event loops, each in a thread of its own, and how many tasks in all of them.

    """
    got: list[AccessToken] = []
    together = threading.Barrier(threads + loops)

    def one() -> None:
        together.wait(_SECONDS)
        got.append(source.token())

    async def many() -> None:
        got.extend(await asyncio.gather(*(source.token_async() for _ in range(tasks // loops))))

    def loop() -> None:
        together.wait(_SECONDS)
        asyncio.run(many())

    crowd = [threading.Thread(target=one, daemon=True) for _ in range(threads)]
    crowd += [threading.Thread(target=loop, daemon=True) for _ in range(loops)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join(_SECONDS)
    return got
