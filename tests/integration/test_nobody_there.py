"""Notebooks that run without a person: nbconvert, nbclient's own program and papermill."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.broker import broker_environment
from harness.environment import isolated, program
from harness.jupyter_user import JupyterUser
from harness.notebooks import read_notebook, write_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.jupyter import JupyterServer
    from platform_auth.sandbox import Sandbox

NBCONVERT = ("jupyter", "nbconvert", "--to=notebook", "--inplace", "--execute")
NBCLIENT = ("jupyter", "execute", "--inplace")
PAPERMILL = ("papermill", "--no-progress-bar")
TOOLS = [NBCONVERT, NBCLIENT, PAPERMILL]
SECONDS = 120


def name_of(tool: Sequence[str]) -> str:
    return tool[1] if tool[0] == "jupyter" else tool[0]


@dataclass
class Ran:
    """How a run ended, what it logged, and what the notebook holds afterwards."""

    status: int
    log: str
    notebook: dict[str, Any]

    @property
    def outputs(self) -> list[list[dict[str, Any]]]:
        return [cell["outputs"] for cell in self.notebook["cells"] if "outputs" in cell]

    @property
    def text(self) -> str:
        return json.dumps(self.notebook)


@pytest.fixture
def ran(sandbox: Sandbox, tmp_path: Path) -> Callable[..., Ran]:
    """Return a function that runs a notebook, with the sandbox's profiles and nobody there."""
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text(json.dumps({"profiles": sandbox.profiles()}))
    profiles.chmod(0o600)

    def run(tool: Sequence[str], *cells: str, **env: str) -> Ran:
        notebook = tmp_path / "work" / "notebook.ipynb"
        write_notebook(notebook, cells)
        places = [str(notebook)] * (2 if tool[0] == "papermill" else 1)
        done = subprocess.run(
            [program(tool[0]), *tool[1:], *places],
            env=isolated(tmp_path / "home", PLATFORM_AUTH_CONFIG=str(profiles), **env),
            cwd=notebook.parent,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stderr, read_notebook(notebook))

    return run


# A program beside the notebook, as the documentation has it.
BESIDE = (
    """\
from pathlib import Path

Path("get_token.sh").write_text("#!/bin/sh\\ncat token.txt\\n")
Path("get_token.sh").chmod(0o755)
Path("token.txt").write_text("my-custom-access-token")
""",
    """\
import os
from platform_auth import AuthType, PlatformConfig, connect

external_command_config = PlatformConfig(
    endpoint="custom-auth-admin.example.com:443",
    command=["./get_token.sh"],
    auth_mode=AuthType.EXTERNAL_PROCESS,
)
connection = connect(external_command_config)
os.chdir("/")  # the broker need not be where the notebook is
connection.access_token()[::-1]
""",
)


@pytest.mark.parametrize("tool", TOOLS, ids=name_of)
def test_a_service_simply_signs_in(
    ran: Callable[..., Ran], sandbox: Sandbox, tool: tuple[str, ...]
) -> None:
    login = ("%load_ext platform_auth", "%platform_login demo-service", "client.get('/me').json()")
    found = ran(tool, *login, *BESIDE)
    assert found.status == 0, found.log
    shown = [json.dumps(each) for each in found.outputs]
    assert "platform-auth-service" in shown[2]
    assert [each["output_type"] for each in found.outputs[1]] == ["stream"]  # no widget, no display
    secret = sandbox.profiles()["demo-service"]["oauth"]["client_secret"]
    assert secret not in found.text + found.log
    assert [(each.grant_type, each.outcome) for each in sandbox.requests] == [
        ("client_credentials", "ok")
    ]
    assert "my-custom-access-token"[::-1] in shown[-1]


@pytest.mark.parametrize(("tool", "flow"), [(NBCONVERT, "demo"), (PAPERMILL, "demo-device")])
def test_what_needs_a_person_fails_at_once_and_says_what_to_do(
    ran: Callable[..., Ran], sandbox: Sandbox, tool: tuple[str, ...], flow: str
) -> None:
    # An address or a code in a file that nobody reads would be worse: the run would hang until it
    # expires, and what was shown would be in the notebook for whoever opens it.
    later = "print('not', 'reached')"
    found = ran(tool, "%load_ext platform_auth", f"%platform_login {flow} --timeout 600", later)
    assert found.status != 0
    for sentence in (
        "and nobody is there to do it",
        f"Sign in to the profile {flow} in JupyterLab on this server first",
        "PLATFORM_AUTH_INTERACTIVE=always",
    ):
        assert sentence in found.log
    assert sandbox.requests == ()  # nothing was begun that somebody would have to finish
    if tool is PAPERMILL:  # nbconvert writes no notebook that has failed
        [error] = [each for outputs in found.outputs for each in outputs]
        assert error["ename"] == "SignInRequiredError"
        assert len("".join(error["traceback"]).splitlines()) == 3  # what, why and what to do


@pytest.mark.parametrize("tool", [NBCONVERT, PAPERMILL], ids=name_of)
def test_who_has_signed_in_on_the_server_is_signed_in_there_too(
    ran: Callable[..., Ran], server: JupyterServer, tool: tuple[str, ...]
) -> None:
    cells = ("%load_ext platform_auth", "%platform_login demo", "client.get('/me').json()['email']")
    found = ran(tool, *cells, **broker_environment(server))
    assert found.status == 0, found.log
    assert "ada@example.com" in json.dumps(found.outputs)


@pytest.fixture
def server(sandbox: Sandbox, jupyter_server_process: Callable[..., JupyterServer]) -> JupyterServer:
    """Run a Jupyter server on which Ada has signed in."""
    server = jupyter_server_process(config={"profiles": sandbox.profiles()})
    user = JupyterUser(server)
    assert user.sign_in("demo").status_code == 200
    user.close()
    return server
