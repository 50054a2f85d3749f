"""What the libraries log: nothing for a person at a terminal, everything for one who debugs."""

from __future__ import annotations

import logging

from ..oauth import redaction
from .debugging import is_debugging


def keep_quiet() -> None:
    """Send the log nowhere, or to standard error when debugging: errors are told in words."""
    redaction.install()
    handler = logging.StreamHandler() if is_debugging() else logging.NullHandler()
    for name in redaction.LOGGERS:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.handlers[:] = [handler]
        if is_debugging():
            logger.setLevel(logging.DEBUG)
