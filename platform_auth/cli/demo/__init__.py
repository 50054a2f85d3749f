"""``platform-auth demo``: try it all with a provider and a platform on this machine.

At a terminal it opens JupyterLab on a copy of the quickstart. Without one, or with ``--check``, it
does the whole path by itself: a Jupyter server runs the quickstart, a scripted person signs in, and
what each cell showed is printed.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import argparse

_ENDED_BY_SIGNAL = 128


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--check",
        action="store_true",
        help="sign in and run the notebook without a person, print what each cell showed, and end "
        "with 0 if all went well (also without this where there is no terminal)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; whatever was made for it is gone afterwards."""
    signal.signal(signal.SIGTERM, _end)
    if arguments.check or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from .check import check

        return check()
    from .lab import open_lab

    return open_lab()


def _end(number: int, _frame: object) -> NoReturn:
    sys.exit(_ENDED_BY_SIGNAL + number)  # so that everything is stopped and removed on the way
