"""What there is to say on the command line."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from .terminal import show

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "login": "sign in to a platform",
    "logout": "sign out, for every kernel and terminal that shares the sign-in",
    "status": "show who is signed in where",
    "token": "print an access token, and nothing else",
    "profiles": "list the platforms there are to sign in to",
    "setup": "have Flyte's own tools get their tokens from here",
    "doctor": "check everything that a sign-in depends on, and say what to do",
    "demo": "try it all with a provider and a platform on this machine",
    "hub-service": "run JupyterHub's sign-in service, of which there may be many",
}

_EPILOG: Final = """\
exit status: 0 done, 1 failed, 2 wrong usage, 3 a person must sign in first
"""


def command_parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser that knows all commands by name, and one of them well."""
    program = Path(sys.argv[0]).name
    parser = argparse.ArgumentParser(
        prog="jupyter platform-auth" if program.startswith("jupyter-") else "platform-auth",
        description="Sign in once, and every kernel, terminal and tool has a fresh token.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    wanted = next((word for word in given if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=_sentence(summary))
        if name == wanted:
            module = import_module(f".{name.replace('-', '_')}", __package__)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


class _Version(argparse.Action):
    """Prints the version; looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_values: object) -> NoReturn:
        from .._version import __version__

        show(f"platform-auth {__version__}")
        parser.exit()
