"""``platform-auth logout``: sign out, for every kernel and terminal that shares the sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import also_sign_out_at
from .broker import find_broker
from .exit_status import ExitStatus
from .terminal import show

if TYPE_CHECKING:
    import argparse

    from ..broker.client import BrokerClient


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("profile", nargs="?", metavar="PROFILE", help="the default one if omitted")
    which.add_argument("--all", action="store_true", help="sign out everywhere")


def run(arguments: argparse.Namespace) -> int:
    """Sign out."""
    client = find_broker()
    names = _signed_in(client) if arguments.all else [arguments.profile or _default()]
    for name in names:
        before = client.session(name)["state"]
        page = client.sign_out(name).get("logout_url")
        show(f"{name}: {'you were not signed in' if before == 'signed_out' else 'signed out'}.")
        if page is not None:
            show(f"{also_sign_out_at(page)}:", "", page, "")
    if not names:
        show("You were not signed in anywhere.")
    return ExitStatus.DONE


def _signed_in(client: BrokerClient) -> list[str]:
    # A profile whose settings are broken has no session to end, only an error to show.
    views = [view for view in client.profiles()["profiles"] if view["platform"]]
    return [view["profile"] for view in views if view["state"] != "signed_out"]


def _default() -> str:
    from ..connection import connect

    return connect().profile
