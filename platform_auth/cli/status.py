"""``platform-auth status``: who is signed in where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..remarks import key_remark, remarks
from ..words import state_words
from .broker import find_broker
from .duration import for_how_long
from .exit_status import ExitStatus
from .table import table
from .terminal import show

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--json", action="store_true", help="as the broker's protocol has it, without any secret"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the sessions."""
    answer = find_broker().profiles()
    if arguments.json:
        import json

        show(*json.dumps(answer, indent=2).splitlines())
        return ExitStatus.DONE
    views = answer["profiles"]
    if not views:
        show("No platform is configured: `platform-auth doctor` says where to write one down.")
        return ExitStatus.DONE
    show(*table(["PROFILE", "PLATFORM", "STATE", ""], [_row(view) for view in views]))
    for view in views:
        _explain(view)
    kept = key_remark(views)
    show(*(["", kept] if kept else []))
    return ExitStatus.DONE


def _row(view: dict[str, Any]) -> list[str]:
    mark = " *" if view["default"] else ""
    # Nobody has tried to sign in to what is written down wrongly.
    state = state_words(view) if view["platform"] else "Cannot be used"
    return [view["profile"] + mark, view["platform"], state, for_how_long(view)]


def _explain(view: dict[str, Any]) -> None:
    for text in (*(f"Warning: {each}" for each in view["warnings"]), *remarks(view)):
        show("", f"{view['profile']}: {text}")
    error = view["error"]
    if error is not None:
        show("", f"{view['profile']}: {error['what']}")
        labelled = (("Why", error["why"]), ("Fix", error["fix"]))
        show(*(f"  {label}: {text}" for label, text in labelled if text))
