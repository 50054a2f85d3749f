"""The terminal: what is written to it, and whether a browser can be opened from it."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def show(*lines: str) -> None:
    """Write lines to standard output, at once."""
    _write(sys.stdout, lines)


def complain(*lines: str) -> None:
    """Write lines to standard error."""
    _write(sys.stderr, lines)


def plain(text: str) -> str:
    r"""Return a text that does nothing to a terminal but stand there.

    Names and errors come from other machines, and a terminal obeys what is in them.

    Examples
    --------
    >>> plain("Ada\x1b]0;owned\x07")
    'Ada ]0;owned '

    """
    return "".join(each if each.isprintable() else " " for each in text)


def make_printable() -> None:
    """Let nothing fail for a character that this terminal does not have."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _write(stream: TextIO, lines: tuple[str, ...]) -> None:
    stream.write("".join(f"{plain(line)}\n" for line in lines))
    stream.flush()


def has_browser() -> bool:
    """Tell whether a graphical browser can be opened from here."""
    if os.environ.get("BROWSER"):
        return True
    if os.environ.get("SSH_CONNECTION"):
        return False  # it would open on a screen that nobody looks at
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_browser(url: str) -> bool:
    """Open a web page in the person's browser; return whether it seems to have worked."""
    if not url.startswith(("https://", "http://")) or not has_browser():
        return False
    import webbrowser

    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False
