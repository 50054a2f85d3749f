"""One sign-in for a whole machine: its terminals and its Jupyter servers, in whichever order."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.broker import broker_client, broker_environment, profile
from harness.environment import isolated, program
from harness.faces import CommandLine
from harness.jupyter_user import JupyterUser
from harness.people import ADA
from harness.polling import wait_until
from harness.scripted import ScriptedPerson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.jupyter import JupyterServer
    from harness.provider import OidcProvider

PASTED = "http://localhost:53593/callback"


@dataclass
class Machine:
    """What all programs of a person share: profiles, and where their sign-ins rest."""

    shared: dict[str, str]
    terminal: dict[str, str]
    oidc: OidcProvider
    start: Callable[..., JupyterServer]

    def serve(self) -> JupyterServer:
        """Start a Jupyter server."""
        server = self.start(env=self.shared)
        self.oidc.allow_redirects("notebook", [server.callback_url, PASTED])
        return server

    def run(self, *words: str, more: Mapping[str, str] | None = None) -> Any:
        """Run a command at a terminal: of no Jupyter server's, unless ``more`` says so."""
        return subprocess.run(
            [program("platform-auth"), *words],
            env={**self.terminal, **(more or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def token(self, *, more: Mapping[str, str] | None = None) -> str:
        """Return what a terminal prints."""
        done = self.run("token", "prod", more=more)
        assert done.returncode == 0, done.stderr
        return str(done.stdout).strip()

    def sign_in_at_a_terminal(self) -> str:
        """Sign in where there is no server, by pasting the address that the browser ends on."""
        with ScriptedPerson(ADA) as person:
            return CommandLine(self.terminal).sign_in("prod", person.answer)

    def refreshes(self) -> int:
        """Return how many refresh tokens the provider has taken."""
        grants = [(each["grant_type"], each["outcome"]) for each in self.oidc.log("token")]
        assert [outcome for _, outcome in grants if outcome != "ok"] == []
        return sum(grant == "refresh_token" for grant, _ in grants)


@pytest.fixture
def machine(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    oidc: OidcProvider,
    jupyter_server_process: Callable[..., JupyterServer],
) -> Machine:
    profiles = tmp_path / "profiles.yaml"
    redirect = getattr(request, "param", "auto")
    shape = profile(oidc.issuer, "http://127.0.0.1:9", redirect=redirect)
    profiles.write_text(json.dumps({"profiles": {"prod": shape}}), encoding="utf-8")
    shared = {"PLATFORM_AUTH_CONFIG": str(profiles), "JUPYTER_DATA_DIR": str(tmp_path / "data")}
    oidc.allow_redirects("notebook", [PASTED])
    return Machine(shared, isolated(tmp_path / "t", **shared), oidc, jupyter_server_process)


@pytest.mark.parametrize("machine", ["paste"], indirect=True)
def test_who_signed_in_at_a_terminal_is_signed_in_at_a_server_that_starts_later(
    machine: Machine,
) -> None:
    assert ADA.email in machine.sign_in_at_a_terminal()
    token = machine.token()
    server = machine.serve()
    view = broker_client(server).session("prod")
    assert (view["state"], view["signed_in_as"]) == ("signed_in", ADA.email)
    assert broker_client(server).token("prod").value.reveal() == token
    assert machine.refreshes() == 0
    # And signed out at the terminal, at the server too.
    assert machine.run("logout", "prod").returncode == 0
    assert broker_client(server).session("prod")["state"] == "signed_out"
    assert machine.run("token", "prod").returncode == 3


def test_who_signed_in_at_a_server_is_signed_in_at_every_terminal_and_an_expiry_costs_one_refresh(
    machine: Machine,
) -> None:
    machine.oidc.settings(access_token_ttl=4)
    server = machine.serve()
    terminals = (None, broker_environment(server))
    with closing(JupyterUser(server)) as ada:
        assert ada.sign_in("prod").status_code == 200
    first = broker_client(server).token("prod")
    machine.oidc.settings(access_token_ttl=300)
    assert machine.run("status").stdout.count(ADA.email) == 1

    wait_until(lambda: first.remaining < 0, "the token's end", within=10)
    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(lambda more: machine.token(more=more), terminals * 3))
    assert len(found) == 1
    assert found != {first.value.reveal()}
    assert {broker_client(server).token("prod").value.reveal()} == found
    assert machine.refreshes() == 1
    # The server goes, the sign-in stays.
    server.stop()
    assert {machine.token()} == found
