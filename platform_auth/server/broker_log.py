"""The broker's log, as part of the Jupyter server's."""

from __future__ import annotations

import logging
from typing import Final

NAME: Final = "platform_auth"


class BrokerLog:
    """Lets what the broker logs appear in the server's log, in its format and at its level.

    Parameters
    ----------
    log
        The extension's own, which Jupyter has set up.

    """

    def __init__(self, log: logging.Logger) -> None:
        self._theirs, self._ours = log, logging.getLogger(NAME)
        self._added: list[logging.Handler] = []
        self._level = self._ours.level

    def start(self) -> None:
        """Take over Jupyter's handlers."""
        self._level = self._ours.level
        self._ours.setLevel(self._theirs.getEffectiveLevel())
        for handler in self._theirs.handlers:
            self._ours.addHandler(handler)
            self._added.append(handler)

    def stop(self) -> None:
        """Give them back."""
        self._ours.setLevel(self._level)
        while self._added:
            self._ours.removeHandler(self._added.pop())
