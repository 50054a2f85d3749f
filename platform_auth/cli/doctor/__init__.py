"""``platform-auth doctor``: check everything that a sign-in depends on, and say what to do.

Nobody needs to be signed in for it, nothing is changed, and no secret is shown.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ..exit_status import ExitStatus
from ..terminal import show
from .finding import Finding, Level

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_CHECKS: Final = {
    "software": "the software",
    "files": "the configuration",
    "jupyter": "the Jupyter server",
    "providers": "the identity providers",
    "trust": "the certificates",
    "proxies": "the proxies",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes: nothing."""


def run(_arguments: argparse.Namespace) -> int:
    """Print one line for each finding, as it is found."""
    worst = Level.OK
    for finding in _findings():
        show(*finding.lines())
        worst = max(worst, finding.level)
    return ExitStatus.FAILED if worst is Level.FAIL else ExitStatus.DONE


def _findings() -> Iterator[Finding]:
    for name, subject in _CHECKS.items():
        try:
            yield from import_module(f".{name}", __name__).check()
        except Exception as error:  # noqa: BLE001 - one broken part must not hide the others
            from ...oauth.redaction import redact

            why = f"{type(error).__name__}: {redact(str(error))}"
            yield Finding(Level.FAIL, f"{subject} could not be checked ({why})")
