"""Taking the address that a person pastes, while the command waits for the sign-in to end."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from ..errors import CallbackError, PlatformAuthError
from .terminal import complain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..broker.client import BrokerClient

_STANDARD_INPUT: Final = 0
_LONGEST: Final = 64 * 1024


class Paste:
    """Hands each line of standard input to the broker until one of them is the answer.

    It has a thread of its own: the sign-in may also end without it, in time or elsewhere.

    Parameters
    ----------
    client
        The broker.
    profile
        Whose sign-in it is.

    """

    def __init__(self, client: BrokerClient, profile: str) -> None:
        self._client, self._profile = client, profile

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="paste", daemon=True).start()

    def _run(self) -> None:
        try:
            for line in _lines():
                if line.strip() and self._is_answer(line.strip()):
                    return
            self._client.cancel(self._profile)  # the input has ended, so no answer can come
        except PlatformAuthError:
            return  # whoever waits for the session is told why

    def _is_answer(self, url: str) -> bool:
        try:
            self._client.complete(self._profile, url)
        except CallbackError as error:
            complain(f"That is not it: {error.what}", error.fix or "Paste the whole address.")
            return False
        return True


def _lines() -> Iterator[str]:
    # Not sys.stdin: a thread that holds its lock when the program ends would crash the interpreter.
    kept = b""
    while chunk := os.read(_STANDARD_INPUT, _LONGEST):
        *whole, kept = (kept + chunk).split(b"\n")
        kept = kept[-_LONGEST:]
        for line in whole:
            yield line.decode("utf-8", "replace")
    if kept:
        yield kept.decode("utf-8", "replace")
