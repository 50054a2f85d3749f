"""What the program ends with, for scripts."""

from __future__ import annotations

import enum


class ExitStatus(enum.IntEnum):
    """How it went."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    """The command line is wrong; argparse ends with it, too."""

    SIGN_IN_REQUIRED = 3
    """Only a person can go on: the command to run is on standard error."""

    INTERRUPTED = 130
    """By Ctrl-C: 128 and the signal's number, as shells have it."""
