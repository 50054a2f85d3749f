"""An interrupt that no wait hears of."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def interrupted_in(function: str) -> Iterator[None]:
    """Interrupt this thread once it waits in a function of that name.

    The signal goes to another thread and so breaks no wait off: Python notices it when it looks for
    signals next, as it does with one that came just before a wait began.
    """
    waiting, over = threading.get_ident(), threading.Event()

    def interrupt() -> None:
        while not over.wait(0.01):
            if sys._current_frames()[waiting].f_code.co_name == function:
                signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
                return

    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    elsewhere = threading.Thread(target=interrupt)
    elsewhere.start()
    try:
        yield
    finally:
        over.set()
        elsewhere.join()
        signal.signal(signal.SIGUSR1, before)
