"""The program as a whole: which command is meant, and what becomes of its errors."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from ..errors import PlatformAuthError, SignInRequiredError
from .debugging import DEBUG_VARIABLE, is_debugging
from .exit_status import ExitStatus
from .terminal import complain, make_printable, show

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
}

_EPILOG: Final = """\
exit status: 0 done, 1 failed, 2 wrong usage, 3 a person must sign in first
"""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status; whatever goes wrong is told, not raised."""
    make_printable()
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        chosen = _parser(given).parse_args(given)
        status: int = chosen.run(chosen)
        sys.stdout.flush()
    except PlatformAuthError as error:
        return _tell(error)
    except KeyboardInterrupt:
        complain("", "Interrupted.")
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        # Whoever read it has seen enough; without this Python complains once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.FAILED
    except Exception as error:  # noqa: BLE001 - nobody prints a traceback at a person
        return _tell_unforeseen(error)
    return status


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser that knows all commands by name, and one of them well."""
    program = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib costs 10 ms
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
            module = import_module(f".{name}", __package__)
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


def _tell(error: PlatformAuthError) -> int:
    if is_debugging():
        _show_traceback()
    lines = ((f"  {label}: ", text) for label, text in (("Why", error.why), ("Fix", error.fix)))
    complain(f"platform-auth: {error.what}", *(label + text for label, text in lines if text))
    if isinstance(error, SignInRequiredError):
        return ExitStatus.SIGN_IN_REQUIRED
    return ExitStatus.FAILED


def _tell_unforeseen(error: Exception) -> int:
    from ..oauth.redaction import redact

    complain(
        f"platform-auth: this should not have happened ({type(error).__name__}).",
        f"  Why: {redact(str(error)) or 'not known'}",
        f"  Fix: set {DEBUG_VARIABLE}=1 to see where, and report it with what you see.",
    )
    if is_debugging():
        _show_traceback()
    return ExitStatus.FAILED


def _show_traceback() -> None:
    import traceback

    from ..oauth.redaction import redact

    complain(*redact(traceback.format_exc()).splitlines())
