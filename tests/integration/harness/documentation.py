"""The notebooks of the documentation, executed as a reader would, and written back with outputs.

``python -m harness.documentation`` (``make notebooks``) does it for all of them.
"""

# mypy: allow-untyped-calls
# nbformat's and nbclient's functions have no types.

from __future__ import annotations

import contextlib
import json
import re
import sys
import tempfile
import threading
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import nbformat
from nbclient import NotebookClient

from fakes.flyte_platform import flyte2_platform, flyte_platform
from harness.broker import broker_environment
from harness.environment import isolated
from harness.jupyter import JupyterServer
from harness.jupyter_user import JupyterUser
from harness.scripted import ScriptedPerson
from platform_auth.sandbox import Sandbox
from platform_auth.sandbox.bearer import BearerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fakes.flyte_platform import FlytePlatform

NOTEBOOKS: Final = Path(__file__).parents[3] / "notebooks"
FLOWS: Final = ("pkce", "device", "client-credentials", "external-command")
"""What there is a notebook for, with outputs; the quickstart has none."""

CLIENTS: Final = ("client-http", "client-grpc", "client-flytekit", "client-flyte")
"""Likewise, one for each kind of client."""

PAGES: Final = (*FLOWS, *CLIENTS)

_SECONDS: Final = 60


class Desk:
    """Where a reader sits: the demo's profiles, a Jupyter server, and a browser.

    Parameters
    ----------
    directory
        For the server's files and the notebooks' own.
    sandbox
        The provider and the platform.
    more
        Profiles besides the sandbox's.

    """

    def __init__(self, directory: Path, sandbox: Sandbox, more: Mapping[str, Any]) -> None:
        self._profiles = directory / "profiles.yaml"
        self._profiles.write_text(
            json.dumps({"default": "demo", "profiles": {**sandbox.profiles(), **more}}),
            encoding="utf-8",
        )
        self._profiles.chmod(0o600)
        self.directory = directory / "work"
        self._home, config = directory / "home", str(self._profiles)
        self.server = JupyterServer(directory, env={"PLATFORM_AUTH_CONFIG": config})

    def environment(self) -> dict[str, str]:
        """Return the environment of the reader's kernels."""
        return {
            **isolated(self._home, PLATFORM_AUTH_CONFIG=str(self._profiles)),
            **broker_environment(self.server),
            "PLATFORM_AUTH_INTERACTIVE": "always",  # the reader is there, though nbclient is not
            "FLYTE_SDK_LOGGING_LEVEL": "40",  # errors: warnings have the time of day in them
        }

    def read(self, name: str) -> nbformat.NotebookNode:
        """Execute a notebook and return it with its outputs."""
        notebook: nbformat.NotebookNode = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
        for cell in notebook.cells:
            cell.pop("outputs", None)
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        reader = _Reader(
            notebook,
            timeout=_SECONDS,
            record_timing=False,
            resources={"metadata": {"path": str(self.directory)}},
        )
        reader.desk = self
        reader.execute(env=self.environment())
        reader.come_back()
        notebook.metadata = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).metadata
        return notebook

    def sign_in(self, address: str) -> None:
        """Do what a display asks for, as Ada."""
        if address.startswith("/"):
            with closing(JupyterUser(self.server)) as user:
                user.sign_in(address.partition("profile=")[2])
        else:
            with ScriptedPerson() as person:
                person.visit(address)

    def close(self) -> None:
        """Leave."""
        self.server.stop()


class _Reader(NotebookClient):
    """Executes a notebook, and signs in where a cell asks for it."""

    desk: Desk

    def process_message(
        self, msg: dict[str, Any], cell: nbformat.NotebookNode, cell_index: int
    ) -> nbformat.NotebookNode | None:
        """Look for a display that waits for somebody."""
        text = msg["content"].get("data", {}).get("text/plain", "")
        asked = re.match(r"Sign in to .*: open (\S+)", text)
        if msg["msg_type"] == "display_data" and asked:
            walk = threading.Thread(target=self.desk.sign_in, args=(asked[1],))
            walk.start()
            self._walks = [*getattr(self, "_walks", []), walk]
        return super().process_message(msg, cell, cell_index)

    def come_back(self) -> None:
        """Wait until the person is back from everywhere."""
        for walk in getattr(self, "_walks", []):
            walk.join(_SECONDS)


@contextmanager
def desk(directory: Path) -> Iterator[tuple[Desk, Sandbox]]:
    """Sit down at one."""
    with ExitStack() as ends:
        sandbox = ends.enter_context(Sandbox())
        sandbox.settings.device_interval = 1
        flyte = ends.enter_context(flyte_platform(_made(directory / "flyte")))
        flyte2 = ends.enter_context(flyte2_platform(_made(directory / "flyte2")))
        more = {"flyte": _of_flyte(flyte, sandbox), "flyte2": _of_flyte(flyte2, sandbox)}
        found = ends.enter_context(closing(Desk(directory, sandbox, more)))
        yield found, sandbox


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def _of_flyte(platform: FlytePlatform, sandbox: Sandbox) -> dict[str, Any]:
    """Have a platform take the sandbox's tokens; return the profile of it."""
    verifier = sandbox.verifier()

    def takes(given: str | None) -> bool:
        with contextlib.suppress(BearerError):
            verifier.verify(given)
            return True
        return False

    platform.takes = takes  # type: ignore[method-assign]
    demo: dict[str, Any] = sandbox.profiles()["demo"]
    place = {"endpoint": f"dns:///{platform.endpoint}", "caCertFilePath": str(platform.ca)}
    return {"admin": {**demo["admin"], **place, "insecure": False}, "oauth": demo["oauth"]}


def main() -> None:
    """Execute all notebooks and write them back."""
    with tempfile.TemporaryDirectory() as directory, desk(Path(directory)) as (reader, _sandbox):
        for name in sys.argv[1:] or PAGES:
            text = nbformat.writes(reader.read(name))
            (NOTEBOOKS / f"{name}.ipynb").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
