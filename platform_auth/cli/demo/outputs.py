"""What a cell showed, as text."""

from __future__ import annotations

import re
from typing import Any, Final

_READABLE: Final = ("text/markdown", "text/plain")
LOGIN_MIME: Final = "application/vnd.platform-auth.login+json"

_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


def has_failed(output: dict[str, Any]) -> bool:
    """Tell whether an output is an error."""
    return bool(output["output_type"] == "error")


def text_of(output: dict[str, Any]) -> str:
    """Return what an output says, without colours."""
    if output["output_type"] == "stream":
        return str(output["text"])
    if has_failed(output):
        return _COLOURS.sub("", "\n".join(output["traceback"]))
    found = (output["data"][kind] for kind in _READABLE if kind in output["data"])
    return str(next(found, ""))
