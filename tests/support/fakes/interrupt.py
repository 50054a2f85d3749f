"""Interrupts that come where they do the most harm."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


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


class Interruption:
    """An interrupt of this thread after so many instructions of some modules.

    Parameters
    ----------
    steps
        How many instructions they may carry out before.
    modules
        The last parts of their names; what is carried out elsewhere does not count.

    Attributes
    ----------
    happened
        Whether it has come.

    """

    def __init__(self, steps: int, modules: tuple[str, ...]) -> None:
        self._left, self._modules, self.happened = steps, modules, False

    def trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        """Count; a function as `sys.settrace` takes it."""
        if frame.f_globals.get("__name__", "").rpartition(".")[2] not in self._modules:
            return None
        frame.f_trace_opcodes = True
        self._left -= event == "opcode"
        if self._left < 0 and not self.happened:
            self.happened = True
            raise KeyboardInterrupt
        return self.trace


@contextlib.contextmanager
def interrupted_after(steps: int, *modules: str) -> Iterator[Interruption]:
    """Interrupt this thread after so many instructions of these modules, if there are so many."""
    interruption, before = Interruption(steps, modules), sys.gettrace()
    sys.settrace(interruption.trace)
    try:
        yield interruption
    except KeyboardInterrupt:
        assert interruption.happened
    finally:
        sys.settrace(before)
