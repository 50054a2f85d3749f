"""The demo without a person: everything real but the person, and a verdict in the end."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from ...broker.environment import ADDRESS_VARIABLE, TOKEN_FILE_VARIABLE
from ...sandbox import Sandbox
from ...sandbox.platform import PROJECTS
from ...secret import Secret
from ..exit_status import ExitStatus
from ..logs import keep_quiet
from ..terminal import complain, show
from .kernel import Kernel
from .notebooks import NAME
from .outputs import LOGIN_MIME, has_failed, text_of
from .place import Place
from .requirement import require
from .search import Search
from .server import Server, settings
from .visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .kernel import Output

_TERMINAL_SECONDS: Final = 60.0


def check() -> int:
    """Run the quickstart, have somebody sign in, and tell how it went.

    Raises
    ------
    MissingPackageError
        There is no kernel to run it in.

    """
    require("ipykernel")
    keep_quiet()
    began, token = time.monotonic(), secrets.token_urlsafe(24)
    with (
        Sandbox() as sandbox,
        Place(sandbox.profiles(), settings(token)) as place,
        Server(place, token) as server,
    ):
        show(
            f"identity provider  {sandbox.issuer}",
            f"platform           {sandbox.platform_url}",
            f"Jupyter server     {server.url} ({_since(began)})",
        )
        problems = Rehearsal(sandbox, place, server).run(token)
    complain(*(f"failed: {problem}" for problem in problems))
    show(f"{'FAILED' if problems else 'All is well'} ({_since(began)} in all).")
    return ExitStatus.FAILED if problems else ExitStatus.DONE


class Rehearsal:
    """One run of the quickstart.

    Parameters
    ----------
    sandbox, place, server
        What it runs on.

    """

    def __init__(self, sandbox: Sandbox, place: Place, server: Server) -> None:
        self._sandbox, self._place, self._server = sandbox, place, server
        self._shown = ""

    def run(self, token: str) -> list[str]:
        """Do it all, and return what went wrong."""
        with (
            Kernel(self._server, NAME) as kernel,
            closing(Visitor(self._server, self._sandbox, kernel.interrupt)) as visitor,
        ):
            visitor.log_in(token)
            problems = [*self._run_cells(kernel, visitor)]
            visitor.wait()
            problems += self._judge(visitor)
            if not problems:
                problems += self._use_terminal(_broker_of(kernel))
        return problems

    def _run_cells(self, kernel: Kernel, visitor: Visitor) -> Iterator[str]:
        """Run them as *Run All* does: a failure ends it."""
        import nbformat

        notebook: Any = nbformat.read(self._place.notebook, as_version=4)  # type: ignore[no-untyped-call]
        for cell in notebook.cells:
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            cell.outputs = self._run_cell(cell.source, kernel, visitor)
            if any(map(has_failed, cell.outputs)):
                yield f"The cell {cell.source.splitlines()[0]!r} ended in an error."
                break
        nbformat.write(notebook, self._place.notebook)  # type: ignore[no-untyped-call]

    def _run_cell(self, source: str, kernel: Kernel, visitor: Visitor) -> list[Output]:
        show("", *(f"> {line}".rstrip() for line in source.splitlines()))
        began = time.monotonic()
        outputs = kernel.run(source, lambda output: _send(visitor, output))
        for output in outputs:
            text = text_of(output)
            self._shown += text
            show(*(f"  {line}" for line in text.splitlines()))
        show(f"  ({_since(began)})")
        return outputs

    def _judge(self, visitor: Visitor) -> Iterator[str]:
        if visitor.problem is not None:
            yield f"The person did not get through: {visitor.problem}"
        elif not visitor.has_gone:
            yield "No cell asked anybody to sign in."
        if not any(each.ok for each in self._sandbox.requests):
            yield "The identity provider has issued no token."
        unseen = [each["name"] for each in PROJECTS if each["name"] not in self._shown]
        if unseen:
            yield f"No cell has shown the platform's projects {', '.join(unseen)}."

    def _use_terminal(self, broker: dict[str, str]) -> Iterator[str]:
        """Ask for a token as a terminal of the same server would, then look where it has gone."""
        show("", "$ platform-auth token demo")
        command, began = (
            [sys.executable, "-m", "platform_auth.cli", "token", "demo"],
            time.monotonic(),
        )
        result = subprocess.run(  # noqa: S603 - our own program
            command,
            env={**self._place.environment(), **broker},
            capture_output=True,
            text=True,
            timeout=_TERMINAL_SECONDS,
            check=False,
        )
        took = _since(began)
        token = Secret(result.stdout.strip())
        if result.returncode != ExitStatus.DONE or not token:
            yield f"platform-auth token ended with {result.returncode}: {result.stderr.strip()}"
            return
        show(f"  a token of {len(token.reveal())} characters, not shown here", f"  ({took})", "")
        yield from self._search(token)

    def _search(self, token: Secret) -> Iterator[str]:
        search = Search([token, *self._sandbox.refresh_tokens()])
        for path, name in ((self._place.work, "notebook"), (self._place.log, "server's log")):
            if search.finds_in(path):
                yield f"The {name} holds a token."
            else:
                show(f"no token in the {name}")


def _send(visitor: Visitor, output: Output) -> None:
    """Have the person follow a login display's link, when one is shown."""
    login = output.get("data", {}).get(LOGIN_MIME)
    if login is not None:
        show(f"  {text_of(output)}", "  ... and so a scripted person does, as Ada Lovelace")
        visitor.go(login["sign_in_path"])


def _broker_of(kernel: Kernel) -> dict[str, str]:
    """Return what the server tells its kernels and terminals of its broker: places, no secret."""
    names = [ADDRESS_VARIABLE, TOKEN_FILE_VARIABLE]
    code = f"import os\nfor name in {names!r}: print(os.environ[name])"
    lines = "".join(text_of(output) for output in kernel.run(code)).splitlines()
    return dict(zip(names, lines, strict=True))


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.2f} s"
