"""Whether somebody wants to see what people should not have to."""

from __future__ import annotations

import os
from typing import Final

DEBUG_VARIABLE: Final = "PLATFORM_AUTH_DEBUG"


def is_debugging() -> bool:
    """Tell whether tracebacks and logs are wanted; they are redacted all the same."""
    return os.environ.get(DEBUG_VARIABLE, "") not in {"", "0"}
