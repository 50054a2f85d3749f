"""Running the commands of profiles: no shell, little inherited, no way to hang."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from typing import TYPE_CHECKING, Final

from ..errors import ConfigError, ProviderError, TransportError
from .redaction import redact
from .responses import plain

if TYPE_CHECKING:
    from .steps import Run

MAX_OUTPUT: Final = 1024 * 1024
"""Bytes of standard output that are read; a command that prints more is killed."""

_MAX_ERRORS = 64 * 1024
_GRACE = 1.0  # seconds for output that a child of the command still holds back

# Enough to find programs, their settings and the network; no tokens of Jupyter's or ours.
_ENVIRONMENT: Final = (
    "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER", "SYSTEMROOT", "USERPROFILE",
    "APPDATA", "LOCALAPPDATA", "PATHEXT", "TEMP", "TMP", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy",
    "https_proxy", "no_proxy", "all_proxy",
)  # fmt: skip
_PREFIXES: Final = ("LC_", "XDG_", "AWS_", "AZURE_", "CLOUDSDK_", "GOOGLE_", "KUBE", "FLYTE_")


async def run_command(step: Run) -> str:
    """Run a command and return its standard output.

    It gets no standard input and no terminal. Whatever it started is killed with it, when the time
    is up, the output too long or the caller gone.

    Parameters
    ----------
    step
        The command and its time.

    Raises
    ------
    ConfigError
        It cannot be found or started.
    ProviderError
        It failed, or its output is too long or not text. What it printed is not repeated; the last
        line of its standard error is, redacted.
    TransportError
        It took too long.

    """
    name = os.path.basename(step.argv[0])  # noqa: PTH119 - also of a name that is no path here
    process = await _start(step, name)
    try:
        async with asyncio.timeout(step.timeout):
            output, errors, status = await _read(process)
    except TimeoutError:
        what = f"The command {name} did not finish within {step.timeout:.0f} seconds."
        raise TransportError(what, fix="Run it in a terminal: perhaps it waits for you.") from None
    finally:
        _kill_group(process)
    if len(output) > MAX_OUTPUT:
        raise ProviderError(f"The command {name} printed more than {MAX_OUTPUT} bytes.")
    if status != 0:
        lines = redact(errors.decode(errors="replace")).strip().splitlines()
        why = f"It said: {plain(lines[-1])}" if lines else "It said nothing."
        what = f"The command {name} failed with status {status}."
        raise ProviderError(what, why=why, fix="Run it in a terminal to see more.")
    try:
        return output.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"The command {name} printed something that is not UTF-8 (byte {error.start})."
        raise ProviderError(what) from None


async def _start(step: Run, name: str) -> asyncio.subprocess.Process:
    fix = "Give admin.command as an absolute path, or as a name that is in PATH."
    program = shutil.which(step.argv[0])
    # Relative to what? The server's directory is the notebooks', which anybody may have filled.
    if program is None or not os.path.isabs(program):  # noqa: PTH117 - a str it came as
        what = f"The command {name} was not found, or is not executable."
        raise ConfigError(what, fix=fix)
    try:
        return await asyncio.create_subprocess_exec(
            program,
            *step.argv[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        why = error.strerror or "the system refused"
        raise ConfigError(f"The command {name} cannot be started.", why=why, fix=fix) from None


async def _read(process: asyncio.subprocess.Process) -> tuple[bytes, bytes, int]:
    output, errors = bytearray(), bytearray()
    readers = {
        asyncio.create_task(_collect(process.stdout, output, MAX_OUTPUT)),
        asyncio.create_task(_collect(process.stderr, errors, _MAX_ERRORS)),
    }
    exited = asyncio.create_task(process.wait())
    try:
        while not exited.done() and len(output) <= MAX_OUTPUT:
            waiting = {exited, *(r for r in readers if not r.done())}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        # A grandchild may hold the pipes open for ever; the token has been printed by now.
        await asyncio.wait(readers, timeout=_GRACE)
        return bytes(output), bytes(errors), process.returncode or 0
    finally:
        for task in (*readers, exited):
            task.cancel()


async def _collect(stream: asyncio.StreamReader | None, into: bytearray, limit: int) -> None:
    while stream and len(into) <= limit and (chunk := await stream.read(64 * 1024)):
        into += chunk
    if stream and limit != MAX_OUTPUT:
        while await stream.read(64 * 1024):  # a full pipe would stop the command
            pass


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _ENVIRONMENT or name.startswith(_PREFIXES)
    }


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()
