"""``platform-auth profiles --add, --remove, --default``: changing one's own profiles."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..config import Profiles
from ..config.caution import cautions
from ..config.profile_edit import ProfileEditor
from .broker import find_broker
from .exit_status import ExitStatus
from .table import table
from .terminal import complain, show

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what they take."""
    change = parser.add_mutually_exclusive_group()
    change.add_argument(
        "--add", metavar="ENDPOINT", help="ask a platform how to sign in there, and write it down"
    )
    change.add_argument(
        "--remove", metavar="NAME", help="sign out, and take a profile of yours out"
    )
    change.add_argument(
        "--default", metavar="NAME", help="choose the one meant where none is named"
    )
    parser.add_argument("--name", help="with --add: what to call it (default: after its host)")
    parser.add_argument(
        "--client-id", metavar="ID", help="with --add: where the platform names none"
    )
    parser.add_argument("--insecure", action="store_true", help="with --add: plain http")


def run(arguments: argparse.Namespace) -> int | None:
    """Make the change; None where none was asked for."""
    editor = ProfileEditor(Profiles())
    if arguments.add:
        return _add(editor, arguments)
    if arguments.remove:
        return _remove(editor, arguments.remove)
    if arguments.default:
        editor.make_default(arguments.default)
        show(f"{arguments.default} is what is meant where no profile is named.")
        return ExitStatus.DONE
    return None


def _add(editor: ProfileEditor, arguments: argparse.Namespace) -> int:
    from ..oauth.prospect import AUTH_TYPES, look_at, suggested_name  # late: it imports httpx2

    admin: dict[str, Any] = {"endpoint": arguments.add}
    admin |= {"insecure": True} if arguments.insecure else {}
    admin |= {"clientId": arguments.client_id} if arguments.client_id else {}
    config = editor.check(arguments.name or "new", {"admin": admin}).config
    name = arguments.name or suggested_name(config)
    editor.check_free(name)
    prospect = asyncio.run(look_at(config))
    rows = [[fact.what, fact.value, fact.source] for fact in prospect.found]
    show(*table(["FOUND", "VALUE", "WHERE"], rows), "")
    complain(*cautions(config))
    if prospect.needs_client:
        complain(
            "The platform does not say as which client you sign in.",
            "  Ask whoever runs it, and give it with --client-id.",
        )
        return ExitStatus.FAILED
    if prospect.flows:
        admin["authType"] = AUTH_TYPES[prospect.flows[0]]
    editor.save(name, {"admin": admin})
    show(f"{name} is written down. Sign in: platform-auth login {name}")
    return ExitStatus.DONE


def _remove(editor: ProfileEditor, name: str) -> int:
    editor.show(name)  # nobody is signed out of what stays
    client = find_broker()
    if any(view["profile"] == name and view["platform"] for view in client.profiles()["profiles"]):
        client.sign_out(name)
    editor.remove(name)
    show(f"{name} is removed.")
    return ExitStatus.DONE
