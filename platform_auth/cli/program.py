"""The program as a whole: which command is meant, and what becomes of its errors."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..errors import PlatformAuthError, SignInRequiredError
from .debugging import DEBUG_VARIABLE, is_debugging
from .exit_status import ExitStatus
from .terminal import complain, make_printable

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status; whatever goes wrong is told, not raised."""
    make_printable()
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        status = _run(given)
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


def _run(given: Sequence[str]) -> int:
    if given and given[0] == "token":
        from . import token

        wish = token.understood(given[1:])
        if wish is not None:
            return token.print_token(*wish)
    from .parser import command_parser

    chosen = command_parser(given).parse_args(given)
    status: int = chosen.run(chosen)
    return status


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
