"""Other people's tools with our command: as they call it, and with nothing set by hand."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from fakes.flyte_platform import flyte2_platform, flyte_platform
from harness.broker import broker_client, profile
from harness.jupyter_user import JupyterUser
from harness.kernel import ServerKernel
from harness.polling import wait_until
from harness.strict import Strict, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.jupyter import JupyterServer
    from harness.platform import Platform
    from harness.provider import OidcProvider

PROGRAM = Path(sys.executable).with_name("platform-auth")
USE_FLYTE = """
import sys, flyte, flyte.remote
flyte.init_from_config(sys.argv[1])
print(flyte.remote.User.get().subject())
"""


@pytest.fixture
def server(
    jupyter_server_process: Callable[..., JupyterServer], oidc: OidcProvider, platform: Platform
) -> JupyterServer:
    """Return a server where somebody has signed in."""
    made = jupyter_server_process(config={"profiles": {"prod": profile(oidc.issuer, platform.url)}})
    oidc.allow_redirects("notebook", [made.callback_url])
    with closing(JupyterUser(made)) as user:
        user.sign_in("prod")
    return made


def shown_token(server: JupyterServer) -> str:
    token: str = broker_client(server).token("prod").value.reveal()
    return token


def test_a_cell_that_runs_the_command_or_curl(server: JupyterServer, platform: Platform) -> None:
    assert shutil.which("curl"), "curl is what this is about"
    url = f"{platform.url}/api/v1/projects"
    curl = f'curl --silent -H "$(platform-auth token prod --output header)" {url}'
    with ServerKernel(server) as kernel:
        assert kernel.run("!platform-auth token prod") == shown_token(server)
        answer = kernel.run(f"!{curl}")
    assert [each["id"] for each in json.loads(answer)["projects"]] == ["flytesnacks", "analytics"]


def test_a_terminal(server: JupyterServer) -> None:
    name = server.fetch("api/terminals", "POST").raise_for_status().json()["name"]
    out = server.root / "token"
    # A login shell may have its own idea of where programs are.
    command = f"{PROGRAM} token prod > {out}.part && mv {out}.part {out}\r"

    async def type_in() -> None:
        url = f"{server.url}terminals/websocket/{name}".replace("http:", "ws:", 1)
        headers = {"Authorization": f"token {server.token}"}
        terminal = await websocket_connect(HTTPRequest(url, headers=headers))
        await terminal.write_message(json.dumps(["stdin", command]))
        await asyncio.to_thread(wait_until, out.exists, "the command's output")
        terminal.close()
        while await terminal.read_message() is not None:
            """What the terminal shows meanwhile is its own business."""

    asyncio.run(type_in())
    assert out.read_text() == f"{shown_token(server)}\n"
    server.fetch(f"api/terminals/{name}", "DELETE").raise_for_status()


def run(*argv: str | Path) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def _profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(tmp_path / "profiles.yaml"))


@pytest.mark.usefixtures("_profiles")
def test_flytekit_with_the_configuration_that_setup_writes(
    oidc: OidcProvider, tmp_path: Path
) -> None:
    config, strict = tmp_path / "config.yaml", Strict(oidc)
    with flyte_platform(tmp_path) as platform, signed_in(oidc, strict.attach(platform), tmp_path):
        run(PROGRAM, "setup", "flyte", "prod", "--file", config)
        assert "ExternalCommand" in config.read_text()
        remote = FlyteRemote(Config.auto(str(config)), "flytesnacks", "development")
        assert [each.id for each in remote.list_projects()] == ["flytesnacks", "forecasts"]
    assert len(strict.expires) == 1


@pytest.mark.usefixtures("_profiles")
def test_the_flyte_2_sdk_with_the_configuration_that_setup_writes(
    oidc: OidcProvider, tmp_path: Path
) -> None:
    config, strict = tmp_path / "config.yaml", Strict(oidc)
    with flyte2_platform(tmp_path) as platform:
        strict.attach(platform).header = "authorization"  # it sends a command's token in no other
        with signed_in(oidc, platform, tmp_path):
            run(PROGRAM, "setup", "flyte", "prod", "--file", config)
            assert run(sys.executable, "-c", USE_FLYTE, config).splitlines()[-1] == "ada"
    assert len(strict.expires) == 1
