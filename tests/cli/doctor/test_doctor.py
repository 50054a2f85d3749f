from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.cli.doctor import proxy, software
from platform_auth.cli.doctor.finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Outcome, Server
    from platform_auth.sandbox import Sandbox

    Lines = Callable[[Any, str], list[str]]


def test_all_is_well(
    server: Server,
    sandbox: Sandbox,
    run: Callable[..., Outcome],
    lines: Lines,
    web: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = web()  # a callback page without an answer says 400
    monkeypatch.setenv("JUPYTER_SERVER_URL", f"{here.url}/a%40b/")
    server.visit()
    found = run("doctor")
    assert (found.status, found.err) == (0, "")
    assert (lines(found, "fail"), lines(found, "warn")) == ([], [])
    well, issuer = lines(found, "ok"), sandbox.issuer
    callback = f"{here.url}/a%40b/platform-auth/callback"
    for line in (
        "profiles: demo, demo-device, demo-service (default: demo)",
        "the server extension is enabled",
        "the lab extension is installed",
        "no proxy is set for this machine",
        f"discovery: the identity provider {issuer} answers",
        f"clock: this machine and {issuer} agree",
        f"redirect URI: {callback} is there",
    ):
        assert line in well
    [token, service] = [line for line in well if line.startswith("token: ")]
    assert token.startswith("token: there is one for ada@example.com, good for ")
    assert token.endswith(", then renewed by itself")
    assert service.startswith("token: there is one, good for ")
    notes = lines(found, "note")
    assert "token: nobody is signed in" in notes  # to the one with a code
    assert any(f"register exactly {callback}" in line for line in notes)
    assert found.out.splitlines()[-1] == "All is well."
    assert "eyJ" not in found.out


def test_one_profile_is_followed_setting_by_setting(
    demo: Path, sandbox: Sandbox, run: Callable[..., Outcome], lines: Lines
) -> None:
    found = run("doctor", "demo-service")
    assert found.status == 0
    well = lines(found, "ok")
    secret = next(line for line in well if line.startswith("oauth.client_secret: "))
    assert secret.startswith(f"oauth.client_secret: (not shown) ({demo}, line ")
    assert "demo-device" not in found.out.partition("This machine")[2]
    assert any(line.startswith("token: there is one, good for") for line in well)
    assert [each.outcome for each in sandbox.requests[-1:]] == ["ok"]


def test_a_profile_that_does_not_exist(
    demo: Path, run: Callable[..., Outcome], lines: Lines
) -> None:
    found = run("doctor", "dem")
    assert found.status == 1
    assert lines(found, "fail") == ["There is no profile 'dem'."]
    assert "Did you mean 'demo'?" in found.out


def test_what_a_setting_overrode(
    run: Callable[..., Outcome], lines: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "flyte.yaml"
    path.write_text("admin: {endpoint: 127.0.0.1, authType: ExternalCommand, command: [pwd]}")
    monkeypatch.setenv("FLYTECTL_CONFIG", str(path))
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "http://127.0.0.1:1")
    overrode = f"overrode admin.endpoint in {path}, line 1, column 19"
    expected = (
        f"admin.endpoint: http://127.0.0.1:1 (FLYTE_PLATFORM_URL in the environment; {overrode})"
    )
    well = lines(run("doctor"), "ok")
    assert expected in well
    assert f"settings: 3, from the environment, {path}" in well
    assert expected in lines(run("doctor", "default"), "ok")


@pytest.mark.parametrize(("encoding", "sign"), [("utf-8", "✗"), ("ascii", "FAIL")])
def test_a_terminal_without_the_signs(
    monkeypatch: pytest.MonkeyPatch, encoding: str, sign: str
) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    finding = Finding(Level.FAIL, "what", "why")
    assert finding.lines() == [f"{sign} what", f"{' ' * len(sign)} Why: why"]


def test_a_broken_file_is_told_with_line_and_column(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome], lines: Lines
) -> None:
    path = profiles_file("profiles:\n  prod: {admin: [}\n")
    found = run("doctor")
    assert found.status == 1
    assert any(f"{path}, line 2, column " in line for line in lines(found, "fail"))
    assert "Fix: Correct the file at that line." in found.out


def test_one_fault_of_a_file_is_told_once(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome], lines: Lines
) -> None:
    profiles_file("profiles:\n  prod:\n    admin: {endpoit: flyte.example.com}\n")
    found = run("doctor")
    assert found.status == 1
    assert sum("admin.endpoit" in line for line in lines(found, "fail")) == 1


def test_no_platform_at_all(run: Callable[..., Outcome], lines: Lines) -> None:
    found = run("doctor")
    assert "no platform can be used" in lines(found, "warn")
    assert any("none yet; they would be in" in line for line in lines(found, "ok"))


def test_a_server_that_is_gone(
    run: Callable[..., Outcome], lines: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_BROKER", f"unix://{tmp_path}/gone.sock")
    monkeypatch.setenv("PLATFORM_AUTH_BROKER_TOKEN_FILE", str(tmp_path / "gone.token"))
    found = run("doctor")
    assert found.status == 1
    assert any("cannot be reached" in line for line in lines(found, "fail"))


def test_a_program_that_is_not_there(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome], lines: Lines
) -> None:
    admin = {"endpoint": "127.0.0.1", "authType": "ExternalCommand", "command": ["no-such-program"]}
    profiles_file({"profiles": {"ci": {"admin": admin}}})
    found = run("doctor")
    assert found.status == 1
    assert any("no-such-program" in line for line in lines(found, "fail"))


def test_certificates_named_by_the_environment(
    demo: Path,
    run: Callable[..., Outcome],
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    found = run("doctor")
    assert found.status == 1
    assert any("SSL_CERT_FILE names" in line for line in lines(found, "fail"))


def test_one_check_that_breaks_hides_no_other(
    demo: Path, run: Callable[..., Outcome], lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Iterator[None]:
        raise RuntimeError("Bearer abcdefgh")

    monkeypatch.setattr(software, "check", fail)
    found = run("doctor")
    assert found.status == 1
    assert any("Software: could not be checked" in line for line in lines(found, "fail"))
    assert "abcdefgh" not in found.out
    assert "no proxy is set for this machine" in lines(found, "ok")


def test_proxies_without_their_passwords(
    demo: Path, run: Callable[..., Outcome], lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,.example.com")
    found = run("doctor")
    assert "hunter2" not in found.out
    well = lines(found, "ok")
    assert "proxy for https: http://proxy.example.com:3128 (with a password)" in well
    assert any(line.startswith("no proxy for 127.0.0.1,.example.com") for line in well)


@pytest.mark.parametrize("url", ["http://", "http://proxy:port", "http://[::1"])
def test_a_proxy_that_is_no_address(url: str) -> None:
    assert proxy.named("proxy for https", url).level is Level.FAIL
