"""``platform-auth login``: sign in, with a browser where a person is needed."""

from __future__ import annotations

import argparse
from math import inf
from typing import TYPE_CHECKING, Any, Final

from ..connection import DEFAULT_TIMEOUT, Connection, connect
from .address import in_browser, is_certain
from .broker import find_broker
from .exit_status import ExitStatus
from .logs import keep_quiet
from .terminal import complain, open_browser, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import PlatformConfig

_REDIRECTS: Final = ("auto", "server", "loopback", "paste")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("profile", nargs="?", metavar="PROFILE", help="the default one if omitted")
    what.add_argument("--endpoint", metavar="HOST[:PORT]", help="a platform that is in no profile")
    parser.add_argument("--insecure", action="store_true", help="with --endpoint: without TLS")
    parser.add_argument("--flow", metavar="F", help="another way to get tokens than the profile's")
    parser.add_argument(
        "--redirect",
        choices=_REDIRECTS,
        metavar="R",
        help="another way home for the browser than the profile's: the Jupyter server, "
        "a port of this machine, or you paste the address it ends on "
        f"({', '.join(_REDIRECTS)})",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--force", action="store_true", help="also when signed in already")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=DEFAULT_TIMEOUT,
        metavar="S",
        help=f"seconds to wait for you (default: {DEFAULT_TIMEOUT:.0f})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Sign in."""
    if arguments.insecure and arguments.endpoint is None:
        complain("--insecure goes with --endpoint; a profile says itself whether it is insecure.")
        return ExitStatus.USAGE
    keep_quiet()  # what is to be said comes from the command
    connection = connect(_wanted(arguments))
    for warning in connection.status()["warnings"]:
        complain(f"Warning: {warning}")
    view = connection.sign_in(
        flow=arguments.flow,
        force=arguments.force,
        redirect=arguments.redirect,
        timeout=arguments.timeout,
        show=lambda view: _invite(view, connection, browser=not arguments.no_browser),
    )
    who = f" as {view['signed_in_as']}" if view["signed_in_as"] else ""
    show(f"Signed in to {view['platform']}{who} (profile {view['profile']}).")
    return ExitStatus.DONE


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < inf:
        msg = f"{text} is not a number of seconds above 0"
        raise argparse.ArgumentTypeError(msg)
    return value


def _wanted(arguments: argparse.Namespace) -> str | PlatformConfig | None:
    if arguments.endpoint is None:
        name: str | None = arguments.profile
        return name
    from ..config import PlatformConfig

    return PlatformConfig.for_endpoint(arguments.endpoint, insecure=arguments.insecure)


def _invite(view: dict[str, Any], connection: Connection, *, browser: bool) -> None:
    """Put what there is to do before the person."""
    challenge = view["challenge"]
    _INVITATIONS.get(challenge["kind"], _open)(view, connection, browser)


def _open(view: dict[str, Any], _connection: Connection, browser: bool) -> None:  # noqa: FBT001
    url = in_browser(view["challenge"]["url"])
    show(f"Open this address in a browser to sign in to {view['platform']}:", "", url, "")
    if url.startswith("/"):
        show("It begins where your Jupyter is: put its https://host before it.")
    elif view["sign_in_url"] is not None and not is_certain(url):
        show(
            "(Is your Jupyter at another address in the browser? Then put that host before "
            f"{view['challenge']['url']} instead.)"
        )
    _wait_with(url, browser=browser)


def _device(view: dict[str, Any], _connection: Connection, browser: bool) -> None:  # noqa: FBT001
    challenge = view["challenge"]
    whole = challenge["verification_uri_complete"]
    show(f"To sign in to {view['platform']}, open this address on any device:", "")
    show(challenge["verification_uri"], "", f"and enter the code {challenge['user_code']}", "")
    if whole:
        show("or open this address, which holds the code already:", "", whole, "")
    _wait_with(whole or challenge["verification_uri"], browser=browser)


def _paste(view: dict[str, Any], connection: Connection, browser: bool) -> None:  # noqa: FBT001
    from .paste import Paste

    url = view["challenge"]["url"]
    show(f"Open this address in a browser to sign in to {view['platform']}:", "", url, "")
    show(view["challenge"]["sentence"], "(It stands in the address bar; then press Enter.)")
    _wait_with(url, browser=browser)
    Paste(find_broker(), connection.profile).start()


_INVITATIONS: Final[dict[str, Callable[[dict[str, Any], Connection, bool], None]]] = {
    "open": _open,
    "device": _device,
    "paste": _paste,
}


def _wait_with(url: str, *, browser: bool) -> None:
    if browser and open_browser(url):
        show("A browser has been opened there.")
    show("Waiting for you to sign in (Ctrl-C calls it off) ...")
