"""Running the commands of profiles: no shell, little inherited, no way to hang."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import shutil
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ConfigError, PlatformAuthError, ProviderError, TransportError
from .redaction import redact
from .responses import plain

if TYPE_CHECKING:
    from .steps import Run

MAX_OUTPUT: Final = 1024 * 1024
"""Bytes of standard output that are read; a command that prints more is killed."""

INSIDE: Final = "PLATFORM_AUTH_INSIDE_COMMAND"
"""Set for every command, so that none can start itself again by way of ``platform-auth token``."""

_MAX_ERRORS = 64 * 1024
_GRACE = 1.0  # seconds for output that a child of the command still holds back

# Enough to find programs, their settings and the network; no tokens of Jupyter's or ours.
_ENVIRONMENT: Final = (
    "HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER", "SYSTEMROOT",
    "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PATHEXT", "TEMP", "TMP", "COMSPEC",
    "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "FLYTECTL_CONFIG",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY",
    "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
)  # fmt: skip
_PREFIXES: Final = ("LC_", "XDG_", "AWS_", "AZURE_", "CLOUDSDK_", "GOOGLE_", "KUBE", "VAULT_")


async def run_command(step: Run) -> str:
    """Run a command and return its standard output.

    It gets no standard input and no terminal, a cleaned environment, and the directory it lies in
    to work in. Whatever it started is killed with it, when the time is up, the output too long or
    the caller gone.

    Parameters
    ----------
    step
        The command and its time. A name is looked up in ``PATH``; ``~`` is the home.

    Raises
    ------
    ConfigError
        It cannot be found or started, or any user of this machine could have changed it.
    ProviderError
        It failed, or its output is too long or not text. What it printed is not repeated; the last
        line of its standard error is, redacted.
    TransportError
        It took too long.

    """
    name = _shown(step.argv[0])
    if INSIDE in os.environ:
        what = f"The command {name} is to be run by platform-auth inside another such command."
        raise ConfigError(what, fix="Let the profile's command be a program that makes tokens.")
    program = _program(step.argv[0], name)
    starting = asyncio.create_task(_start(program, step.argv[1:], name))
    try:
        # Cancelled in its midst, asyncio's own start would wait for ever.
        transport, output = await asyncio.shield(starting)
        async with asyncio.timeout(step.timeout):
            await output.complete()
    except TimeoutError:
        raise _too_slow(name, step.timeout, output) from None
    finally:
        await _end(starting)
    return _text(name, transport.get_returncode(), output)


class _Output(asyncio.SubprocessProtocol):
    """What a process prints, up to a limit.

    Not the streams of `asyncio.create_subprocess_exec`: these wait for the end of the pipes, which
    a grandchild may hold open for ever.
    """

    def __init__(self) -> None:
        self.text, self.errors = bytearray(), bytearray()
        self._open = {1, 2}
        self._exited, self._enough, self._ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @property
    def is_too_long(self) -> bool:
        return len(self.text) > MAX_OUTPUT

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self.text += data[: MAX_OUTPUT + 1 - len(self.text)]
        else:
            self.errors += data
            del self.errors[:-_MAX_ERRORS]
        if self.is_too_long:
            self._enough.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        del exc
        self._open.discard(fd)
        if not self._open:
            self._ended.set()

    def process_exited(self) -> None:
        self._exited.set()
        self._enough.set()

    async def complete(self) -> None:
        """Return when the process has ended and all it printed is here, or it printed too much."""
        await self._enough.wait()
        if not self.is_too_long:
            # A grandchild may hold the pipes open; the token has been printed by now.
            await _at_most(self._ended, _GRACE)

    async def wait_for_exit(self, seconds: float) -> None:
        """Return when the process has ended, or after so many seconds."""
        await _at_most(self._exited, seconds)

    def last_error(self) -> str:
        """Return the last line on standard error, as a sentence without secrets."""
        lines = redact(self.errors.decode(errors="replace")).strip().splitlines()
        return f"It said: {plain(lines[-1])}" if lines else "It said nothing."


async def _at_most(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _text(name: str, status: int | None, output: _Output) -> str:
    if output.is_too_long:
        what = f"The command {name} printed more than {MAX_OUTPUT} bytes."
        raise ProviderError(what, fix="It must print a token and nothing else.")
    if status != 0:
        how = f"was ended by signal {-status}" if status and status < 0 else f"failed ({status})"
        what = f"The command {name} {how}."
        raise ProviderError(what, why=output.last_error(), fix=_IN_TERMINAL)
    wide = output.text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return output.text.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"The command {name} printed something that is not UTF-8 (byte {error.start})."
    raise ProviderError(what, fix=_IN_TERMINAL)  # not inside: the error holds what was printed


_IN_TERMINAL: Final = "Run it in a terminal, in its own directory, to see more."


def _too_slow(name: str, seconds: float, output: _Output) -> PlatformAuthError:
    return TransportError(
        f"The command {name} did not finish within {seconds:g} seconds.",
        why=output.last_error(),
        fix="Run it in a terminal: perhaps it waits for you, which it cannot do here.",
    )


async def _start(
    program: str, arguments: tuple[str, ...], name: str
) -> tuple[asyncio.SubprocessTransport, _Output]:
    loop = asyncio.get_running_loop()
    try:
        transport, output = await loop.subprocess_exec(
            _Output,
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            env=_environment(),
            # Not the server's: a module or file there, in the notebooks' directory, could be
            # anybody's and would be found first.
            cwd=Path(program).parent,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "An argument cannot be handed over."
        fix = "If it is a script, check its first line (#!): the program it names must be there."
        raise ConfigError(f"The command {name} cannot be started.", why=why, fix=fix) from None
    return transport, output


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _ENVIRONMENT or name.startswith(_PREFIXES)
    }
    return kept | {INSIDE: "1"}


async def _end(starting: asyncio.Task[tuple[asyncio.SubprocessTransport, _Output]]) -> None:
    try:
        transport, output = await asyncio.shield(starting)
    except PlatformAuthError:
        return  # nothing was started
    _kill_group(transport)
    await output.wait_for_exit(_GRACE)  # or a zombie would outlive the event loop
    transport.close()


def _kill_group(transport: asyncio.SubprocessTransport) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        elif transport.get_returncode() is None:
            transport.kill()


# Which program it is


def _shown(word: str) -> str:
    """Return the name of a command for people; a whole line in its place may hold a secret."""
    if not word.strip():
        return repr(word)
    is_file = "\0" not in word and os.access(word, os.F_OK)
    return plain(Path(word if is_file else word.split(maxsplit=1)[0]).name, 80)


def _program(word: str, name: str) -> str:
    """Return the absolute path of what is to be run."""
    path = _path(word, name)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise _not_there(word, name, getattr(error, "strerror", None) or "") from None
    if stat.S_ISDIR(mode):
        raise ConfigError(f"The command {name} is a directory.", fix=_ABSOLUTE)
    if not os.access(path, os.X_OK):
        raise ConfigError(f"The command {name} is not executable.", fix=f"Run: chmod +x {name}")
    if os.name == "posix" and mode & stat.S_IWOTH:
        what = f"Every user of this machine can change the command {name}: it is not run."
        raise ConfigError(what, fix=f"Run: chmod o-w {name}")
    return str(path)


_ABSOLUTE: Final = "Give it as an absolute path, as ~/…, or as a name that is in PATH."


def _path(word: str, name: str) -> Path:
    path = Path(word)
    if path.name == word:
        found = shutil.which(word)
        if found is None:
            raise _not_there(word, name, "No directory of PATH has it.")
        path = Path(found)
    with contextlib.suppress(RuntimeError):  # somebody without a home
        path = path.expanduser()
    # Relative to what? The server's directory is the notebooks', which anybody may have filled.
    if not path.is_absolute():
        if _is_line(word):
            raise _not_there(word, name, "")
        what = f"The command {name} is a relative path, or PATH has a relative directory."
        raise ConfigError(what, fix=_ABSOLUTE)
    return path


def _not_there(word: str, name: str, why: str) -> ConfigError:
    fix = "Write it as a list: [program, argument]." if _is_line(word) else _ABSOLUTE
    return ConfigError(f"The command {name} was not found.", why=why, fix=fix)


def _is_line(word: str) -> bool:
    return len(word.split()) > 1
