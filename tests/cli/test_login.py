from __future__ import annotations

import re
import signal
import stat
from typing import TYPE_CHECKING, Any

import pytest

from fakes.front import front
from platform_auth.cli import login
from platform_auth.config import Policy
from platform_auth.connection import Connection, default_client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx2

    from conftest import Command, Outcome, Server
    from platform_auth.sandbox import Sandbox


def test_without_a_server_the_browser_comes_back_to_the_command(
    demo: Path,
    start: Callable[..., Command],
    run: Callable[..., Outcome],
    browse: Callable[..., httpx2.Response],
) -> None:
    command = start("login", "demo")
    page = browse(command.line("http"))
    found = command.end()
    assert page.status_code == 200
    assert found.status == 0
    assert re.search(
        r"Signed in to 127\.0\.0\.1:\d+ as ada@example.com \(profile demo\)\.", found.out
    )
    assert found.err == ""
    # It outlives the command: the next one finds it.
    assert "Signed in as ada@example.com" in run("status").out
    assert run("token", "demo").out.startswith("eyJ")


def test_no_secret_is_printed(
    demo: Path, start: Callable[..., Command], browse: Callable[..., httpx2.Response]
) -> None:
    command = start("login")
    browse(command.line("http"))
    found = command.end()
    assert "eyJ" not in found.out + found.err
    assert "code=" not in found.out + found.err


def test_a_denial_is_a_failure(
    demo: Path, start: Callable[..., Command], browse: Callable[..., httpx2.Response]
) -> None:
    command = start("login", "demo")
    browse(command.line("http"), approve=False)
    found = command.end()
    assert found.status == 1
    assert "Signed in" not in found.out
    assert found.err.startswith("platform-auth: ")


def test_a_pasted_address_ends_it_too(
    demo: Path, sandbox: Sandbox, start: Callable[..., Command]
) -> None:
    command = start("login", "demo", "--redirect", "paste")
    url = command.line("http")
    assert "redirect_uri=http%3A%2F%2Flocalhost%3A53593%2Fcallback" in url
    command.say("http://localhost:53593/callback?code=x&state=somebody-elses")
    command.say("")
    command.say(sandbox.sign_in_scripted(url))
    found = command.end()
    assert found.status == 0
    assert "as ada@example.com (profile demo)" in found.out
    assert "That is not it" in found.err


def test_a_device_is_approved_elsewhere(
    demo: Path, sandbox: Sandbox, start: Callable[..., Command]
) -> None:
    command = start("login", "demo-device")
    command.line("or open this address")
    command.line("")
    sandbox.approve_device_scripted(command.line("http"), "grace")
    found = command.end()
    assert found.status == 0
    assert "as grace@example.com (profile demo-device)" in found.out


def test_an_endpoint_is_enough(
    profiles_file: Callable[..., Path],
    sandbox: Sandbox,
    start: Callable[..., Command],
    run: Callable[..., Outcome],
) -> None:
    profiles_file({})
    with front(sandbox) as endpoint:
        wish = ("login", "--endpoint", endpoint, "--insecure", "--redirect", "paste")
        command = start(*wish)
        command.say(sandbox.sign_in_scripted(command.line("http")))
        found = command.end()
        assert (found.status, found.err) == (0, "")
        assert f"Signed in to {endpoint} as ada@example.com" in found.out
        # A script that names the same endpoint finds the sign-in, and so does this.
        again = run(*wish)
        assert again.status == 0
        assert "Open this" not in again.out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["demo", "--endpoint", "host:443"], "not allowed with argument"),
        (["demo", "--insecure"], "--insecure goes with --endpoint"),
    ],
)
def test_an_endpoint_is_in_place_of_a_profile(
    demo: Path, run: Callable[..., Outcome], given: list[str], said: str
) -> None:
    found = run("login", *given)
    assert found.status == 2
    assert said in found.err


def test_an_endpoint_is_under_the_servers_policy(
    server: Server, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Policy(allowed_endpoints=("*.example.com",))
    monkeypatch.setattr(type(server.broker.profiles), "policy", policy)
    found = run("login", "--endpoint", "flyte.example.org:443")
    assert found.status == 1
    assert "may not reach flyte.example.org" in found.err
    assert "allowed_endpoints" in found.err


def test_a_service_needs_no_person(demo: Path, run: Callable[..., Outcome]) -> None:
    found = run("login", "demo-service")
    assert found.status == 0
    assert "http://" not in found.out


def test_no_more_input_to_paste_from_ends_the_wait(
    demo: Path, start: Callable[..., Command]
) -> None:
    command = start("login", "demo", "--redirect", "paste")
    command.line("http")
    found = command.end()  # closes its standard input
    assert found.status == 1
    assert "called off" in found.err


def test_in_a_terminal_of_jupyter_the_server_is_where_to_sign_in(
    server: Server, start: Callable[..., Command]
) -> None:
    command = start("login", "demo")
    assert command.line("http") == "http://127.0.0.1:8888/a%40b/platform-auth/login?profile=demo"
    server.visit()
    found = command.end()
    assert found.status == 0
    assert "put that host before /a%40b/platform-auth/login?profile=demo" in found.out
    assert "as ada@example.com (profile demo)" in found.out
    assert server.state() == "signed_in"


def test_the_public_address_is_printed_without_doubts(
    server: Server, start: Callable[..., Command]
) -> None:
    command = start("login", JUPYTERHUB_PUBLIC_URL="https://hub.example.com/user/ada/")
    url = command.line("http")
    assert url == "https://hub.example.com/a%40b/platform-auth/login?profile=demo"
    server.visit()
    assert "put that host" not in command.end().out


def test_with_no_address_known_the_path_is_printed(
    server: Server, start: Callable[..., Command]
) -> None:
    command = start("login", JUPYTER_SERVER_URL="")
    assert command.line("/") == "/a%40b/platform-auth/login?profile=demo"
    server.visit()
    assert "put its https://host before it" in command.end().out


def test_signed_in_already(server: Server, run: Callable[..., Outcome]) -> None:
    server.visit()
    found = run("login")
    assert found.status == 0
    assert found.out.splitlines()[-1].endswith("as ada@example.com (profile demo).")
    assert "http://" not in found.out


def test_force_signs_in_once_more(server: Server, start: Callable[..., Command]) -> None:
    server.visit()
    command = start("login", "--force")
    command.line("http")
    server.visit()
    assert command.end().status == 0


def test_nobody_comes(server: Server, run: Callable[..., Outcome]) -> None:
    found = run("login", "--timeout", "0.05")
    assert found.status == 1
    assert "Nobody signed in" in found.err
    assert server.state() == "signed_out"


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "soon"])
def test_a_time_that_is_none(demo: Path, run: Callable[..., Outcome], seconds: str) -> None:
    found = run("login", "--timeout", seconds)
    assert found.status == 2
    assert seconds in found.err


def test_what_libraries_log_is_not_said(
    profiles_file: Callable[..., Path], start: Callable[..., Command]
) -> None:
    profiles_file({})
    found = start("login", "--endpoint", "127.0.0.1:1").end()
    assert found.status == 1
    assert found.err.startswith("platform-auth: https://127.0.0.1:1 cannot be reached.\n  Why: ")
    assert found.err.count("\n") == 3


def test_ctrl_c_calls_it_off(server: Server, start: Callable[..., Command]) -> None:
    command = start("login")
    command.line("Waiting")
    command.process.send_signal(signal.SIGINT)
    found = command.end()
    assert found.status == 130
    assert "Traceback" not in found.err
    assert server.state() == "signed_out"


def test_a_flow_that_does_not_exist(server: Server, run: Callable[..., Outcome]) -> None:
    found = run("login", "--flow", "telepathy")
    assert found.status == 1
    assert "telepathy" in found.err


def test_several_profiles_and_no_default(
    sandbox: Sandbox, profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    profiles_file({"profiles": sandbox.profiles()})
    found = run("login")
    assert found.status == 1
    assert "demo, demo-device, demo-service" in found.err


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file into which the person's browser writes what it was asked to open."""
    opened = tmp_path / "opened"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {opened}.part; mv {opened}.part {opened}\n')
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("BROWSER", f"{program} %s")
    return opened


def test_the_browser_is_opened(
    browser: Path, server: Server, start: Callable[..., Command]
) -> None:
    command = start("login")
    url = command.line("http")
    command.line("A browser has been opened")
    server.visit()
    assert command.end().status == 0
    assert browser.read_text() == url


def test_the_browser_is_left_alone(
    browser: Path, server: Server, start: Callable[..., Command]
) -> None:
    command = start("login", "--no-browser")
    command.line("Waiting")
    server.visit()
    assert command.end().status == 0
    assert not browser.exists()


DEVICE = {
    "profile": "demo",
    "platform": "flyte.example.com",
    "sign_in_url": None,
    "challenge": {
        "kind": "device",
        "verification_uri": "https://id.example.com/device",
        "verification_uri_complete": None,
        "user_code": "ABCD-EFGH",
    },
}


def invite(challenge: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> list[str]:
    view = {**DEVICE, "challenge": {**DEVICE["challenge"], **challenge}}  # type: ignore[dict-item]
    login._invite(view, Connection(default_client(), "demo"), browser=True)
    return capsys.readouterr().out.splitlines()


def test_a_device_code_stands_beside_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    lines = invite({}, capsys)
    assert "https://id.example.com/device" in lines
    assert "and enter the code ABCD-EFGH" in lines


def test_an_address_with_the_code_in_it_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    whole = "https://id.example.com/device?user_code=ABCD-EFGH"
    assert whole in invite({"verification_uri_complete": whole}, capsys)
