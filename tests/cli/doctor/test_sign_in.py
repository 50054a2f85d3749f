"""The identity provider, the clocks, the way home, and the token at the end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from platform_auth.sandbox import Sandbox

    Doctor = Callable[..., Any]
    Lines = Callable[[Any, str], list[str]]
    Run = Callable[..., Any]


def test_a_provider_without_metadata(doctor: Doctor, lines: Lines, web: Callable[..., Any]) -> None:
    server = web()
    found = doctor(f"{server.url}", issuer=f"{server.url}/elsewhere")
    assert found.status == 1
    assert any(line.startswith("discovery: ") for line in lines(found, "fail"))


@pytest.mark.parametrize(
    ("auth_type", "lacks"),
    [
        ("Pkce", "authorization"),
        ("DeviceFlow", "device_authorization"),
        ("ClientSecret", "token"),
    ],
)
def test_a_provider_that_lacks_what_the_flow_needs(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], auth_type: str, lacks: str
) -> None:
    found = doctor(web(lacks=lacks).url, auth_type, client_secret="hunter2")
    assert found.status == 1
    failures = lines(found, "fail")
    assert any(f"offers no {lacks}_endpoint" in line for line in failures)


def test_a_provider_that_is_written_down(
    doctor: Doctor, lines: Lines, web: Callable[..., Any]
) -> None:
    server = web(ahead=100)
    found = doctor(
        server.url,
        issuer="",
        token_endpoint=f"{server.url}/token",
        authorization_endpoint=f"{server.url}/authorize",
    )
    assert f"discovery: the identity provider {server.url} is written down" in lines(found, "ok")
    assert any(
        "s behind" in line for line in lines(found, "fail")
    )  # its clock was asked all the same


def test_a_platform_that_says_who_its_provider_is(
    profiles_file: Callable[..., Path], sandbox: Sandbox, run: Run, lines: Lines
) -> None:
    admin = {"endpoint": sandbox.platform_url, "clientId": "platform-auth-demo"}
    profiles_file({"profiles": {"prod": {"admin": admin}}})
    found = run("doctor", "prod")
    assert found.status == 0, found.out
    well = lines(found, "ok")
    assert f"discovery: the identity provider {sandbox.issuer} answers" in well
    assert sum(line.startswith("TCP: ") for line in well) == 2


def test_a_platform_that_says_which_client_to_be(
    profiles_file: Callable[..., Path], run: Run, lines: Lines, web: Callable[..., Any]
) -> None:
    client = {"client_id": "flytectl", "scopes": ["all", "offline"]}
    admin = {"endpoint": web(client=client).url}
    profiles_file({"profiles": {"prod": {"admin": admin}}})
    found = run("doctor", "prod")
    assert found.status == 0, found.out
    well = lines(found, "ok")
    assert "discovery: client_id: flytectl (the platform says so)" in well
    assert "discovery: scopes: all, offline (the platform says so)" in well


@pytest.mark.parametrize(
    ("ahead", "level", "says"),
    [
        (0, "ok", "agree"),
        (-30, "warn", "s ahead of"),
        (30, "warn", "s behind"),
        (600, "fail", "s behind"),
    ],
)
def test_the_clocks(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], ahead: float, level: str, says: str
) -> None:
    found = doctor(web(ahead=ahead).url)
    [clock] = [line for line in lines(found, level) if line.startswith("clock: ")]
    assert says in clock
    assert found.status == (1 if level == "fail" else 0)
    assert ("Set the clock" in found.out) is (level != "ok")
    assert ("no proof of identity is accepted" in found.out) is (level == "fail")


def test_a_port_for_the_way_home_that_is_taken(
    doctor: Doctor, lines: Lines, web: Callable[..., Any]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        uri = f"http://127.0.0.1:{port}/callback"
        found = doctor(web().url, redirect="loopback", redirect_uri=uri)
    assert found.status == 1
    assert f"redirect URI: Port {port} of 127.0.0.1 cannot be listened on." in lines(found, "fail")
    assert "set oauth.redirect to paste" in found.out


def test_ways_home_without_a_server(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = web().url
    any_port = "redirect URI: http://127.0.0.1/callback with any port"
    assert f"{any_port}; a port here can be listened on" in lines(doctor(url), "ok")
    pasted = (
        "redirect URI: http://localhost:53593/callback, to be pasted: nobody needs to listen there"
    )
    assert pasted in lines(doctor(url, redirect="paste"), "ok")
    found = doctor(url, redirect="server")
    assert found.status == 1
    assert any("and none is here" in line for line in lines(found, "fail"))
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")
    found = doctor(url)
    assert any_port in lines(found, "warn")
    assert "--redirect paste" in found.out


def test_the_only_way_home_that_is_registered(
    server: Any, profiles_file: Callable[..., Path], sandbox: Sandbox, run: Run, lines: Lines
) -> None:
    shape = sandbox.profiles()["demo"]
    shape["oauth"]["redirect_uri"] = "http://localhost:53593/callback"
    profiles_file({"profiles": {"demo": shape}})
    pasted = "redirect URI: http://localhost:53593/callback, to be pasted"
    assert any(line.startswith(pasted) for line in lines(run("doctor", "demo"), "ok"))


def test_flows_without_a_way_home(doctor: Doctor, lines: Lines, web: Callable[..., Any]) -> None:
    assert "redirect URI" not in doctor(web().url, "DeviceFlow").out


@pytest.mark.parametrize(("status", "level"), [(404, "fail"), (502, "fail"), (302, "ok")])
def test_what_is_at_the_servers_own_redirect_uri(
    server: Any,
    run: Run,
    lines: Lines,
    web: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    level: str,
) -> None:
    here = web(status=status)
    monkeypatch.setenv("JUPYTER_SERVER_URL", f"{here.url}/a%40b/")
    found = run("doctor", "demo")
    assert [line for line in lines(found, level) if "/a%40b/platform-auth/callback" in line]
    assert here.asked == ["/a%40b/platform-auth/callback"]
    assert found.status == (1 if level == "fail" else 0)


@pytest.mark.parametrize(
    ("variable", "level"), [("JUPYTER_SERVER_URL", "fail"), ("JUPYTERHUB_PUBLIC_URL", "warn")]
)
def test_a_servers_redirect_uri_where_nobody_answers(
    server: Any,
    run: Run,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    level: str,
) -> None:
    # A public address may be out of reach from here, and all right for the browser.
    host = "127.0.0.1:1" if level == "fail" else "no-such-host.invalid"
    monkeypatch.setenv(variable, f"http://{host}/a%40b/")
    found = run("doctor", "demo")
    assert f"redirect URI: http://{host} cannot be reached from here" in lines(found, level)
    assert found.status == (1 if level == "fail" else 0)


def test_a_public_address_that_is_configured(
    server: Any, run: Run, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.broker.redirects, "_base_url", "https://hub.invalid/hub/x/")
    found = run("doctor", "demo")
    uri = "https://hub.invalid/hub/x/platform-auth/callback"
    assert f"redirect URI: register exactly {uri}" in lines(found, "note")
    assert "redirect URI: https://hub.invalid cannot be reached from here" in lines(found, "warn")


def test_a_server_whose_address_is_not_known(
    server: Any, run: Run, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTER_SERVER_URL")
    uri = "https://YOUR-JUPYTER/a%40b/platform-auth/callback"
    assert f"redirect URI: {uri}" in lines(run("doctor", "demo"), "note")


def test_a_sign_in_that_failed(server: Any, run: Run, lines: Lines) -> None:
    server.visit(approve=False)
    found = run("doctor", "demo")
    assert any(line.startswith("token: ") for line in lines(found, "warn"))
    assert "Fix: Run: platform-auth login demo" in found.out


def test_a_secret_that_is_wrong(
    profiles_file: Callable[..., Path], sandbox: Sandbox, run: Run, lines: Lines
) -> None:
    shape = sandbox.profiles()["demo-service"]
    shape["oauth"]["client_secret"] = "hunter2"
    profiles_file({"profiles": {"ci": shape}})
    found = run("doctor")
    assert found.status == 1
    assert any(line.startswith("token: ") for line in lines(found, "fail"))
    assert "hunter2" not in found.out


@pytest.mark.parametrize(("command", "status"), [(["pwd"], 0), (["false"], 1), (["no-such"], 1)])
def test_a_command(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], command: list[str], status: int
) -> None:
    found = doctor(web().url, "ExternalCommand", {"command": command})
    assert found.status == status
    failures = [line for line in lines(found, "fail") if line.startswith("token: ")]
    assert len(failures) == status
