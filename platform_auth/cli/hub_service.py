"""``platform-auth hub-service``: one replica of JupyterHub's sign-in service."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ConfigError, MissingExtraError
from ..oauth import redaction
from .debugging import is_debugging
from .exit_status import ExitStatus

if TYPE_CHECKING:
    import argparse

SETTINGS_VARIABLE: Final = "PLATFORM_AUTH_HUB_SETTINGS"

# What the Hub's library and Tornado log of each request quotes addresses, and so codes.
_QUIET: Final = ("tornado.access", "tornado.application", "tornado.general", "alembic")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--settings",
        metavar="FILE",
        default=os.environ.get(SETTINGS_VARIABLE),
        help="profiles, database and policy, as JSON or YAML "
        f"(default: what {SETTINGS_VARIABLE} names)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the service until it is told to end."""
    if not arguments.settings:
        what = "The service has been told nothing: it needs a file with its settings."
        raise ConfigError(what, fix=f"Give it one: --settings FILE, or {SETTINGS_VARIABLE}.")
    try:
        from ..hub.replica import run_replica
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("platform_auth"):
            raise
        what = f"The service takes {error.name}, which is not installed here."
        raise MissingExtraError(what, fix="Run: pip install 'platform-auth[hub]'") from None
    _log_to_stderr()
    run_replica(Path(arguments.settings))
    return ExitStatus.DONE


def _log_to_stderr() -> None:
    redaction.install()
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if is_debugging() else logging.INFO,
        format="[%(levelname).1s %(asctime)s %(name)s] %(message)s",
    )
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("httpx2", "httpcore2", "stamina"):
        logging.getLogger(name).setLevel(logging.WARNING)
