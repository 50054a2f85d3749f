"""``platform-auth doctor``: check each step from the file to the token, and say what to do.

Nobody needs to be signed in for it, nothing is changed, and no secret is shown. What is the same
for all profiles comes first; then each profile, as far as it can be followed.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from ..broker import find_broker
from ..exit_status import ExitStatus
from ..terminal import show
from .finding import Finding, Level, mark

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

_CHECKS: Final = {
    "software": "Software",
    "files": "Configuration",
    "jupyter": "Jupyter",
    "store": "Sign-ins at rest",
    "machine": "This machine",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "profile", nargs="?", metavar="PROFILE", help="only this one; all of them if omitted"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print one line for each finding, as it is found."""
    report = _Report()
    for name, title in _CHECKS.items():
        report.add(title, partial(_check, name))
    from .profiles import Follower, chosen

    follower = Follower(find_broker(), thoroughly=arguments.profile is not None)
    for name, title in chosen(arguments.profile).items():
        report.add(title, partial(follower.follow, name))
    return report.end()


def _check(name: str) -> Iterable[Finding]:
    found: Iterable[Finding] = import_module(f".{name}", __name__).check()
    return found


class _Report:
    """What is printed, and how bad it was."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Level, 0)

    def add(self, title: str, check: Callable[[], Iterable[Finding]]) -> None:
        show(title)
        for finding in _whatever_happens(title, check):
            show(*(f"  {line}" for line in finding.lines()))
            self._counts[finding.level] += 1
        show("")

    def end(self) -> int:
        failed, warned = self._counts[Level.FAIL], self._counts[Level.WARN]
        if failed:
            show(f"{_count(failed, 'problem')}, marked {mark(Level.FAIL)}. Begin with the first.")
            return ExitStatus.FAILED
        show(f"All is well, but for {_count(warned, 'warning')}." if warned else "All is well.")
        return ExitStatus.DONE


def _whatever_happens(title: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - one broken part must not hide the others
        from ...oauth.redaction import redact

        why = f"{type(error).__name__}: {redact(str(error))}"
        yield Finding(Level.FAIL, f"{title}: could not be checked ({why})")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
